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
    lay_canaries();
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
      const float* const row = values.data() + r * view_.cols;
      if (view_.dtype == DType::kF32 && view_.cols > 0) {
        std::memcpy(&image_[cell(r, 0)], row, row_bytes());
        continue;
      }
      for (int64_t c = 0; c < view_.cols; ++c) encode(cell(r, c), row[c]);
    }
    put();
  }
  void fill(float value) {
    for (int64_t c = 0; view_.rows > 0 && c < view_.cols; ++c) encode(cell(0, c), value);
    for (int64_t r = 1; r < view_.rows && view_.cols > 0; ++r) {
      std::memcpy(&image_[cell(r, 0)], &image_[cell(0, 0)], row_bytes());
    }
    put();
  }
  // The cells as the device has them now; fails the test when a canary is dead.
  std::vector<float> values() {
    std::vector<std::byte> now(image_.size());
    const Status status = device_.download(*buffer_, 0, now);
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<float> out(static_cast<size_t>(view_.rows * view_.cols));
    for (int64_t r = 0; r < view_.rows && view_.cols > 0; ++r) {
      const std::byte* const row = now.data() + cell(r, 0);
      float* const to = out.data() + r * view_.cols;
      if (view_.dtype == DType::kF32) {
        std::memcpy(to, row, row_bytes());
      } else {
        for (int64_t c = 0; c < view_.cols; ++c) to[c] = decode(row + c * dtype_size(view_.dtype));
      }
      // What is left to compare are the canaries.
      std::memcpy(&image_[cell(r, 0)], row, row_bytes());
    }
    const auto dead = std::mismatch(now.begin(), now.end(), image_.begin()).first;
    EXPECT_TRUE(dead == now.end()) << "wrote outside the output: byte " << dead - now.begin() << " of a buffer with "
                                   << view_.rows << " rows of " << view_.cols << " columns, stride " << view_.stride
                                   << ", byte offset " << view_.offset;
    return out;
  }

 private:
  void lay_canaries() {
    const auto element = static_cast<size_t>(dtype_size(view_.dtype));
    std::fill(image_.begin(), image_.end(), std::byte{0xa5});
    for (size_t i = element - 1; element > 1 && i < image_.size(); i += element) image_[i] = std::byte{0xff};
  }
  size_t row_bytes() const { return static_cast<size_t>(view_.cols * dtype_size(view_.dtype)); }
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
