// SPDX-License-Identifier: Apache-2.0
// Well-formed indices that lie: each is refused by name.
#include <functional>

#include "src/container/text_check.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

struct Lie {
  const char* what;
  StatusCode code;
  const char* message_has;
  std::function<void(ModelMetadata&)> change;
};

PlaneRecord& plane_of(ModelMetadata& m, size_t tensor, size_t plane) { return m.tensors[tensor].planes[plane]; }

const Lie kLies[] = {
    {"version", StatusCode::kBadModelFile, "version", [](ModelMetadata& m) { m.version_minor = 9; }},
    {"feature", StatusCode::kUnsupportedVersion, "required_features",
     [](ModelMetadata& m) { m.info.required_features = uint64_t{1} << 40; }},
    {"bits", StatusCode::kBadModelFile, "b0.q", [](ModelMetadata& m) { m.tensors[0].description.spec.bits = 8; }},
    {"odd bits", StatusCode::kBadModelFile, "b0.q", [](ModelMetadata& m) { m.tensors[0].description.spec.bits = 7; }},
    {"group", StatusCode::kBadModelFile, "scales", [](ModelMetadata& m) { m.tensors[0].description.spec.group = 8; }},
    {"symmetric", StatusCode::kBadModelFile, "b0.q",
     [](ModelMetadata& m) { m.tensors[0].description.spec.symmetric = true; }},
    {"scale dtype", StatusCode::kBadModelFile, "b0.q",
     [](ModelMetadata& m) { m.tensors[0].description.spec.scale_dtype = DType::kU8; }},
    {"range", StatusCode::kBadModelFile, "range",
     [](ModelMetadata& m) { m.info.spec.range = static_cast<RangeRule>(77); }},
    {"rows", StatusCode::kBadModelFile, "b0.q", [](ModelMetadata& m) { m.tensors[0].description.rows = 4; }},
    {"no rows", StatusCode::kBadModelFile, "b0.q", [](ModelMetadata& m) { m.tensors[0].description.rows = 0; }},
    {"huge rows", StatusCode::kBadModelFile, "b0.q",
     [](ModelMetadata& m) { m.tensors[0].description.rows = uint64_t{1} << 63; }},
    {"huge cols", StatusCode::kBadModelFile, "b0.q",
     [](ModelMetadata& m) { m.tensors[0].description.cols = UINT64_MAX; }},
    {"tensor kind", StatusCode::kBadModelFile, "kind",
     [](ModelMetadata& m) { m.tensors[1].description.kind = static_cast<TensorKind>(9); }},
    {"dtype", StatusCode::kBadModelFile, "dtype",
     [](ModelMetadata& m) { m.tensors[1].description.dtype = static_cast<DType>(9); }},
    {"same name", StatusCode::kBadModelFile, "twice", [](ModelMetadata& m) { m.tensors[1].description.name = "b0.q"; }},
    {"no name", StatusCode::kBadModelFile, "name", [](ModelMetadata& m) { m.tensors[1].description.name.clear(); }},
    {"no plane", StatusCode::kBadModelFile, "planes", [](ModelMetadata& m) { m.tensors[1].planes.clear(); }},
    {"plane kind", StatusCode::kBadModelFile, "codes",
     [](ModelMetadata& m) { plane_of(m, 0, 0).kind = static_cast<PlaneKind>(200); }},
    {"plane order", StatusCode::kBadModelFile, "codes",
     [](ModelMetadata& m) { std::swap(plane_of(m, 0, 0), plane_of(m, 0, 1)); }},
    {"plane size", StatusCode::kBadModelFile, "size", [](ModelMetadata& m) { plane_of(m, 0, 0).size -= 1; }},
    {"row bytes", StatusCode::kBadModelFile, "row_bytes", [](ModelMetadata& m) { plane_of(m, 0, 0).row_bytes += 1; }},
    {"misaligned", StatusCode::kBadModelFile, "alignment", [](ModelMetadata& m) { plane_of(m, 0, 0).offset += 16; }},
    {"before segment", StatusCode::kBadModelFile, "inside", [](ModelMetadata& m) { plane_of(m, 0, 0).offset = 0; }},
    {"beyond segment", StatusCode::kBadModelFile, "inside", [](ModelMetadata& m) { plane_of(m, 2, 0).offset += 256; }},
    {"wrapping offset", StatusCode::kBadModelFile, "inside",
     [](ModelMetadata& m) { plane_of(m, 0, 0).offset = UINT64_MAX - 255; }},
    {"overlap", StatusCode::kBadModelFile, "overlaps",
     [](ModelMetadata& m) { plane_of(m, 0, 1).offset = plane_of(m, 0, 0).offset; }},
    {"plane in raw segment", StatusCode::kBadModelFile, "raw segment",
     [](ModelMetadata& m) { plane_of(m, 0, 0).segment = 0; }},
    {"segment index", StatusCode::kBadModelFile, "not there",
     [](ModelMetadata& m) { plane_of(m, 0, 0).segment = 0xffffffffu; }},
    {"segment kind", StatusCode::kBadModelFile, "config.json",
     [](ModelMetadata& m) { m.segments[0].kind = static_cast<SegmentKind>(5); }},
    {"segment name", StatusCode::kBadModelFile, "twice", [](ModelMetadata& m) { m.segments[0].name = "block.0"; }},
    {"segment offset", StatusCode::kBadModelFile, "alignment", [](ModelMetadata& m) { m.segments[0].offset += 256; }},
    {"segment overlap", StatusCode::kBadModelFile, "overlaps",
     [](ModelMetadata& m) { m.segments[0].offset = m.segments[1].offset; }},
    {"segment over superblock", StatusCode::kBadModelFile, "superblock",
     [](ModelMetadata& m) { m.segments[0].offset = 0; }},
    {"segment without tail", StatusCode::kBadModelFile, "close", [](ModelMetadata& m) { m.segments[0].size = 16384; }},
    {"segment size", StatusCode::kBadModelFile, "inside", [](ModelMetadata& m) { m.segments[0].size = UINT64_MAX; }},
    {"source path", StatusCode::kBadModelFile, "base name",
     [](ModelMetadata& m) { m.info.sources[0].name = "../secret"; }},
    {"source digest", StatusCode::kBadModelFile, "sha256", [](ModelMetadata& m) { m.info.sources[0].sha256 = "AB"; }},
    {"attribute twice", StatusCode::kBadModelFile, "twice",
     [](ModelMetadata& m) {
       m.info.attributes.push_back({"clip", "false"});
     }},
    {"not UTF-8", StatusCode::kBadModelFile, "UTF-8", [](ModelMetadata& m) { m.info.tag = "\xed\xa0\x80"; }},
    {"long text", StatusCode::kBadModelFile, "65536", [](ModelMetadata& m) { m.info.tag = std::string(65537, 'a'); }},
    {"block order", StatusCode::kBadModelFile, "block",
     [](ModelMetadata& m) { m.info.blocks.push_back(m.info.blocks[0]); }},
    {"clip counts", StatusCode::kBadModelFile, "clip counts",
     [](ModelMetadata& m) { m.info.blocks[0].linears[0].clip_histogram.push_back(1); }},
    {"rounding", StatusCode::kBadModelFile, "linear rounding",
     [](ModelMetadata& m) { m.info.blocks[0].linears[0].rounding = "\xff"; }},
    {"scale tensor", StatusCode::kBadModelFile, "auxiliary",
     [](ModelMetadata& m) { m.info.blocks[0].scale_sets[0].scale_tensor = "absent"; }},
};

class Semantics : public ModelTest {
 protected:
  void SetUp() override {
    ModelTest::SetUp();
    ASSERT_TRUE(write_sample(path()).ok());
    file_ = read_bytes(path());
    const auto reader = ModelReader::open(path());
    ASSERT_TRUE(reader.ok());
    superblock_ = reader->superblock();
    metadata_ = reader->metadata();
  }

  Bytes file_;
  Superblock superblock_;
  ModelMetadata metadata_;
};

TEST_F(Semantics, EveryLieIsRefusedByName) {
  for (const Lie& lie : kLies) {
    SCOPED_TRACE(lie.what);
    ModelMetadata changed = metadata_;
    lie.change(changed);
    write_bytes(path(), with_index(file_, superblock_, changed));
    const Status status = ModelReader::open(path()).status();
    EXPECT_EQ(status.code(), lie.code) << status.message();
    EXPECT_NE(status.message().find(lie.message_has), std::string_view::npos) << status.message();
    EXPECT_NE(status.message().find("model.scrooge"), std::string_view::npos) << status.message();
  }
}

TEST_F(Semantics, OtherMajorVersionIsRefusedAndNewerMinorIsRead) {
  Superblock changed = superblock_;
  changed.version_major = 2;
  Bytes bytes = file_;
  reseal(bytes, changed);
  write_bytes(path(), bytes);
  EXPECT_EQ(ModelReader::open(path(), OpenLevel::kBounds).status().code(), StatusCode::kUnsupportedVersion);

  changed = superblock_;
  changed.version_minor = 3;
  ModelMetadata newer = metadata_;
  newer.version_minor = 3;
  newer.info.optional_features = UINT64_MAX;  // may be ignored
  write_bytes(path(), with_index(file_, changed, newer));
  EXPECT_TRUE(ModelReader::open(path(), OpenLevel::kChecksums).ok());
}

TEST_F(Semantics, BoundsLevelDoesNotTouchTheIndex) {
  Bytes bytes = file_;
  bytes[superblock_.meta_offset] ^= std::byte{1};
  write_bytes(path(), bytes);
  EXPECT_TRUE(ModelReader::open(path(), OpenLevel::kBounds).ok());
  EXPECT_EQ(ModelReader::open(path()).status().code(), StatusCode::kChecksumMismatch);
}

// A list whose entries all lead to one large table passes the verifier, but must not be copied out a thousand times.
TEST_F(Semantics, SharedTablesDoNotUnfold) {
  ModelMetadata many = metadata_;
  many.info.attributes.clear();
  for (int i = 0; i < 1000; ++i) many.info.attributes.push_back({concat(i), i == 0 ? std::string(60000, 'v') : ""});
  Bytes bytes = with_index(file_, superblock_, many);
  Superblock changed = *decode_superblock(bytes, bytes.size(), path());
  // Find the list of 1000 offsets and let all of them lead to the first table.
  const auto index = std::span(bytes).subspan(changed.meta_offset, changed.meta_size);
  const uint32_t count = 1000;
  size_t found = 0;
  for (size_t at = 0; at + 4 + 4 * count <= index.size(); at += 4) {
    if (std::memcmp(&index[at], &count, 4) == 0) found = at;
  }
  ASSERT_NE(found, 0u);
  uint32_t first = 0;
  std::memcpy(&first, &index[found + 4], 4);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t offset = first - 4 * i;
    std::memcpy(&index[found + 4 + 4 * i], &offset, 4);
  }
  reseal(bytes, changed);
  write_bytes(path(), bytes);
  const Status status = ModelReader::open(path()).status();
  EXPECT_EQ(status.code(), StatusCode::kBadModelFile);
  EXPECT_NE(status.message().find("shared"), std::string_view::npos) << status.message();
}

TEST(StorableText, IsWellFormedUtf8WithoutNul) {
  for (const char* good : {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_storable_text(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5", "a\xff"}) {
    EXPECT_FALSE(is_storable_text(bad)) << bad;
  }
  EXPECT_FALSE(is_storable_text(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace scrooge::container
