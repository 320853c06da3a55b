// SPDX-License-Identifier: Apache-2.0
#include "src/base/half.h"
#include "src/tensor/pack_bits.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

float scale_at(const Bytes& plane, size_t index, DType dtype) {
  uint16_t bits = 0;
  std::memcpy(&bits, plane.data() + 2 * index, 2);
  return dtype == DType::kF16 ? fp16_to_float(bits) : bf16_to_float(bits);
}

// Element i of a little-endian bit stream, bit by bit.
int code_at(std::span<const std::byte> row, size_t index, int bits) {
  int code = 0;
  for (int b = 0; b < bits; ++b) {
    const size_t at = index * static_cast<size_t>(bits) + static_cast<size_t>(b);
    code |= (std::to_integer<int>(row[at / 8]) >> (at % 8) & 1) << b;
  }
  return code;
}

std::vector<TensorDescription> every_scheme() {
  std::vector<TensorDescription> out;
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      for (const int64_t group : {0, 16, 24}) {  // per row, even, ragged
        for (const DType dtype : {DType::kF16, DType::kBF16}) {
          QuantSpec spec{bits, group, symmetric, dtype, RangeRule::kMinMax};
          auto tensor = quantized(concat("t.", bits, ".", group, ".", symmetric, ".", dtype_name(dtype)), 5, 67, spec);
          tensor.input_scale = group == 16;
          tensor.folded = bits == 4;
          out.push_back(tensor);
        }
      }
    }
  }
  return out;
}

TEST_F(ModelTest, EverySchemeComesBackExactly) {
  const auto tensors = every_scheme();
  auto writer = ModelWriter::create(path());
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
  for (const auto& tensor : tensors) ASSERT_TRUE(add(*writer, tensor).ok());
  ASSERT_TRUE(writer->end_segment().ok());
  ASSERT_TRUE(writer->finish(ModelInfo()).ok());

  const auto reader = ModelReader::open(path(), OpenLevel::kChecksums);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  ASSERT_EQ(reader->tensors().size(), tensors.size());
  for (const auto& tensor : tensors) {
    SCOPED_TRACE(tensor.name);
    const TensorRecord* record = reader->find(tensor.name);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->description, tensor);
    auto planes = random_planes(tensor);
    for (const auto& [kind, bytes] : planes) {
      const auto stored = reader->plane(*record, kind);
      EXPECT_TRUE(std::equal(stored.begin(), stored.end(), bytes.begin(), bytes.end())) << plane_kind_name(kind);
    }
    const QuantSpec& spec = tensor.spec;
    const auto cols = static_cast<int64_t>(tensor.cols);
    std::vector<float> rows(3 * tensor.cols);
    ASSERT_TRUE(reader->read_rows(*record, 2, 3, rows).ok());
    for (size_t r = 0; r < 3; ++r) {
      const auto row_of = [&](PlaneKind kind, int64_t bytes) {
        return std::span<const std::byte>(planes[kind]).subspan((r + 2) * static_cast<size_t>(bytes));
      };
      for (size_t k = 0; k < tensor.cols; ++k) {
        const size_t group = k / static_cast<size_t>(spec.group_length(cols));
        const int code = code_at(row_of(PlaneKind::kCodes, spec.code_row_bytes(cols)), k, spec.bits);
        const int zero = spec.symmetric
                             ? spec.symmetric_zero()
                             : code_at(row_of(PlaneKind::kZeros, spec.zero_row_bytes(cols)), group, spec.bits);
        const float scale = scale_at(planes[PlaneKind::kScales],
                                     (r + 2) * static_cast<size_t>(spec.groups(cols)) + group, spec.scale_dtype);
        float expected = static_cast<float>(code - zero) * scale;
        if (tensor.input_scale && !tensor.folded) {
          float divisor = 0;
          std::memcpy(&divisor, planes[PlaneKind::kInputScale].data() + 4 * k, 4);
          expected /= divisor;
        }
        ASSERT_EQ(rows[r * tensor.cols + k], expected) << r << " " << k;
      }
    }
  }
}

TEST_F(ModelTest, MetadataAndRawSegmentsComeBack) {
  ASSERT_TRUE(write_sample(path()).ok());
  const auto reader = ModelReader::open(path(), OpenLevel::kChecksums);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(reader->metadata().info, sample_info());
  ASSERT_EQ(reader->metadata().segments.size(), 2u);
  const auto config = reader->blob(SegmentKind::kConfig);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(config->data()), config->size()), "{\"hidden_size\":40}");
  EXPECT_TRUE(reader->blob(SegmentKind::kConfig, "config.json").has_value());
  EXPECT_FALSE(reader->blob(SegmentKind::kConfig, "other").has_value());
  EXPECT_FALSE(reader->blob(SegmentKind::kTokenizer).has_value());
  EXPECT_EQ(reader->find("nothing"), nullptr);
  reader->prefetch(*reader->find("b0.q"));
  reader->drop(*reader->find("b0.q"));
}

TEST_F(ModelTest, DenseRowsAreConverted) {
  auto writer = ModelWriter::create(path());
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->begin_segment("embedding", SegmentKind::kEmbedding).ok());
  const std::vector<float> f32 = {1, -2, 0.5f, 3};
  std::vector<uint16_t> f16, bf16;
  for (const float value : f32) f16.push_back(float_to_fp16(value)), bf16.push_back(float_to_bf16(value));
  const std::vector<uint8_t> u8 = {1, 2, 3, 4};
  const auto put = [&](const char* name, DType dtype, std::span<const std::byte> bytes) {
    const PlaneBytes plane{PlaneKind::kData, bytes};
    return writer->add_tensor(dense(name, 2, 2, dtype), std::span(&plane, 1));
  };
  ASSERT_TRUE(put("f32", DType::kF32, std::as_bytes(std::span(f32))).ok());
  ASSERT_TRUE(put("f16", DType::kF16, std::as_bytes(std::span(f16))).ok());
  ASSERT_TRUE(put("bf16", DType::kBF16, std::as_bytes(std::span(bf16))).ok());
  ASSERT_TRUE(put("u8", DType::kU8, std::as_bytes(std::span(u8))).ok());
  ASSERT_TRUE(writer->end_segment().ok());
  ASSERT_TRUE(writer->finish(ModelInfo()).ok());
  const auto reader = ModelReader::open(path());
  ASSERT_TRUE(reader.ok());
  std::vector<float> rows(4);
  for (const char* name : {"f32", "f16", "bf16"}) {
    ASSERT_TRUE(reader->read_rows(*reader->find(name), 0, 2, rows).ok());
    EXPECT_EQ(rows, f32) << name;
  }
  EXPECT_EQ(reader->read_rows(*reader->find("u8"), 0, 2, rows).code(), StatusCode::kUnsupported);
  const TensorRecord& tensor = *reader->find("f32");
  EXPECT_EQ(reader->read_rows(tensor, 1, 2, rows).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(reader->read_rows(tensor, UINT64_MAX, 2, rows).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(reader->read_rows(tensor, 0, 1, rows).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(reader->read_rows(tensor, 2, 0, {}).ok());
}

TEST_F(ModelTest, EmptyModelIsAModel) {
  auto writer = ModelWriter::create(path());
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->add_blob(SegmentKind::kOther, "empty", {}).ok());
  ASSERT_TRUE(writer->finish(ModelInfo()).ok());
  const auto reader = ModelReader::open(path(), OpenLevel::kChecksums);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  ASSERT_TRUE(reader->blob(SegmentKind::kOther).has_value());
  EXPECT_TRUE(reader->blob(SegmentKind::kOther)->empty());
}

TEST(StreamedDigest, EqualsTheDigestOfTheWhole) {
  const std::string text(1000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  Xxh64 hash;
  for (int round = 0; round < 2; ++round) {
    for (size_t at = 0, piece = 1; at < bytes.size(); at += piece, ++piece) {
      hash.update(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    }
    EXPECT_EQ(hash.finish(), xxh64(bytes));
  }
}

}  // namespace
}  // namespace scrooge::container
