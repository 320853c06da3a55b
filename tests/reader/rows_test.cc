// SPDX-License-Identifier: Apache-2.0
// Rows of every scheme, bit for bit the library's.
#include <gtest/gtest.h>

#include "tests/reader/comparison.h"
#include "tests/reader/memory_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::reader_test {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

// A file of these tensors, opened by both; `expect_same` compares all they tell.
class Rows : public testing::Test {
 protected:
  void write(const std::vector<TensorDescription>& tensors, const ModelInfo& info = {}) {
    auto writer = ModelWriter::create(path_);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
    for (const TensorDescription& tensor : tensors) {
      const Status added = add(*writer, tensor);
      ASSERT_TRUE(added.ok()) << added.message();
    }
    ASSERT_TRUE(writer->end_segment().ok());
    const Status finished = writer->finish(info);
    ASSERT_TRUE(finished.ok()) << finished.message();
  }
  void expect_same() {
    const auto library = ModelReader::open(path_);
    ASSERT_TRUE(library.ok()) << library.status().message();
    const MemoryFile file(read_bytes(path_));
    scrooge_reader reader;
    std::vector<scrooge_reader_name> room;
    ASSERT_EQ(open_and_check(file.bytes(), reader, room), SCROOGE_READER_OK) << reader.fault;
    EXPECT_EQ(difference(reader, library->metadata()), "");
    EXPECT_EQ(row_difference(reader, *library), "");
  }

  const test::TempFolder folder_;
  const std::string path_ = folder_ / "m.scrooge";
};

// Every scheme on a shape with ragged groups and bytes shared by rows' ends, with and without input scales.
std::vector<TensorDescription> all_schemes(const TensorLayout& layout, uint64_t rows, uint64_t cols) {
  std::vector<TensorDescription> tensors;
  for (const int bits : {2, 3, 4, 8}) {
    for (const int64_t group : {0, 8, 13, 32, 128, 1 << 20}) {
      for (const int variant : {0, 1, 2, 3, 4, 5, 6, 7}) {
        QuantSpec spec;
        spec.bits = bits;
        spec.group = group;
        spec.symmetric = (variant & 1) != 0;
        spec.scale_dtype = (variant & 2) != 0 ? DType::kBF16 : DType::kF16;
        auto tensor = quantized(concat("t.", bits, ".", group, ".", variant, ".", rows, "x", cols), rows, cols, spec);
        tensor.input_scale = (variant & 4) != 0;
        tensor.folded = tensor.input_scale && group == 32;
        tensor.layout = layout;
        if (layout.id == LayoutId::kInterleaved && bits == 3) tensor.layout.chunk = layout.chunk * 3;
        if (check_layout(tensor.layout, spec, rows).ok()) tensors.push_back(tensor);
      }
    }
  }
  return tensors;
}

TEST_F(Rows, OfEverySchemeAreTheLibrarys) {
  for (const uint64_t cols : {1, 7, 40, 129}) {
    write(all_schemes({}, 3, cols));
    expect_same();
  }
}

TEST_F(Rows, InEveryLayoutAreTheLibrarys) {
  for (const uint16_t rows : {4, 8}) {
    for (const uint16_t chunk : {4, 8, 16}) {
      const TensorLayout layout{LayoutId::kInterleaved, rows, chunk};
      auto tensors = all_schemes(layout, 9, 129);
      for (const uint64_t shape : {1, 4, 7}) {
        const auto more = all_schemes(layout, shape, 33 - shape);
        tensors.insert(tensors.end(), more.begin(), more.end());
      }
      write(tensors);
      expect_same();
    }
  }
}

TEST_F(Rows, InTheWordOrderOfAutoAwqAreTheLibrarys) {
  for (const uint64_t cols : {1, 33, 129}) {
    const auto tensors = all_schemes({LayoutId::kAwq, 0, 0}, 24, cols);
    ASSERT_EQ(tensors.size(), 48u);
    write(tensors);
    expect_same();
  }
}

// The bytes of schema/README.md's layouts, written by hand.
TEST_F(Rows, InLayoutsAreWhatTheirBytesSay) {
  const auto file_of = [&](const TensorDescription& tensor, const std::vector<std::vector<uint8_t>>& planes) {
    auto writer = ModelWriter::create(path_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
    std::vector<PlaneBytes> views;
    for (size_t i = 0; i < planes.size(); ++i) {
      views.push_back({static_cast<PlaneKind>(1 + i), std::as_bytes(std::span(planes[i]))});
    }
    const Status added = writer->add_tensor(tensor, views);
    ASSERT_TRUE(added.ok()) << added.message();
    ASSERT_TRUE(writer->end_segment().ok());
    ASSERT_TRUE(writer->finish({}).ok());
  };
  const auto row_of = [&](uint64_t row, uint64_t cols) {
    const MemoryFile file(read_bytes(path_));
    scrooge_reader reader;
    scrooge_reader_tensor tensor;
    std::vector<float> values(cols);
    EXPECT_EQ(file.open(reader), SCROOGE_READER_OK);
    EXPECT_EQ(scrooge_reader_get_tensor(&reader, 0, &tensor), SCROOGE_READER_OK);
    EXPECT_EQ(scrooge_reader_dequantize_row(&tensor, row, values.data(), cols), SCROOGE_READER_OK);
    return values;
  };
  QuantSpec spec;
  spec.bits = 8;
  spec.group = 0;
  auto tensor = quantized("q", 3, 5, spec);
  tensor.layout = {LayoutId::kInterleaved, 4, 4};
  // Scales 1, 2, 4; zeros 0, 1, 2; the fourth row is padding.
  file_of(tensor, {{0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0,  //
                    0x04, 0,    0,    0,    0x14, 0,    0,    0,    0x24, 0,    0,    0,    0, 0, 0, 0},
                   {0x00, 0x3c, 0x00, 0x40, 0x00, 0x44, 0, 0},
                   {0, 1, 2, 0}});
  EXPECT_EQ(row_of(0, 5), (std::vector<float>{0, 1, 2, 3, 4}));
  EXPECT_EQ(row_of(1, 5), (std::vector<float>{30, 32, 34, 36, 38}));
  EXPECT_EQ(row_of(2, 5), (std::vector<float>{120, 124, 128, 132, 136}));

  spec.bits = 4;
  tensor = quantized("q", 8, 1, spec);
  tensor.layout = {LayoutId::kAwq, 0, 0};
  // The code of row n is n, its scale 1, its zero 7 - n.
  file_of(tensor, {{0x20, 0x64, 0x31, 0x75},
                   {0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c, 0, 0x3c},
                   {0x57, 0x13, 0x46, 0x02}});
  for (int n = 0; n < 8; ++n) EXPECT_EQ(row_of(static_cast<uint64_t>(n), 1)[0], static_cast<float>(2 * n - 7)) << n;
}

TEST_F(Rows, OfDenseTensorsAreTheLibrarys) {
  write({dense("a", 3, 41, DType::kF32), dense("b", 3, 41, DType::kF16), dense("c", 1, 41, DType::kBF16),
         dense("d", 2, 41, DType::kU8, TensorKind::kAuxiliary)});
  expect_same();
}

TEST_F(Rows, OfEveryHalfAreTheLibrarys) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  auto writer = ModelWriter::create(path_);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->begin_segment("extras", SegmentKind::kExtras).ok());
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const PlaneBytes plane{PlaneKind::kData, std::as_bytes(std::span(all))};
    ASSERT_TRUE(writer->add_tensor(dense(std::string(dtype_name(dtype)), 1, all.size(), dtype), {&plane, 1}).ok());
  }
  ASSERT_TRUE(writer->end_segment().ok());
  ASSERT_TRUE(writer->finish({}).ok());
  expect_same();
}

TEST_F(Rows, CodesAndGroupsMakeTheRow) {
  QuantSpec spec;
  spec.bits = 3;
  spec.group = 13;
  write({quantized("q", 2, 40, spec)});
  const MemoryFile file(read_bytes(path_));
  scrooge_reader reader;
  scrooge_reader_tensor tensor;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  ASSERT_EQ(scrooge_reader_get_tensor(&reader, 0, &tensor), SCROOGE_READER_OK);
  uint8_t codes[40];
  float row[40];
  ASSERT_EQ(scrooge_reader_unpack_codes(&tensor, 1, 0, 40, codes), SCROOGE_READER_OK);
  ASSERT_EQ(scrooge_reader_dequantize_row(&tensor, 1, row, 40), SCROOGE_READER_OK);
  for (uint64_t k = 0; k < 40; ++k) {
    float scale = 0, zero = 0;
    uint8_t one = 0xff;
    ASSERT_EQ(scrooge_reader_get_group(&tensor, 1, k / 13, &scale, &zero), SCROOGE_READER_OK);
    ASSERT_EQ(scrooge_reader_unpack_codes(&tensor, 1, k, 1, &one), SCROOGE_READER_OK);
    EXPECT_EQ(one, codes[k]);
    EXPECT_EQ((static_cast<float>(codes[k]) - zero) * scale, row[k]);
  }
}

TEST_F(Rows, OutsideTheTensorAreInvalidArguments) {
  write({quantized("q", 2, 40, {}), dense("d", 1, 4, DType::kF32)});
  const MemoryFile file(read_bytes(path_));
  scrooge_reader reader;
  scrooge_reader_tensor q, d;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  ASSERT_EQ(scrooge_reader_get_tensor(&reader, 0, &q), SCROOGE_READER_OK);
  ASSERT_EQ(scrooge_reader_get_tensor(&reader, 1, &d), SCROOGE_READER_OK);
  float row[40], scale, zero;
  uint8_t codes[40];
  constexpr auto kInvalid = SCROOGE_READER_INVALID_ARGUMENT;
  EXPECT_EQ(scrooge_reader_dequantize_row(&q, 2, row, 40), kInvalid);
  EXPECT_EQ(scrooge_reader_dequantize_row(&q, 0, row, 39), kInvalid);
  EXPECT_EQ(scrooge_reader_dequantize_row(&q, 0, nullptr, 40), kInvalid);
  EXPECT_EQ(scrooge_reader_dequantize_row(nullptr, 0, row, 40), kInvalid);
  EXPECT_EQ(scrooge_reader_unpack_codes(&q, 0, 1, 40, codes), kInvalid);
  EXPECT_EQ(scrooge_reader_unpack_codes(&q, 0, ~uint64_t{0}, 2, codes), kInvalid);
  EXPECT_EQ(scrooge_reader_unpack_codes(&q, 2, 0, 40, codes), kInvalid);
  EXPECT_EQ(scrooge_reader_unpack_codes(&q, 0, 40, 0, nullptr), SCROOGE_READER_OK);
  EXPECT_EQ(scrooge_reader_unpack_codes(&d, 0, 0, 1, codes), kInvalid);
  EXPECT_EQ(scrooge_reader_get_group(&q, 0, 1, &scale, &zero), kInvalid);
  EXPECT_EQ(scrooge_reader_get_group(&d, 0, 0, &scale, &zero), kInvalid);
}

}  // namespace
}  // namespace scrooge::reader_test
