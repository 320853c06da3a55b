// SPDX-License-Identifier: Apache-2.0
// Whole files from one layout into another: nothing is lost, nothing else changes, and every layout is read alike.
#include "src/container/repack.h"

#include "src/container/inspect.h"
#include "src/container/verify.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

// As random_planes(), with the bits behind the last element of each row zero, as the format wants them.
std::map<PlaneKind, Bytes> proper_planes(const TensorDescription& description) {
  auto planes = random_planes(description);
  const QuantSpec& spec = description.spec;
  const auto clear = [&](PlaneKind kind, int64_t elements) {
    const int64_t left = elements * spec.bits % 8;
    Bytes& bytes = planes[kind];
    const size_t row_bytes = bytes.size() / description.rows;
    for (size_t end = row_bytes; left > 0 && end <= bytes.size(); end += row_bytes) {
      bytes[end - 1] &= static_cast<std::byte>((1 << left) - 1);
    }
  };
  if (description.kind != TensorKind::kQuantized) return planes;
  clear(PlaneKind::kCodes, static_cast<int64_t>(description.cols));
  if (!spec.symmetric) clear(PlaneKind::kZeros, spec.groups(static_cast<int64_t>(description.cols)));
  return planes;
}

Status write_model(const std::string& path, const std::vector<TensorDescription>& tensors, ModelInfo info) {
  SCROOGE_ASSIGN_OR_RETURN(ModelWriter writer, ModelWriter::create(path, {12, 8}));
  const std::string config = "{}";
  SCROOGE_RETURN_IF_ERROR(writer.add_blob(SegmentKind::kConfig, "config.json", std::as_bytes(std::span(config))));
  SCROOGE_RETURN_IF_ERROR(writer.begin_segment("block.0", SegmentKind::kBlock));
  for (const TensorDescription& tensor : tensors) {
    const auto planes = proper_planes(tensor);
    std::vector<PlaneBytes> views;
    for (const auto& [kind, bytes] : planes) views.push_back({kind, bytes});
    SCROOGE_RETURN_IF_ERROR(writer.add_tensor(tensor, views));
  }
  SCROOGE_RETURN_IF_ERROR(writer.end_segment());
  const Bytes extension(3000, std::byte{7});
  SCROOGE_RETURN_IF_ERROR(writer.add_blob(SegmentKind::kOther, "vendor", extension));
  return writer.finish(info);
}

std::vector<TensorDescription> tensors_of(std::initializer_list<int> all_bits,
                                          std::initializer_list<std::pair<uint64_t, uint64_t>> shapes) {
  std::vector<TensorDescription> out = {dense("norm", 1, 40, DType::kF32),
                                        dense("b0.scale", 1, 40, DType::kF32, TensorKind::kAuxiliary)};
  for (const int bits : all_bits) {
    for (const bool symmetric : {false, true}) {
      for (const int64_t group : {0, 16, 24}) {  // per row, even, ragged
        for (const auto& [rows, cols] : shapes) {
          const DType dtype = symmetric == (rows % 2 == 0) ? DType::kF16 : DType::kBF16;
          const QuantSpec spec{bits, group, symmetric, dtype, RangeRule::kMinMax};
          auto tensor =
              quantized(concat("t.", bits, ".", group, ".", symmetric, ".", rows, "x", cols), rows, cols, spec);
          tensor.input_scale = group == 16;
          tensor.folded = symmetric;
          out.push_back(tensor);
        }
      }
    }
  }
  return out;
}

class RepackTest : public ModelTest {
 protected:
  // `from` in each layout, from every other one: the same bytes by every way, the same rows, and the way back.
  void check_all(const std::vector<std::string>& names) {
    const Bytes original = read_bytes(path("canonical"));
    const auto expected = rows_of("canonical");
    for (const std::string& to : names) {
      for (const std::string& from : names) {
        SCOPED_TRACE(concat(from, " to ", to));
        if (!std::filesystem::exists(path(from))) continue;
        const auto done = repack(path(from), path("out"), to);
        ASSERT_TRUE(done.ok()) << done.status().message();
        EXPECT_EQ(done->bytes, std::filesystem::file_size(path("out")));
        if (!std::filesystem::exists(path(to))) std::filesystem::copy_file(path("out"), path(to));
        EXPECT_EQ(read_bytes(path("out")), read_bytes(path(to)));
        const auto verified = verify(path("out"));
        ASSERT_TRUE(verified.ok()) << verified.status().message();
        EXPECT_EQ(rows_of("out"), expected);
      }
    }
    const auto back = repack(path(names.back()), path("back"), "canonical");
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(read_bytes(path("back")), original);
  }

  // Of all tensors, in pieces that begin and end anywhere.
  std::vector<std::vector<float>> rows_of(const std::string& name) {
    std::vector<std::vector<float>> out;
    const auto reader = ModelReader::open(path(name));
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    for (const TensorRecord& tensor : reader->tensors()) {
      const uint64_t rows = tensor.description.rows, cols = tensor.description.cols;
      std::vector<float> all(rows * cols);
      for (const uint64_t first : {uint64_t{0}, rows / 3}) {
        const uint64_t count = first == 0 ? rows : rows / 2;
        const auto part = std::span(all).subspan(first * cols, count * cols);
        const Status status = reader->read_rows(tensor, first, count, part);
        EXPECT_TRUE(status.ok()) << status.message();
      }
      out.push_back(std::move(all));
    }
    return out;
  }
};

TEST_F(RepackTest, EverySchemeGoesThroughEveryLayoutAndBack) {
  const auto tensors = tensors_of({2, 3, 4, 8}, {{5, 67}, {8, 40}, {1, 9}, {19, 128}});
  ASSERT_TRUE(write_model(path("canonical"), tensors, sample_info()).ok());
  check_all({"canonical", "interleaved4", "interleaved8"});
}

TEST_F(RepackTest, FourBitsGoThroughTheAutoAwqLayoutToo) {
  const auto tensors = tensors_of({4}, {{8, 67}, {40, 40}, {16, 9}, {24, 300}});
  ASSERT_TRUE(write_model(path("canonical"), tensors, sample_info()).ok());
  check_all({"canonical", "interleaved4", "interleaved8", "awq"});
}

// Larger than a region, so that the pieces have to fit.
TEST_F(RepackTest, LargeTensorsGoPieceByPiece) {
  QuantSpec spec;
  spec.group = 64;
  ASSERT_TRUE(write_model(path("canonical"), {quantized("w", 2104, 4100, spec)}, ModelInfo()).ok());
  check_all({"canonical", "awq", "interleaved8"});
}

TEST_F(RepackTest, FilesTellOldReadersOfTheirLayout) {
  ASSERT_TRUE(write_model(path("canonical"), tensors_of({4}, {{8, 40}}), sample_info()).ok());
  ASSERT_TRUE(repack(path("canonical"), path("awq"), "awq").ok());
  const auto plain = ModelReader::open(path("canonical"));
  const auto awq = ModelReader::open(path("awq"));
  ASSERT_TRUE(plain.ok() && awq.ok());
  EXPECT_EQ(plain->metadata().version_minor, 0);
  EXPECT_EQ(plain->metadata().info.required_features, 0u);
  EXPECT_EQ(awq->metadata().version_minor, 1);
  EXPECT_EQ(awq->metadata().info.required_features, kFeatureLayouts);
  EXPECT_EQ(layout_name(awq->metadata().info.layout), "awq");
  const TensorRecord& symmetric = awq->tensors().back();
  EXPECT_TRUE(symmetric.description.spec.symmetric);
  EXPECT_EQ(layout_name(symmetric.description.layout), "awq");
  EXPECT_NE(symmetric.plane(PlaneKind::kZeros), nullptr);  // AutoAWQ wants them
  EXPECT_EQ(*awq->read_blob(SegmentKind::kConfig), "{}");
  EXPECT_NE(inspect_json(*awq).find("\"layout\":\"awq\""), std::string::npos);
  EXPECT_NE(inspect_text(*awq).find(", layout awq"), std::string::npos);
}

// No struct can say so, hence every 1 of the index in turn.
TEST_F(RepackTest, AnotherVersionOfALayoutIsRefused) {
  ASSERT_TRUE(write_sample(path("canonical")).ok());
  const Superblock superblock = ModelReader::open(path("canonical"))->superblock();
  const Bytes original = read_bytes(path("canonical"));
  int refused = 0;
  for (uint64_t at = 0; at < superblock.meta_size; ++at) {
    Bytes file = original;
    std::byte& byte = file[superblock.meta_offset + at];
    if (byte != std::byte{1}) continue;
    byte = std::byte{2};
    reseal(file, superblock);
    write_bytes(path("changed"), file);
    const Status status = ModelReader::open(path("changed")).status();
    const bool names_it = status.message().find("its layout is unknown") != std::string_view::npos;
    refused += status.code() == StatusCode::kUnsupportedVersion && names_it ? 1 : 0;
  }
  EXPECT_EQ(refused, 2);  // of the model's scheme, and of the tensor's
}

TEST_F(RepackTest, RefusesWhatALayoutCannotHoldAndNamesTheTensor) {
  const auto refused = [&](std::vector<TensorDescription> tensors, const std::string& layout, StatusCode code,
                           const std::string& mention) {
    ASSERT_TRUE(write_model(path("canonical"), tensors, ModelInfo()).ok());
    const auto done = repack(path("canonical"), path("out"), layout);
    EXPECT_EQ(done.status().code(), code) << done.status().message();
    EXPECT_NE(done.status().message().find(mention), std::string::npos) << done.status().message();
    EXPECT_EQ(files_in_folder(), 1u);
  };
  QuantSpec eight;
  eight.bits = 8;
  refused({quantized("odd", 12, 64, {})}, "awq", StatusCode::kInvalidArgument, "tensor \"odd\"");
  refused({quantized("wide", 8, 64, eight)}, "awq", StatusCode::kInvalidArgument, "tensor \"wide\"");
  refused({quantized("w", 8, 64, {})}, "marlin", StatusCode::kInvalidArgument, "interleaved8");
}

TEST_F(RepackTest, RefusesToWriteOverItsInputOrWithoutAPlace) {
  ASSERT_TRUE(write_model(path("canonical"), tensors_of({4}, {{8, 40}}), sample_info()).ok());
  const Bytes before = read_bytes(path("canonical"));
  std::filesystem::create_hard_link(path("canonical"), path("link"));
  EXPECT_EQ(repack(path("canonical"), path("canonical"), "awq").status().code(), StatusCode::kInputIsOutput);
  EXPECT_EQ(repack(path("canonical"), path("link"), "awq").status().code(), StatusCode::kInputIsOutput);
  EXPECT_EQ(repack(path("canonical"), path("no/out"), "awq").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(repack(path("none"), path("out"), "awq").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_bytes(path("canonical")), before);
}

TEST_F(RepackTest, CancellingOrDamageLeavesAnOlderOutputAsItWas) {
  ASSERT_TRUE(write_model(path("canonical"), tensors_of({4}, {{8, 40}}), sample_info()).ok());
  write_bytes(path("out"), Bytes(3, std::byte{1}));
  for (const double limit : {0.0, 0.5, 0.55}) {
    const auto done = repack(path("canonical"), path("out"), "interleaved4", [&](uint64_t now, uint64_t total) {
      return static_cast<double>(now) <= limit * static_cast<double>(total);
    });
    EXPECT_EQ(done.status().code(), StatusCode::kCancelled) << limit;
  }
  Bytes damaged = read_bytes(path("canonical"));
  const auto reader = ModelReader::open(path("canonical"));
  damaged[reader->tensors().back().planes.front().offset] ^= std::byte{1};
  write_bytes(path("canonical"), damaged);
  EXPECT_EQ(repack(path("canonical"), path("out"), "awq").status().code(), StatusCode::kChecksumMismatch);
  EXPECT_EQ(read_bytes(path("out")), Bytes(3, std::byte{1}));
  EXPECT_EQ(files_in_folder(), 2u);
}

TEST_F(RepackTest, ZerosThatContradictTheSchemeAreNotLost) {
  QuantSpec spec;
  spec.symmetric = true;
  auto tensor = quantized("w", 8, 64, spec);
  tensor.layout = *find_layout("awq", spec);
  ASSERT_TRUE(write_model(path("awq"), {}, ModelInfo()).ok());
  auto writer = ModelWriter::create(path("awq"));
  ASSERT_TRUE(writer.ok() && writer->begin_segment("block.0", SegmentKind::kBlock).ok());
  auto planes = random_planes(tensor);  // zeros are anything
  std::vector<PlaneBytes> views;
  for (const auto& [kind, bytes] : planes) views.push_back({kind, bytes});
  ASSERT_TRUE(writer->add_tensor(tensor, views).ok() && writer->end_segment().ok() && writer->finish({}).ok());
  const auto done = repack(path("awq"), path("out"), "canonical");
  EXPECT_EQ(done.status().code(), StatusCode::kBadModelFile);
  EXPECT_NE(done.status().message().find("\"w\""), std::string::npos) << done.status().message();
}

TEST_F(RepackTest, CalibrationResultsAndNewerFilesAreLeftAlone) {
  ModelInfo info = sample_info();
  info.required_features = kFeatureCalibration;
  ASSERT_TRUE(write_model(path("calibration"), tensors_of({}, {}), info).ok());
  EXPECT_EQ(repack(path("calibration"), path("out"), "awq").status().code(), StatusCode::kBadModelFile);

  ASSERT_TRUE(write_sample(path("canonical")).ok());
  const auto reader = ModelReader::open(path("canonical"));
  ModelMetadata metadata = reader->metadata();
  Superblock superblock = reader->superblock();
  metadata.version_minor = superblock.version_minor = kFormatMinor + 1;
  write_bytes(path("newer"), with_index(read_bytes(path("canonical")), superblock, metadata));
  ASSERT_TRUE(ModelReader::open(path("newer")).ok());
  EXPECT_EQ(repack(path("newer"), path("out"), "awq").status().code(), StatusCode::kUnsupportedVersion);
}

}  // namespace
}  // namespace scrooge::container
