// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value, or the Status that says why there is none.
#pragma once

#include <cassert>
#include <optional>
#include <utility>

#include "src/base/status.h"

namespace scrooge {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    if (status_.ok()) status_ = Status(StatusCode::kInternal, "a result was built from an ok status");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // REQUIRES: ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

#define SCROOGE_CONCAT_INNER(a, b) a##b
#define SCROOGE_CONCAT(a, b) SCROOGE_CONCAT_INNER(a, b)
// SCROOGE_ASSIGN_OR_RETURN(auto file, FileMap::open(path));
#define SCROOGE_ASSIGN_OR_RETURN(declaration, expression) \
  SCROOGE_ASSIGN_OR_RETURN_IMPL(SCROOGE_CONCAT(result_, __LINE__), declaration, expression)
#define SCROOGE_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                          \
  if (!result.ok()) return result.status();                            \
  declaration = std::move(*result)

}  // namespace scrooge
