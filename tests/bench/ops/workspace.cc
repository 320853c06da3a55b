// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ops/workspace.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <span>

namespace scrooge::bench {
namespace {

using backend::Matrix;

constexpr size_t kPeriod = 1000003;  // values before they repeat; prime, so that no two rows are alike

// Uploads `values` again and again until the whole buffer has some.
template <typename T>
Status fill(backend::Device& device, const Matrix& m, const std::vector<T>& values) {
  const auto count = static_cast<size_t>(m.rows * m.cols);
  for (size_t at = 0; at < count; at += values.size()) {
    const auto part = std::span(values).first(std::min(values.size(), count - at));
    SCROOGE_RETURN_IF_ERROR(device.upload(*m.buffer, at * sizeof(T), std::as_bytes(part)));
  }
  return {};
}

}  // namespace

void Workspace::clear() {
  buffers_.clear();
  status_ = {};
}

Matrix Workspace::zeros(int64_t rows, int64_t cols, DType dtype) {
  if (!status_.ok()) return {};
  auto buffer = device_.allocate(static_cast<uint64_t>(rows * cols * dtype_size(dtype)), "benchmark");
  if (!buffer.ok()) {
    status_ = buffer.status();
    return {};
  }
  buffers_.push_back(std::move(*buffer));
  return {buffers_.back().get(), 0, rows, cols, cols, dtype};
}

Matrix Workspace::random(int64_t rows, int64_t cols, float low, float high) {
  const Matrix m = zeros(rows, cols);
  if (!status_.ok()) return m;
  std::vector<float> values(std::min(kPeriod, static_cast<size_t>(rows * cols)));
  std::mt19937 engine(7);
  std::uniform_real_distribution<float> draw(low, high);
  for (float& value : values) value = draw(engine);
  require(fill(device_, m, values));
  return m;
}

Matrix Workspace::random_codes(int64_t rows, int64_t cols, int bits) {
  const Matrix m = zeros(rows, cols, DType::kU8);
  if (!status_.ok()) return m;
  std::vector<uint8_t> values(std::min(kPeriod, static_cast<size_t>(rows * cols)));
  std::mt19937 engine(7);
  for (uint8_t& value : values) value = static_cast<uint8_t>(engine() >> (32 - bits));
  require(fill(device_, m, values));
  return m;
}

Matrix Workspace::gram(int64_t size) {
  const Matrix m = zeros(size, size);
  if (!status_.ok()) return m;
  const auto count = static_cast<size_t>(size);
  std::vector<float> power(count);
  std::vector<float> magnitude(count);
  std::mt19937 engine(11);
  std::uniform_real_distribution<float> draw(0.5f, 2.0f);
  for (size_t i = 0; i < count; ++i) {
    // All channels have something in common, so that neither the matrix nor its factor has subnormal numbers, which
    // slow some processors down.
    power[i] = 0.05f + std::pow(0.9f, static_cast<float>(i));
    magnitude[i] = draw(engine);
  }
  const size_t rows_at_once = std::max<size_t>(1, (size_t{4} << 20) / (count * sizeof(float)));
  std::vector<float> rows;
  for (size_t first = 0; first < count && status_.ok(); first += rows_at_once) {
    const size_t here = std::min(rows_at_once, count - first);
    rows.resize(here * count);
    for (size_t r = 0; r < here; ++r) {
      const size_t i = first + r;
      for (size_t j = 0; j < count; ++j) {
        rows[r * count + j] = magnitude[i] * magnitude[j] * power[i > j ? i - j : j - i];
      }
    }
    require(device_.upload(*m.buffer, first * count * sizeof(float), std::as_bytes(std::span<const float>(rows))));
  }
  return m;
}

}  // namespace scrooge::bench
