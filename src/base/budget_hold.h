// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "src/base/memory_budget.h"

namespace scrooge {

// Bytes that are counted in a budget for memory that comes from elsewhere, until it goes. Movable; the budget must
// outlive it.
class BudgetHold {
 public:
  BudgetHold() = default;
  static Result<BudgetHold> take(MemoryBudget& budget, uint64_t bytes, std::string_view purpose) {
    SCROOGE_RETURN_IF_ERROR(budget.reserve(bytes, purpose));
    BudgetHold hold;
    hold.budget_ = &budget;
    hold.bytes_ = bytes;
    return hold;
  }
  BudgetHold(BudgetHold&& other) noexcept { *this = std::move(other); }
  BudgetHold& operator=(BudgetHold&& other) noexcept {
    if (this != &other) {
      reset();
      budget_ = std::exchange(other.budget_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~BudgetHold() { reset(); }

  void reset() {
    if (budget_ != nullptr) budget_->give_back(bytes_);
    budget_ = nullptr;
    bytes_ = 0;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace scrooge
