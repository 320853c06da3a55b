// SPDX-License-Identifier: Apache-2.0
// model.scrooge: superblocks and indices that lie, each with its checksums right where they are not the point.
#include <algorithm>

#include "src/container/verify.h"
#include "tests/hostile/hostile_case.h"
#include "tests/hostile/scrooge_damage.h"

namespace scrooge::hostile {
namespace {

using container::ModelMetadata;
using container::PlaneRecord;
using container::SegmentKind;
using container::Superblock;

constexpr std::string_view kFile = "model.scrooge";
constexpr StatusCode kBad = StatusCode::kBadModelFile;
constexpr uint64_t kHuge = ~uint64_t{0};

class Table {
 public:
  void bytes(std::string name, const std::function<void(container::Bytes&)>& change, std::string mention,
             StatusCode code = kBad) {
    container::Bytes file = sample_.file;
    change(file);
    cases_.push_back(file_case(std::move(name), kFile,
                               std::string(reinterpret_cast<const char*>(file.data()), file.size()), code,
                               std::move(mention)));
  }
  // A superblock that says something else, with its own checksum right.
  void superblock(std::string name, const std::function<void(Superblock&)>& change, std::string mention,
                  StatusCode code = kBad) {
    bytes(
        std::move(name),
        [&](container::Bytes& file) {
          Superblock changed = sample_.superblock;
          change(changed);
          const auto block = container::encode_superblock(changed);
          std::copy(block.begin(), block.end(), file.begin());
        },
        std::move(mention), code);
  }
  // An index that says something else, with all checksums right.
  void index(std::string name, const std::function<void(ModelMetadata&)>& change, std::string mention,
             StatusCode code = kBad) {
    bytes(
        std::move(name),
        [&](container::Bytes& file) {
          ModelMetadata changed = sample_.metadata;
          change(changed);
          file = container::with_index(file, sample_.superblock, changed);
        },
        std::move(mention), code);
  }
  // 32-bit words of the index overwritten, with all checksums right.
  void word(std::string name, uint64_t at, uint32_t value, std::string mention = "index") {
    bytes(
        std::move(name),
        [&](container::Bytes& file) {
          std::memcpy(&file[sample_.superblock.meta_offset + at], &value, sizeof value);
          container::reseal(file, sample_.superblock);
        },
        std::move(mention));
  }
  const Sample& sample() const { return sample_; }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  const Sample& sample_ = small_sample();
  std::vector<Case> cases_;
};

void add_files(Table& table) {
  const auto cut = [&](std::string name, size_t size, std::string mention) {
    table.bytes(
        std::move(name), [size](container::Bytes& file) { file.resize(size); }, std::move(mention));
  };
  cut("empty", 0, "magic");
  cut("7 bytes", 7, "magic");
  cut("magic only", 8, "superblock");
  cut("63 bytes", 63, "superblock");
  cut("superblock only", 64, "file_size");
  cut("cut before the index", table.sample().superblock.meta_offset, "file_size");
  cut("cut inside the index", table.sample().superblock.meta_offset + 40, "file_size");
  cut("a byte short", table.sample().file.size() - 1, "file_size");
  cut("a byte long", table.sample().file.size() + 1, "file_size");
  table.bytes(
      "magic as text transfers leave it", [](auto& file) { file.erase(file.begin() + 5); }, "magic");
  table.bytes(
      "another format",
      [](auto& file) {
        const std::string text = "GGUF\3\0\0\0 and more";
        std::transform(text.begin(), text.end(), file.begin(), [](char c) { return static_cast<std::byte>(c); });
      },
      "magic");
  table.bytes(
      "superblock checksum", [](auto& file) { file[60] ^= std::byte{1}; }, "superblock", StatusCode::kChecksumMismatch);
  table.bytes(
      "index checksum", [&](auto& file) { file[table.sample().superblock.meta_offset + 20] ^= std::byte{1}; }, "index",
      StatusCode::kChecksumMismatch);
}

void add_superblocks(Table& table) {
  constexpr StatusCode kVersion = StatusCode::kUnsupportedVersion;
  for (const uint16_t major : {0, 2, 0xffff}) {
    table.superblock(
        concat("major version ", major), [&](Superblock& s) { s.version_major = major; }, "version", kVersion);
  }
  table.superblock(
      "minor version another than the index's", [](Superblock& s) { s.version_minor = 9; }, "version");
  table.superblock(
      "flags", [](Superblock& s) { s.flags = 0x80000000u; }, "flags", kVersion);
  for (const uint32_t size : {0u, 63u, 16385u, ~0u}) {
    table.superblock(
        concat("superblock size ", size), [&](Superblock& s) { s.size = size; }, "size");
  }
  for (const container::Alignment alignment :
       std::initializer_list<container::Alignment>{{0, 0}, {11, 8}, {17, 8}, {63, 8}, {255, 255}, {14, 7}, {14, 15}}) {
    table.superblock(
        concat("alignments ", int{alignment.segment_log2}, " and ", int{alignment.plane_log2}),
        [&](Superblock& s) { s.alignment = alignment; }, "alignment");
  }
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{1}, uint64_t{64}, uint64_t{1} << 32, uint64_t{1} << 63, kHuge, kHuge - 16383}) {
    table.superblock(
        concat("meta_offset ", value), [&](Superblock& s) { s.meta_offset = value; }, "");
    table.superblock(
        concat("file_size ", value), [&](Superblock& s) { s.file_size = value; }, "file_size");
  }
  for (const uint64_t value : {uint64_t{0}, (uint64_t{64} << 20) + 1, uint64_t{1} << 63, kHuge}) {
    table.superblock(
        concat("meta_size ", value), [&](Superblock& s) { s.meta_size = value; }, "meta_size");
  }
}

void add_words(Table& table) {
  table.word("root offset 0", 0, 0);
  table.word("root offset 2^31", 0, 0x80000000u);
  table.word("root offset 2^32-1", 0, ~0u);
  table.word("root offset at the end", 0, static_cast<uint32_t>(table.sample().superblock.meta_size));
  table.word("identifier of another format", 4, 0x334c4654u);
  // Every list of the index in turn claims 2^32-1 entries; whatever the word was, the file is refused.
  table.bytes(
      "index of zeros",
      [&](auto& file) {
        const auto& s = table.sample().superblock;
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(s.meta_offset), s.meta_size, std::byte{0});
        container::reseal(file, s);
      },
      "index");
  table.bytes(
      "index of ones",
      [&](auto& file) {
        const auto& s = table.sample().superblock;
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(s.meta_offset), s.meta_size, std::byte{0xff});
        container::reseal(file, s);
      },
      "index");
}

void add_layouts(Table& table) {
  using container::LayoutId;
  using container::TensorLayout;
  constexpr StatusCode kVersion = StatusCode::kUnsupportedVersion;
  // Told in required_features, so that the layout itself is looked at.
  const auto tensor = [&](std::string name, TensorLayout layout, std::string mention, StatusCode code = kBad) {
    table.index(
        concat("layout of a tensor: ", name),
        [&](ModelMetadata& m) {
          m.info.required_features = container::kFeatureLayouts;
          m.tensors[0].description.layout = layout;
        },
        std::move(mention), code);
  };
  for (const uint16_t id : {3, 255, 65535}) {
    tensor(concat("id ", id), {static_cast<LayoutId>(id), 0, 0}, "layout", kVersion);
    table.index(
        concat("layout of the scheme: id ", id),
        [&](ModelMetadata& m) {
          m.info.required_features = container::kFeatureLayouts;
          m.info.layout.id = static_cast<LayoutId>(id);
        },
        "layout", kVersion);
  }
  for (const uint16_t rows : {0, 1, 3, 5, 16, 65535}) {
    tensor(concat("tiles of ", rows, " rows"), {LayoutId::kInterleaved, rows, 8}, "b0.q");
  }
  for (const uint16_t chunk : {0, 1, 6, 65, 68, 65535}) {
    tensor(concat("chunks of ", chunk, " bytes"), {LayoutId::kInterleaved, 4, chunk}, "b0.q");
  }
  // The planes are canonical: their sizes are wrong for any other layout, and 3 rows are no multiple of 8.
  tensor("interleaved planes of canonical size", {LayoutId::kInterleaved, 4, 8}, "row_bytes");
  tensor("AutoAWQ with 3 rows", {LayoutId::kAwq, 0, 0}, "multiple of 8");
  table.index(
      "layout that required_features does not tell of",
      [](ModelMetadata& m) {
        m.info.layout = {LayoutId::kInterleaved, 4, 8};
      },
      "required_features");
  table.index(
      "layout of the scheme: AutoAWQ with 8 bits",
      [](ModelMetadata& m) {
        m.info.required_features = container::kFeatureLayouts;
        m.info.layout = {LayoutId::kAwq, 0, 0};
        m.info.spec.bits = 8;
      },
      "scheme");
}

PlaneRecord& plane_of(ModelMetadata& m, size_t tensor, size_t plane) { return m.tensors[tensor].planes[plane]; }

void add_tensors(Table& table) {
  const auto spec = [&](std::string name, auto change, std::string mention) {
    table.index(
        std::move(name), [&](ModelMetadata& m) { change(m.tensors[0].description.spec); }, std::move(mention));
  };
  for (const int bits : {1, 5, 7, 8}) {
    spec(
        concat(bits, " bits"), [&](QuantSpec& s) { s.bits = bits; }, "b0.q");
  }
  spec(
      "group 8", [](QuantSpec& s) { s.group = 8; }, "scales");
  spec(
      "symmetric with zeros", [](QuantSpec& s) { s.symmetric = true; }, "b0.q");
  spec(
      "scales of u8", [](QuantSpec& s) { s.scale_dtype = DType::kU8; }, "b0.q");
  spec(
      "scales of f32", [](QuantSpec& s) { s.scale_dtype = DType::kF32; }, "b0.q");
  for (const uint64_t count : {uint64_t{0}, uint64_t{4}, uint64_t{1} << 31, uint64_t{1} << 63, kHuge}) {
    table.index(
        concat(count, " rows"), [&](ModelMetadata& m) { m.tensors[0].description.rows = count; }, "b0.q");
    table.index(
        concat(count, " columns"), [&](ModelMetadata& m) { m.tensors[0].description.cols = count; }, "b0.q");
  }
  table.index(
      "no name", [](ModelMetadata& m) { m.tensors[1].description.name.clear(); }, "name");
  table.index(
      "name twice", [](ModelMetadata& m) { m.tensors[1].description.name = "b0.q"; }, "twice");
  table.index(
      "tensor kind 9", [](ModelMetadata& m) { m.tensors[1].description.kind = static_cast<container::TensorKind>(9); },
      "kind");
  table.index(
      "dtype 9", [](ModelMetadata& m) { m.tensors[1].description.dtype = static_cast<DType>(9); }, "dtype");
}

void add_planes(Table& table) {
  const auto plane = [&](std::string name, auto change, std::string mention) {
    table.index(
        std::move(name), [&](ModelMetadata& m) { change(plane_of(m, 0, 0)); }, std::move(mention));
  };
  table.index(
      "no planes", [](ModelMetadata& m) { m.tensors[1].planes.clear(); }, "planes");
  table.index(
      "a plane too many", [](ModelMetadata& m) { m.tensors[1].planes.push_back(plane_of(m, 1, 0)); }, "planes");
  table.index(
      "planes out of order", [](ModelMetadata& m) { std::swap(plane_of(m, 0, 0), plane_of(m, 0, 1)); }, "codes");
  plane(
      "plane kind 200", [](PlaneRecord& p) { p.kind = static_cast<container::PlaneKind>(200); }, "codes");
  for (const uint64_t size : {uint64_t{0}, uint64_t{59}, uint64_t{61}, uint64_t{1} << 63, kHuge}) {
    plane(
        concat("plane size ", size), [&](PlaneRecord& p) { p.size = size; }, "size");
  }
  plane(
      "row_bytes", [](PlaneRecord& p) { p.row_bytes += 1; }, "row_bytes");
  plane(
      "offset misaligned", [](PlaneRecord& p) { p.offset += 16; }, "alignment");
  plane(
      "offset 0", [](PlaneRecord& p) { p.offset = 0; }, "inside");
  plane(
      "offset in the index", [&](PlaneRecord& p) { p.offset = table.sample().superblock.meta_offset; }, "inside");
  plane(
      "offset 2^63", [](PlaneRecord& p) { p.offset = uint64_t{1} << 63; }, "inside");
  plane(
      "offset wraps", [](PlaneRecord& p) { p.offset = kHuge - 255; }, "inside");
  plane(
      "segment that is not there", [](PlaneRecord& p) { p.segment = ~0u; }, "not there");
  plane(
      "segment of raw bytes", [](PlaneRecord& p) { p.segment = 0; }, "raw segment");
  table.index(
      "planes overlap", [](ModelMetadata& m) { plane_of(m, 0, 1).offset = plane_of(m, 0, 0).offset; }, "overlaps");
  table.index(
      "plane checksum", [](ModelMetadata& m) { plane_of(m, 0, 0).xxh64 ^= 1; }, "b0.q", StatusCode::kChecksumMismatch);
}

void add_segments(Table& table) {
  table.index(
      "segment kind 5", [](ModelMetadata& m) { m.segments[0].kind = static_cast<SegmentKind>(5); }, "config.json");
  table.index(
      "segment name twice", [](ModelMetadata& m) { m.segments[0].name = "block.0"; }, "twice");
  table.index(
      "segment misaligned", [](ModelMetadata& m) { m.segments[0].offset += 256; }, "alignment");
  table.index(
      "segment over the superblock", [](ModelMetadata& m) { m.segments[0].offset = 0; }, "superblock");
  table.index(
      "segments overlap", [](ModelMetadata& m) { m.segments[0].offset = m.segments[1].offset; }, "overlaps");
  table.index(
      "segment without its zero tail", [](ModelMetadata& m) { m.segments[0].size = 16384; }, "zero tail");
  table.index(
      "segment size 2^64-1", [](ModelMetadata& m) { m.segments[0].size = kHuge; }, "inside");
  table.index(
      "segment checksum", [](ModelMetadata& m) { m.segments[0].xxh64 ^= 1; }, "config.json",
      StatusCode::kChecksumMismatch);
}

void add_info(Table& table) {
  table.index(
      "required feature", [](ModelMetadata& m) { m.info.required_features = uint64_t{1} << 63; }, "required_features",
      StatusCode::kUnsupportedVersion);
  table.index(
      "range rule 77", [](ModelMetadata& m) { m.info.spec.range = static_cast<RangeRule>(77); }, "range");
  table.index(
      "text not UTF-8", [](ModelMetadata& m) { m.info.tag = "\xed\xa0\x80"; }, "UTF-8");
  table.index(
      "text of 64 KiB and one", [](ModelMetadata& m) { m.info.tag = std::string(65537, 'a'); }, "65536");
  table.index(
      "source with a path", [](ModelMetadata& m) { m.info.sources[0].name = "../secret"; }, "base name");
  table.index(
      "source digest", [](ModelMetadata& m) { m.info.sources[0].sha256 = "AB"; }, "sha256");
  table.index(
      "attribute twice", [](ModelMetadata& m) { m.info.attributes.push_back(m.info.attributes[0]); }, "twice");
  table.index(
      "blocks out of order", [](ModelMetadata& m) { m.info.blocks.push_back(m.info.blocks[0]); }, "block");
  table.index(
      "clip counts", [](ModelMetadata& m) { m.info.blocks[0].linears[0].clip_histogram.push_back(1); }, "clip counts");
  table.index(
      "scale tensor that is not there",
      [](ModelMetadata& m) { m.info.blocks[0].scale_sets[0].scale_tensor = "absent"; }, "auxiliary");
}

}  // namespace

Format scrooge_format() {
  return {"scrooge", "model.scrooge",
          [](const Place& place) { container::write_bytes(place.path(kFile), small_sample().file); },
          [](const std::string& folder) { return container::verify(folder + "/model.scrooge").status(); },
          [] {
            Table table;
            add_files(table);
            add_superblocks(table);
            add_words(table);
            add_layouts(table);
            add_tensors(table);
            add_planes(table);
            add_segments(table);
            add_info(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
