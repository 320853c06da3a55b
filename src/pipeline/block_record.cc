// SPDX-License-Identifier: Apache-2.0
// u64 index bytes, the index (metadata_codec.h), then figures and scales as counted lists of u64 and f64; scales are
// f32. Where calibration results are saved, u64 index bytes and the index of their segment follow. A count is checked
// against the bytes that are left before anything is allocated for it.
#include "src/pipeline/block_record.h"

#include <cstring>

#include "src/container/metadata_codec.h"

namespace scrooge::pipeline {
namespace {

class Sink {
 public:
  template <typename T>
  void put(T value) {
    append(std::as_bytes(std::span(&value, 1)));
  }
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// The first read past the end sticks; later ones give zeros.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <typename T>
  T get() {
    T value{};
    if (bytes_.size() < sizeof value) {
      fail();
    } else {
      std::memcpy(&value, take(sizeof value).data(), sizeof value);
    }
    return value;
  }
  // A count of items of at least `item_bytes` each.
  size_t count(size_t item_bytes) {
    const auto value = get<uint64_t>();
    if (value <= bytes_.size() / item_bytes) return static_cast<size_t>(value);
    fail();
    return 0;
  }
  std::span<const std::byte> take(size_t size) {
    const auto result = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return result;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  void fail() {
    failed_ = true;
    bytes_ = {};
  }
  std::span<const std::byte> bytes_;
  bool failed_ = false;
};

void put_figures(Sink& sink, const BlockFigures& f) {
  for (const double value : {f.calibrate_seconds, f.quantize_seconds, f.loss, f.loss_rtn, f.fold_error}) {
    sink.put(value);
  }
  for (const uint64_t bytes :
       {f.memory_before, f.memory_after, f.device_memory_before, f.device_memory_after, f.device_memory_peak}) {
    sink.put(bytes);
  }
  sink.put(static_cast<uint64_t>(f.stages.size()));
  for (const BlockFigures::Stage& stage : f.stages) {
    sink.put(stage.damping);
    sink.put(static_cast<uint64_t>((stage.corrected ? 1 : 0) + (stage.correction_overfit ? 2 : 0) +
                                   (stage.broke_down ? 4 : 0)));
  }
  sink.put(static_cast<uint64_t>(f.linears.size()));
  for (const BlockFigures::Linear& l : f.linears) {
    for (const int64_t rows : {l.rows, l.rows_clipped, l.rows_rounded, l.rows_refined, l.rows_refitted}) sink.put(rows);
    sink.put(l.held_out_loss);
    sink.put(l.held_out_loss_rtn);
    sink.put(static_cast<uint64_t>((l.overfit ? 1 : 0) + (l.to_nearest ? 2 : 0)));
  }
}

BlockFigures get_figures(Cursor& cursor) {
  BlockFigures f;
  for (double* value : {&f.calibrate_seconds, &f.quantize_seconds, &f.loss, &f.loss_rtn, &f.fold_error}) {
    *value = cursor.get<double>();
  }
  for (uint64_t* bytes :
       {&f.memory_before, &f.memory_after, &f.device_memory_before, &f.device_memory_after, &f.device_memory_peak}) {
    *bytes = cursor.get<uint64_t>();
  }
  f.stages.resize(cursor.count(2 * sizeof(uint64_t)));
  for (BlockFigures::Stage& stage : f.stages) {
    stage.damping = cursor.get<double>();
    const auto flags = cursor.get<uint64_t>();
    stage.corrected = (flags & 1) != 0;
    stage.correction_overfit = (flags & 2) != 0;
    stage.broke_down = (flags & 4) != 0;
  }
  f.linears.resize(cursor.count(8 * sizeof(uint64_t)));
  for (BlockFigures::Linear& l : f.linears) {
    for (int64_t* rows : {&l.rows, &l.rows_clipped, &l.rows_rounded, &l.rows_refined, &l.rows_refitted}) {
      *rows = cursor.get<int64_t>();
    }
    l.held_out_loss = cursor.get<double>();
    l.held_out_loss_rtn = cursor.get<double>();
    const auto flags = cursor.get<uint64_t>();
    l.overfit = (flags & 1) != 0;
    l.to_nearest = (flags & 2) != 0;
  }
  return f;
}

void put_index(Sink& sink, std::span<const std::byte> index) {
  sink.put(static_cast<uint64_t>(index.size()));
  sink.append(index);
}

Result<container::ModelMetadata> get_index(Cursor& cursor, const std::string& path) {
  const size_t index_bytes = cursor.count(1);
  // The decoder wants its buffer aligned.
  std::vector<uint64_t> aligned((index_bytes + 7) / 8);
  const auto index = std::as_writable_bytes(std::span(aligned)).first(index_bytes);
  const auto stored = cursor.take(index_bytes);
  std::copy(stored.begin(), stored.end(), index.begin());
  return container::decode_metadata(index, path);
}

// The report of a block counts on figures for each of its scale sets and linears.
bool figures_match(const BlockRecord& record) {
  const auto& blocks = record.segment.info.blocks;
  if (blocks.empty()) return record.figures.stages.empty() && record.figures.linears.empty();
  return blocks.size() == 1 && record.figures.stages.size() == blocks.front().scale_sets.size() &&
         record.figures.linears.size() == blocks.front().linears.size();
}

}  // namespace

Result<std::vector<std::byte>> encode_record(const BlockRecord& record) {
  SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> index, container::encode_metadata(record.segment));
  Sink sink;
  put_index(sink, index);
  put_figures(sink, record.figures);
  sink.put(static_cast<uint64_t>(record.unfolded.size()));
  for (const UnfoldedScales& scales : record.unfolded) {
    sink.put(static_cast<uint64_t>(scales.linear));
    sink.put(static_cast<uint64_t>(scales.scales.size()));
    sink.append(std::as_bytes(std::span(scales.scales)));
  }
  if (!record.calibration.segments.empty()) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> calibration, container::encode_metadata(record.calibration));
    put_index(sink, calibration);
  }
  return sink.take();
}

Result<BlockRecord> decode_record(std::span<const std::byte> bytes, const std::string& path) {
  Cursor cursor(bytes);
  BlockRecord record;
  SCROOGE_ASSIGN_OR_RETURN(record.segment, get_index(cursor, path));
  record.figures = get_figures(cursor);
  record.unfolded.resize(cursor.count(2 * sizeof(uint64_t)));
  for (UnfoldedScales& scales : record.unfolded) {
    scales.linear = static_cast<size_t>(cursor.get<uint64_t>());
    scales.scales.resize(cursor.count(sizeof(float)));
    const auto values = cursor.take(scales.scales.size() * sizeof(float));
    if (!values.empty()) std::memcpy(scales.scales.data(), values.data(), values.size());
  }
  if (!cursor.failed() && !cursor.at_end()) {
    SCROOGE_ASSIGN_OR_RETURN(record.calibration, get_index(cursor, path));
  }
  if (cursor.failed() || !cursor.at_end() || !figures_match(record)) {
    return error(StatusCode::kBadModelFile, path, ": a record of the journal is malformed; start over with --fresh");
  }
  return record;
}

}  // namespace scrooge::pipeline
