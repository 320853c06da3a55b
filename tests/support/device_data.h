// SPDX-License-Identifier: Apache-2.0
// Seeded matrices on a device, for tests of the layers above the backends.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <span>
#include <vector>

#include "src/backend/backend_list.h"

namespace scrooge::test {

// A device with the buffers made on it.
class DeviceData {
 public:
  explicit DeviceData(std::string_view name = "cpu", int threads = 2) {
    auto made = backend::create_device(name, {threads, &budget_});
    EXPECT_TRUE(made.ok()) << made.status().message();
    if (made.ok()) device_ = std::move(*made);
  }
  backend::Device& device() { return *device_; }

  backend::Matrix matrix(std::span<const float> values, int64_t rows, int64_t cols) {
    auto buffer = device_->allocate(values.size_bytes(), "test");
    EXPECT_TRUE(buffer.ok());
    EXPECT_TRUE(device_->upload(**buffer, 0, std::as_bytes(values)).ok());
    buffers_.push_back(std::move(*buffer));
    return {buffers_.back().get(), 0, rows, cols, cols, DType::kF32};
  }
  backend::Matrix zeros(int64_t rows, int64_t cols) {
    return matrix(std::vector<float>(static_cast<size_t>(rows * cols)), rows, cols);
  }
  std::vector<float> read(const backend::Matrix& m) {
    std::vector<float> values(static_cast<size_t>(m.rows * m.cols));
    EXPECT_TRUE(device_->download(*m.buffer, m.offset, std::as_writable_bytes(std::span(values))).ok());
    return values;
  }

 private:
  MemoryBudget budget_;
  std::unique_ptr<backend::Device> device_;
  std::vector<std::unique_ptr<backend::Buffer>> buffers_;
};

inline std::vector<float> random_floats(size_t count, uint32_t seed, float deviation = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace scrooge::test
