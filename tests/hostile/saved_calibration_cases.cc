// SPDX-License-Identifier: Apache-2.0
// Calibration results: files that are none, an index that says something else, and values that cannot be under
// checksums that are right. What every .scrooge file may be damaged in is in scrooge_cases.cc.
#include <cstring>
#include <limits>

#include "tests/hostile/hostile_case.h"
#include "tests/hostile/saved_calibration_damage.h"

namespace scrooge::hostile {
namespace {

using container::ModelMetadata;

constexpr std::string_view kFile = "model.calib";
constexpr StatusCode kBad = StatusCode::kBadModelFile;
constexpr StatusCode kOther = StatusCode::kFingerprintMismatch;

class Table {
 public:
  void index(std::string name, const std::function<void(ModelMetadata&)>& change, std::string mention,
             StatusCode code = kBad) {
    const Sample& sample = calibration_sample();
    ModelMetadata changed = sample.metadata;
    change(changed);
    add(std::move(name), container::with_index(sample.file, sample.superblock, changed), code, std::move(mention));
  }
  // One value of a tensor, under a checksum that is right again.
  template <typename T>
  void value(std::string name, const std::string& tensor, size_t at, T value, std::string mention) {
    const Sample& sample = calibration_sample();
    container::Bytes file = sample.file;
    ModelMetadata changed = sample.metadata;
    for (container::TensorRecord& record : changed.tensors) {
      if (record.description.name != tensor) continue;
      container::PlaneRecord& plane = record.planes.front();
      std::memcpy(file.data() + plane.offset + at * sizeof value, &value, sizeof value);
      plane.xxh64 = xxh64(std::span(file).subspan(plane.offset, plane.size));
    }
    add(std::move(name), container::with_index(file, sample.superblock, changed), kBad, std::move(mention));
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  void add(std::string name, const container::Bytes& file, StatusCode code, std::string mention) {
    cases_.push_back(file_case(std::move(name), kFile,
                               std::string(reinterpret_cast<const char*>(file.data()), file.size()), code,
                               std::move(mention)));
  }

  std::vector<Case> cases_;
};

void add_info(Table& table) {
  const auto info = [&](std::string name, const std::function<void(container::ModelInfo&)>& change, std::string mention,
                        StatusCode code = kBad) {
    table.index(
        std::move(name), [&](ModelMetadata& m) { change(m.info); }, std::move(mention), code);
  };
  info(
      "a model", [](auto& i) { i.required_features = 0; }, "not the results of a calibration");
  info(
      "a feature of the future", [](auto& i) { i.required_features |= 4; }, "required_features",
      StatusCode::kUnsupportedVersion);
  info(
      "3 bits", [](auto& i) { i.spec.bits = 3; }, "bits", kOther);
  info(
      "group 64", [](auto& i) { i.spec.group = 64; }, "group", kOther);
  info(
      "symmetric", [](auto& i) { i.spec.symmetric = true; }, "symmetry", kOther);
  info(
      "bf16 scales", [](auto& i) { i.spec.scale_dtype = DType::kBF16; }, "scale type", kOther);
  info(
      "another range rule", [](auto& i) { i.spec.range = RangeRule::kMinMax; }, "range", kOther);
  info(
      "another architecture", [](auto& i) { i.architecture = "qwen2"; }, "architecture", kOther);
  info(
      "no blocks", [](auto& i) { i.blocks.clear(); }, "0 blocks", kOther);
  info(
      "a block less", [](auto& i) { i.blocks.pop_back(); }, "1 blocks", kOther);
  info(
      "block 7 for block 1", [](auto& i) { i.blocks[1].index = 7; }, "block 1 is missing");
  info(
      "no tokens", [](auto& i) { i.blocks[1].tokens = 0; }, "no tokens");
  info(
      "a stage less", [](auto& i) { i.blocks[0].scale_sets.pop_back(); }, "3 stages");
  info(
      "a linear less", [](auto& i) { i.blocks[0].linears.pop_back(); }, "6 linears");
  info(
      "a linear more", [](auto& i) { i.blocks[0].linears.push_back(i.blocks[0].linears[0]); }, "8 linears");
  info(
      "stages in another order", [](auto& i) { std::swap(i.blocks[0].scale_sets[0], i.blocks[0].scale_sets[1]); },
      "stage");
  info(
      "linears in another order", [](auto& i) { std::swap(i.blocks[0].linears[0], i.blocks[0].linears[1]); }, "linear");
  info(
      "the scale of another block",
      [](auto& i) { std::swap(i.blocks[0].scale_sets[0].scale_tensor, i.blocks[1].scale_sets[0].scale_tensor); },
      "stage");
  const auto candidates = [&](std::string name, std::vector<float> ratios) {
    info(
        std::move(name),
        [&](auto& i) {
          i.blocks[0].linears[0].clip_candidates = ratios;
          i.blocks[0].linears[0].clip_histogram.assign(ratios.size(), 1);
        },
        "clip candidates");
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  candidates("a candidate of 0", {1, 0.9f, 0});
  candidates("a negative candidate", {1, -0.9f, 0.8f});
  candidates("a candidate above 1", {1, 1.5f, 0.8f});
  candidates("a candidate that is not a number", {1, nan, 0.8f});
  candidates("the full range not first", {0.9f, 1, 0.8f});
  candidates("257 candidates", std::vector<float>(257, 1));
  info(
      "fewer candidates than indices",
      [](auto& i) {
        i.blocks[0].linears[0].clip_candidates = {1, 0.9f};
        i.blocks[0].linears[0].clip_histogram = {1, 1};
      },
      "index 2 of 2");
  info(
      "no candidates for indices",
      [](auto& i) {
        i.blocks[0].linears[0].clip_candidates.clear();
        i.blocks[0].linears[0].clip_histogram.clear();
      },
      "index 2 of 1");
  info(
      "another digest of the checkpoint", [](auto& i) { i.sources[0].sha256[0] = 'b'; }, "another checkpoint", kOther);
  info(
      "no digest of the checkpoint", [](auto& i) { i.sources[0].sha256.clear(); }, "another checkpoint", kOther);
  info(
      "another size of the checkpoint", [](auto& i) { i.sources[0].size = 124; }, "another checkpoint", kOther);
  info(
      "no sources", [](auto& i) { i.sources.clear(); }, "another checkpoint", kOther);
}

void add_tensors(Table& table) {
  table.index(
      "a tensor less", [](ModelMetadata& m) { m.tensors.pop_back(); }, "missing");
  table.index(
      "a tensor of another name", [](ModelMetadata& m) { m.tensors.back().description.name = "x"; }, "missing");
  table.index(
      "a tensor of another type",
      [](ModelMetadata& m) { m.tensors.front().description.kind = container::TensorKind::kDense; }, "");
  table.index(
      "a tensor as a column",
      [](ModelMetadata& m) {
        container::TensorRecord& tensor = m.tensors[1];
        std::swap(tensor.description.rows, tensor.description.cols);
        tensor.planes.front().row_bytes = 4;
      },
      "instead of", kOther);
  table.index(
      "the statistics of two stages swapped in place",
      [](ModelMetadata& m) { std::swap(m.tensors[2].planes.front().xxh64, m.tensors[3].planes.front().xxh64 = 1); },
      "awq_mean.", StatusCode::kChecksumMismatch);
}

void add_values(Table& table) {
  const std::string scale = "model.layers.1.awq_scale.qkv";
  const std::string shared = "model.layers.1.awq_scale.o";
  const std::string mean = "model.layers.0.awq_mean.down";
  const std::string clip = "model.layers.1.mlp.down_proj.awq_clip";
  const float infinity = std::numeric_limits<float>::infinity();
  table.value("scale 0", scale, 3, 0.0f, scale);
  table.value("scale -0", scale, 3, -0.0f, scale);
  table.value("scale below 0", scale, 0, -1.5f, scale);
  table.value("infinite scale", scale, 63, infinity, scale);
  table.value("scale that is not a number", scale, 1, std::numeric_limits<float>::quiet_NaN(), scale);
  table.value("scales of a value head that differ", shared, 20, 1.25f, "share a value head");
  table.value("infinite mean", mean, 1, -infinity, mean);
  table.value("mean that is not a number", mean, 0, std::numeric_limits<float>::quiet_NaN(), mean);
  table.value("clip index 3 of 3", clip, 5, uint8_t{3}, clip);
  table.value("clip index 255 of 3", clip, 0, uint8_t{255}, clip);
}

}  // namespace

Format saved_calibration_format() {
  return {"saved_calibration", "model.calib",
          [](const Place& place) { container::write_bytes(place.path(kFile), calibration_sample().file); },
          [](const std::string& folder) -> Status {
            SCROOGE_ASSIGN_OR_RETURN(const auto saved, pipeline::SavedCalibration::open(folder + "/model.calib"));
            return pipeline::read_all_blocks(saved, sample_model()).status();
          },
          [] {
            Table table;
            add_info(table);
            add_tensors(table);
            add_values(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
