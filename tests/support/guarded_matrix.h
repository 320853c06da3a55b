// SPDX-License-Identifier: Apache-2.0
// A matrix in a device buffer of its own, with canary bytes before, after and between the rows. The canaries are
// signalling NaNs: an op that reads them spreads NaN, one that writes or even quiets them is caught.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "src/backend/device.h"
#include "src/base/half.h"

namespace scrooge::test {

using backend::Matrix;
using backend::Vector;

// Elements before the first row, and beyond the last column of each row.
struct Layout {
  int64_t lead = 0;
  int64_t gap = 0;
};
inline constexpr Layout kPacked{0, 0};
inline constexpr Layout kStrided{5, 3};

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class GuardedMatrix {
 public:
  GuardedMatrix(backend::Device& device, int64_t rows, int64_t cols, Layout layout = kPacked, DType dtype = DType::kF32)
      : device_(device), layout_(layout) {
    view_.rows = rows;
    view_.cols = cols;
    view_.stride = cols + layout.gap;
    view_.dtype = dtype;
    const int64_t element = dtype_size(dtype);
    view_.offset = static_cast<uint64_t>(layout.lead * element);
    image_.resize(static_cast<size_t>((layout.lead + rows * view_.stride + 16) * element));
    for (size_t i = 0; i < image_.size(); ++i) image_[i] = canary(i);
    Result<std::unique_ptr<backend::Buffer>> buffer = device.allocate(image_.size(), "test");
    EXPECT_TRUE(buffer.ok()) << buffer.status().message();
    if (buffer.ok()) buffer_ = std::move(*buffer);
    view_.buffer = buffer_.get();
    fill(kNaN);
  }
  GuardedMatrix(backend::Device& device, int64_t rows, int64_t cols, Layout layout, std::span<const float> values,
                DType dtype = DType::kF32)
      : GuardedMatrix(device, rows, cols, layout, dtype) {
    set(values);
  }

  const Matrix& matrix() const { return view_; }
  // REQUIRES: one row.
  Vector vector() const { return {view_.buffer, view_.offset, view_.cols, view_.dtype}; }

  // Values are rounded to the element type.
  void set(std::span<const float> values) {
    ASSERT_EQ(static_cast<int64_t>(values.size()), view_.rows * view_.cols);
    for (int64_t r = 0; r < view_.rows; ++r) {
      for (int64_t c = 0; c < view_.cols; ++c) encode(cell(r, c), values[static_cast<size_t>(r * view_.cols + c)]);
    }
    put();
  }
  void fill(float value) {
    for (int64_t r = 0; r < view_.rows; ++r) {
      for (int64_t c = 0; c < view_.cols; ++c) encode(cell(r, c), value);
    }
    put();
  }
  // The cells as the device has them now; fails the test when a canary is dead.
  std::vector<float> values() {
    std::vector<std::byte> now(image_.size());
    const Status status = device_.download(*buffer_, 0, now);
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<float> out(static_cast<size_t>(view_.rows * view_.cols));
    for (int64_t r = 0; r < view_.rows; ++r) {
      for (int64_t c = 0; c < view_.cols; ++c) {
        out[static_cast<size_t>(r * view_.cols + c)] = decode(now.data() + cell(r, c));
        // What is left to compare are the canaries.
        std::memcpy(image_.data() + cell(r, c), now.data() + cell(r, c), static_cast<size_t>(dtype_size(view_.dtype)));
      }
    }
    const auto dead = std::mismatch(now.begin(), now.end(), image_.begin()).first;
    EXPECT_TRUE(dead == now.end()) << "wrote outside the output: byte " << dead - now.begin() << " of a buffer with "
                                   << view_.rows << " rows of " << view_.cols << " columns, stride " << view_.stride
                                   << ", byte offset " << view_.offset;
    return out;
  }

 private:
  std::byte canary(size_t i) const {
    const auto element = static_cast<size_t>(dtype_size(view_.dtype));
    return std::byte(element > 1 && i % element == element - 1 ? 0xff : 0xa5);
  }
  size_t cell(int64_t r, int64_t c) const {
    return static_cast<size_t>((layout_.lead + r * view_.stride + c) * dtype_size(view_.dtype));
  }
  void encode(size_t at, float value) {
    switch (view_.dtype) {
      case DType::kF32: std::memcpy(&image_[at], &value, 4); break;
      case DType::kF16: encode_half(at, float_to_fp16(value)); break;
      case DType::kBF16: encode_half(at, float_to_bf16(value)); break;
      case DType::kU8: image_[at] = std::byte(value == value ? static_cast<int>(value) : 0xee); break;
    }
  }
  void encode_half(size_t at, uint16_t bits) { std::memcpy(&image_[at], &bits, 2); }
  float decode(const std::byte* from) const {
    if (view_.dtype == DType::kU8) return static_cast<float>(*from);
    if (view_.dtype == DType::kF32) {
      float value = 0;
      std::memcpy(&value, from, 4);
      return value;
    }
    uint16_t bits = 0;
    std::memcpy(&bits, from, 2);
    return view_.dtype == DType::kF16 ? fp16_to_float(bits) : bf16_to_float(bits);
  }
  void put() {
    if (!buffer_) return;
    const Status status = device_.upload(*buffer_, 0, image_);
    ASSERT_TRUE(status.ok()) << status.message();
  }

  backend::Device& device_;
  Layout layout_;
  Matrix view_;
  std::unique_ptr<backend::Buffer> buffer_;
  std::vector<std::byte> image_;
};

}  // namespace scrooge::test
