// SPDX-License-Identifier: Apache-2.0
// The card's primary context as this library holds it, and what became of it: the first error after which the context
// answers nothing more is kept, and is what every later call gets.
#pragma once

#include <string_view>

#include "backends/cuda/driver_api.h"
#include "src/base/result.h"

namespace scrooge::backend::cuda {

class DriverContext {
 public:
  // `api` outlives it.
  DriverContext(const DriverApi& api, CuDevice device) : api_(api), device_(device) {}
  ~DriverContext();
  DriverContext(const DriverContext&) = delete;
  DriverContext& operator=(const DriverContext&) = delete;

  Status open();
  bool opened() const { return context_ != nullptr; }
  const DriverApi& api() const { return api_; }
  CuDevice device() const { return device_; }

  // The result of `call` as a Status. A sticky error is kept.
  Status check(CuResult result, std::string_view call);
  // Ok, or the error that ended the context.
  const Status& lost() const { return lost_; }

  // The context on this thread while it lives; the host program's own, if any, comes back after.
  class Current {
   public:
    explicit Current(DriverContext& context);
    ~Current();
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    const Status& status() const { return status_; }

   private:
    DriverContext& context_;
    Status status_;
  };

 private:
  const DriverApi& api_;
  const CuDevice device_;
  CuContext context_ = nullptr;
  Status lost_;
};

}  // namespace scrooge::backend::cuda
