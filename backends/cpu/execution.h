// SPDX-License-Identifier: Apache-2.0
// What every op runs with, and how it is cut into tasks. The cut depends on shapes only, each task writes its own
// part of the result, and sums over tasks are taken in task order: hence the same bits for any number of threads.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "backends/cpu/matrix_product.h"
#include "backends/cpu/scratch.h"
#include "src/backend/device.h"
#include "src/base/thread_pool.h"

namespace scrooge::backend::cpu {

struct Execution {
  ThreadPool& pool;
  Scratch& scratch;
  MatrixProduct& product;

  // kFast is granted only where the hardware and the provider have something faster.
  bool fast(Precision precision) const { return precision == Precision::kFast && product.has_bf16(); }

  // For tasks of more than about 50 ms on wide shapes.
  Status check_cancelled(int worker) const { return pool.check_cancelled(worker); }

  // Runs task(index, worker) for [0, count); the failure with the lowest index is returned.
  Status for_each(int64_t count, const std::function<Status(int64_t, int)>& task) const {
    std::mutex mutex;
    Status failure;
    int64_t failed = count;
    const Status run = pool.parallel_for(count, [&](int64_t index, int worker) {
      Status status = task(index, worker);
      if (status.ok()) return;
      const std::lock_guard lock(mutex);
      if (index < failed) {
        failed = index;
        failure = std::move(status);
      }
    });
    return failure.ok() ? run : failure;
  }

  // Runs task(row) for every row, in tasks of about 32 Ki elements.
  Status for_each_row(int64_t rows, int64_t cols, const std::function<void(int64_t)>& task) const {
    if (rows <= 0 || cols <= 0) return {};
    const int64_t step = std::max<int64_t>(1, 32768 / cols);
    return pool.parallel_for((rows + step - 1) / step, [&](int64_t index, int) {
      const int64_t end = std::min(rows, (index + 1) * step);
      for (int64_t row = index * step; row < end; ++row) task(row);
    });
  }
};

// `total` cut into equal parts of at most about `target`, rounded up to a multiple of `multiple`.
struct Tiling {
  Tiling(int64_t total_size, int64_t target, int64_t multiple) : total(total_size) {
    const int64_t parts = std::max<int64_t>(1, (total + target - 1) / target);
    size = std::max<int64_t>(1, ((total + parts - 1) / parts + multiple - 1) / multiple * multiple);
    count = (total + size - 1) / size;
  }
  int64_t begin(int64_t index) const { return index * size; }
  int64_t length(int64_t index) const { return std::min(size, total - index * size); }

  int64_t total = 0;
  int64_t size = 1;
  int64_t count = 0;
};

// The first element of row r.
template <typename T>
T* row_of(const Matrix& m, int64_t r) {
  return reinterpret_cast<T*>(m.buffer->host_data() + m.offset) + r * m.stride;
}
template <typename T>
T* data_of(const Vector& v) {
  return reinterpret_cast<T*>(v.buffer->host_data() + v.offset);
}

}  // namespace scrooge::backend::cpu
