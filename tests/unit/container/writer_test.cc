// SPDX-License-Identifier: Apache-2.0
#include "src/container/layout_plan.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

TEST_F(ModelTest, SameInputGivesSameBytes) {
  ASSERT_TRUE(write_sample(path("a.scrooge")).ok());
  ASSERT_TRUE(write_sample(path("b.scrooge")).ok());
  EXPECT_EQ(read_bytes(path("a.scrooge")), read_bytes(path("b.scrooge")));
}

TEST_F(ModelTest, StreamedPlanesGiveTheSameFile) {
  ASSERT_TRUE(write_sample(path("whole.scrooge")).ok());
  auto writer = ModelWriter::create(path("pieces.scrooge"));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->reserve(1 << 20).ok());  // more than needed: given back
  const std::string config = "{\"hidden_size\":40}";
  ASSERT_TRUE(writer->add_blob(SegmentKind::kConfig, "config.json", std::as_bytes(std::span(config))).ok());
  ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
  for (const auto& tensor : sample_tensors()) {
    ASSERT_TRUE(writer->begin_tensor(tensor).ok());
    for (const auto& [kind, bytes] : random_planes(tensor)) {
      ASSERT_TRUE(writer->begin_plane(kind).ok());
      for (size_t at = 0; at < bytes.size(); at += 7) {
        const auto rest = std::span<const std::byte>(bytes).subspan(at);
        ASSERT_TRUE(writer->append(rest.first(std::min<size_t>(7, rest.size()))).ok());
      }
      ASSERT_TRUE(writer->end_plane().ok());
    }
    ASSERT_TRUE(writer->end_tensor().ok());
  }
  ASSERT_TRUE(writer->end_segment().ok());
  ASSERT_TRUE(writer->finish(sample_info()).ok());
  EXPECT_EQ(read_bytes(path("whole.scrooge")), read_bytes(path("pieces.scrooge")));
}

TEST_F(ModelTest, EverythingIsAlignedAndSegmentsEndInZeros) {
  for (const Alignment alignment : {Alignment{12, 8}, Alignment{14, 8}, Alignment{16, 12}}) {
    auto writer = ModelWriter::create(path(), alignment);
    ASSERT_TRUE(writer.ok());
    // A segment that fills its pages exactly still gets its zero tail.
    const std::vector<std::byte> full(alignment.segment(), std::byte{0xff});
    ASSERT_TRUE(writer->add_blob(SegmentKind::kTokenizer, "tokenizer.json", full).ok());
    for (const char* name : {"block.0", "block.1"}) {
      ASSERT_TRUE(writer->begin_segment(name, SegmentKind::kBlock).ok());
      ASSERT_TRUE(add(*writer, quantized(concat(name, ".w"), 7, 100, QuantSpec())).ok());
      ASSERT_TRUE(writer->end_segment().ok());
    }
    ASSERT_TRUE(writer->finish(ModelInfo()).ok());
    const auto reader = ModelReader::open(path(), OpenLevel::kChecksums);
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    EXPECT_EQ(reader->superblock().alignment, alignment);
    EXPECT_EQ(reader->superblock().meta_offset % alignment.segment(), 0u);
    EXPECT_EQ(reader->file().size() % alignment.segment(), 0u);
    for (const SegmentRecord& segment : reader->metadata().segments) {
      EXPECT_EQ(segment.offset % alignment.segment(), 0u);
      for (uint64_t i = 0; i < kSegmentTailBytes; ++i) {
        ASSERT_EQ(reader->file().bytes()[segment.offset + segment.size + i], std::byte{0});
      }
    }
    for (const TensorRecord& tensor : reader->tensors()) {
      for (const PlaneRecord& plane : tensor.planes) EXPECT_EQ(plane.offset % alignment.plane(), 0u);
    }
  }
  EXPECT_EQ(ModelWriter::create(path(), {11, 8}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ModelWriter::create(path(), {14, 15}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelTest, PlanIsExact) {
  ASSERT_TRUE(write_sample(path()).ok());
  const std::vector<SegmentPlan> segments = {{"config.json", SegmentKind::kConfig, {}, 18},
                                             {"block.0", SegmentKind::kBlock, sample_tensors(), 0}};
  ModelInfo info = sample_info();
  info.seed = 0;  // numbers do not matter
  info.blocks[0].linears[0].loss = 0;
  const auto plan = plan_layout(segments, info);
  ASSERT_TRUE(plan.ok());
  const auto reader = ModelReader::open(path());
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(plan->file_size, reader->superblock().file_size);
  EXPECT_EQ(plan->meta_offset, reader->superblock().meta_offset);
  EXPECT_EQ(plan->meta_size, reader->superblock().meta_size);
  ASSERT_EQ(plan->metadata.segments.size(), reader->metadata().segments.size());
  for (size_t i = 0; i < plan->metadata.segments.size(); ++i) {
    EXPECT_EQ(plan->metadata.segments[i].offset, reader->metadata().segments[i].offset);
    EXPECT_EQ(plan->metadata.segments[i].size, reader->metadata().segments[i].size);
  }
  for (size_t i = 0; i < plan->metadata.tensors.size(); ++i) {
    for (size_t p = 0; p < plan->metadata.tensors[i].planes.size(); ++p) {
      EXPECT_EQ(plan->metadata.tensors[i].planes[p].offset, reader->tensors()[i].planes[p].offset);
    }
  }
  const std::vector<SegmentPlan> endless = {
      {"a",
       SegmentKind::kBlock,
       {dense("a", uint64_t{1} << 62, 1, DType::kU8), dense("b", uint64_t{1} << 62, 1, DType::kU8)},
       0}};
  EXPECT_EQ(planned_size(endless, info).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelTest, AbandonedOrFailedWriterLeavesTheOldFile) {
  write_bytes(path(), std::as_bytes(std::span("old", 3)));
  const Bytes old = read_bytes(path());
  {
    auto writer = ModelWriter::create(path());
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
    ASSERT_TRUE(add(*writer, sample_tensors()[0]).ok());
  }
  EXPECT_EQ(read_bytes(path()), old);
  {
    ModelInfo info = sample_info();
    info.sources[0].name = "/home/me/model.safetensors";  // would make the bytes depend on the place
    EXPECT_EQ(write_sample(path(), info).code(), StatusCode::kInvalidArgument);
    info = sample_info();
    info.blocks[0].scale_sets[0].scale_tensor = "b0.norm";  // not auxiliary
    EXPECT_EQ(write_sample(path(), info).code(), StatusCode::kInvalidArgument);
    info = sample_info();
    info.tag = "\xff";
    EXPECT_EQ(write_sample(path(), info).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(read_bytes(path()), old);
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(ModelTest, CallsOutOfTurnAndWrongSizesStick) {
  const auto fails = [&](auto use) {
    auto writer = ModelWriter::create(path());
    ASSERT_TRUE(writer.ok());
    const Status status = use(*writer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(writer->finish(sample_info()).message(), status.message());
    EXPECT_FALSE(std::filesystem::exists(path()));
  };
  const TensorDescription norm = dense("norm", 1, 8, DType::kF16);
  const Bytes bytes(17);
  const auto start = [&](ModelWriter& w) {
    return w.begin_segment("s", SegmentKind::kBlock).ok() && w.begin_tensor(norm).ok();
  };
  fails([&](ModelWriter& w) { return w.begin_tensor(norm); });
  fails([&](ModelWriter& w) { return w.append(bytes); });
  fails([&](ModelWriter& w) { return w.begin_segment("s", SegmentKind::kConfig); });
  fails([&](ModelWriter& w) { return w.add_blob(SegmentKind::kBlock, "s", bytes); });
  fails([&](ModelWriter& w) { return start(w), w.end_tensor(); });
  fails([&](ModelWriter& w) { return start(w), w.begin_plane(PlaneKind::kCodes); });
  fails([&](ModelWriter& w) { return start(w), (void)w.begin_plane(PlaneKind::kData), w.end_plane(); });
  fails([&](ModelWriter& w) { return start(w), (void)w.begin_plane(PlaneKind::kData), w.append(bytes); });
  fails([&](ModelWriter& w) {
    (void)w.begin_segment("s", SegmentKind::kBlock);
    (void)add(w, norm);
    return w.begin_tensor(norm);  // the same name
  });
  fails([&](ModelWriter& w) {
    (void)w.add_blob(SegmentKind::kOther, "s", bytes);
    return w.add_blob(SegmentKind::kConfig, "s", bytes);
  });
  for (const auto& bad : {dense("", 1, 1, DType::kF16), dense("x", 0, 1, DType::kF16), dense("x", 1, 0, DType::kF16),
                          dense("x", UINT64_MAX, 4, DType::kF32), dense("x", 1, uint64_t{1} << 50, DType::kU8),
                          dense("x", 1, 1, static_cast<DType>(9)), quantized("x", 1, 8, {5, 8, false, DType::kF16, {}}),
                          quantized("x", 1, 8, {4, 8, false, DType::kF32, {}}), dense("\xc3", 1, 1, DType::kF16),
                          dense("x", 300, (uint64_t{1} << 27) + 1, DType::kU8)}) {
    fails([&](ModelWriter& w) { return (void)w.begin_segment("s", SegmentKind::kBlock), w.begin_tensor(bad); });
  }
}

TEST(PlaneGeometry, LargePlanesDivideOnAlignedRows) {
  EXPECT_EQ(rows_per_piece(256, 256), 1u);
  EXPECT_EQ(rows_per_piece(448, 256), 4u);
  EXPECT_EQ(rows_per_piece(33, 256), 256u);
  EXPECT_TRUE(plane_geometry(dense("embedding", 151936, 896, DType::kF16)).ok());
}

}  // namespace
}  // namespace scrooge::container
