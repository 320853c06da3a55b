// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/saved_calibration.h"

#include <algorithm>
#include <cmath>

#include "src/awq/fold.h"
#include "src/base/digest.h"
#include "src/pipeline/calibration_file.h"
#include "src/pipeline/output_file.h"

namespace scrooge::pipeline {

using container::BlockReport;
using container::LinearReport;
using container::TensorRecord;

namespace {

// An index is a byte.
constexpr size_t kMaxCandidates = 256;

bool usable(std::span<const float> ratios) {
  return ratios.size() <= kMaxCandidates && (ratios.empty() || ratios.front() == 1.0f) &&
         std::all_of(ratios.begin(), ratios.end(), [](float ratio) { return ratio > 0 && ratio <= 1; });
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

Result<SavedCalibration> SavedCalibration::open(const std::string& path) {
  SCROOGE_ASSIGN_OR_RETURN(FileMap file, FileMap::open(path));
  return open(std::move(file));
}

Result<SavedCalibration> SavedCalibration::open(FileMap file) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelReader reader, container::ModelReader::open(std::move(file)));
  SavedCalibration saved(std::move(reader));
  if (!saved.info().is_calibration()) {
    return saved.bad("a model, not the results of a calibration; give a file that --save-calibration wrote");
  }
  return saved;
}

Status SavedCalibration::check_scheme(const QuantSpec& spec) const {
  const QuantSpec& saved = info().spec;
  const auto differs = [&](std::string_view option, const auto& here, const auto& there) {
    return error(StatusCode::kFingerprintMismatch, option, ": ", here, " here, ", there, " in ", path(),
                 "; scales and ranges hold for that alone: give the same, or calibrate again");
  };
  if (saved.bits != spec.bits) return differs("bits", spec.bits, saved.bits);
  if (saved.group != spec.group) return differs("group", spec.group, saved.group);
  if (saved.symmetric != spec.symmetric) {
    const auto name = [](bool symmetric) { return symmetric ? "symmetric" : "asymmetric"; };
    return differs("symmetry", name(spec.symmetric), name(saved.symmetric));
  }
  if (saved.scale_dtype != spec.scale_dtype) {
    return differs("scale type", dtype_name(spec.scale_dtype), dtype_name(saved.scale_dtype));
  }
  if (saved.range != spec.range) {
    return differs("range", container::range_rule_name(spec.range), container::range_rule_name(saved.range));
  }
  return {};
}

Status SavedCalibration::check_block(const BlockReport& report, const model::BlockPlan& plan, int64_t block) const {
  if (report.index != static_cast<uint64_t>(block)) return bad("block ", block, " is missing");
  if (report.tokens == 0) return bad("block ", block, " was calibrated on no tokens");
  if (report.scale_sets.size() != plan.stages.size() || report.linears.size() != plan.linears.size()) {
    return bad("block ", block, " has ", report.scale_sets.size(), " stages and ", report.linears.size(),
               " linears instead of ", plan.stages.size(), " and ", plan.linears.size());
  }
  size_t next = 0;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const container::ScaleSetReport& set = report.scale_sets[s];
    if (set.name != plan.stages[s].name || set.scale_tensor != scale_tensor_name(block, set.name)) {
      return bad("block ", block, ": found stage \"", printable(set.name), "\" in the place of ", plan.stages[s].name);
    }
    for (const model::LinearRole role : plan.stages[s].linears) {
      const LinearReport& linear = report.linears[next++];
      const std::string name = concat(model::block_prefix(block), plan.linear(role).name, ".weight");
      if (linear.name != name) return bad("found linear \"", printable(linear.name), "\" in the place of ", name);
      if (!usable(linear.clip_candidates)) return bad(name, ": clip candidates are not in 0 to 1, beginning with 1");
    }
  }
  return {};
}

Status SavedCalibration::check(const ModelSource& source, const QuantSpec& spec) const {
  SCROOGE_RETURN_IF_ERROR(check_scheme(spec));
  const auto other = [&](const auto&... parts) {
    return error(StatusCode::kFingerprintMismatch, path(), ": made from another checkpoint: ", parts...);
  };
  const model::ModelConfig& config = source.config();
  if (info().architecture != config.family) {
    return other("architecture ", printable(info().architecture), " instead of ", config.family);
  }
  if (info().blocks.size() != static_cast<size_t>(config.blocks)) {
    return other(info().blocks.size(), " blocks instead of ", config.blocks);
  }
  for (int64_t block = 0; block < config.blocks; ++block) {
    SCROOGE_RETURN_IF_ERROR(check_block(info().blocks[static_cast<size_t>(block)], source.block_plan(), block));
  }
  for (const container::SegmentPlan& segment : calibration_segments(source, spec)) {
    for (const container::TensorDescription& planned : segment.tensors) {
      const TensorRecord* const tensor = reader_.find(planned.name);
      if (tensor == nullptr) return bad("tensor ", planned.name, " is missing");
      if (tensor->description == planned) continue;
      return other("tensor ", planned.name, " is ", tensor->description.rows, " x ", tensor->description.cols, " ",
                   dtype_name(tensor->description.dtype), " instead of ", planned.rows, " x ", planned.cols, " ",
                   dtype_name(planned.dtype));
    }
  }
  return {};
}

Status SavedCalibration::check_sources(std::span<const container::Source> sources) const {
  const std::vector<container::Source>& saved = info().sources;
  if (saved.size() != sources.size()) {
    return error(StatusCode::kFingerprintMismatch, path(), ": made from another checkpoint: of ", saved.size(),
                 " files instead of ", sources.size());
  }
  for (size_t i = 0; i < saved.size(); ++i) {
    if (saved[i].sha256 == sources[i].sha256 && saved[i].size == sources[i].size) continue;
    return error(StatusCode::kFingerprintMismatch, path(), ": made from another checkpoint: ", sources[i].name,
                 " has SHA-256 ", sources[i].sha256, ", ", printable(saved[i].name), " had ",
                 printable(saved[i].sha256), "; give that checkpoint, or calibrate again");
  }
  return {};
}

Result<std::string> SavedCalibration::digest(const std::function<Status()>& tick) const {
  constexpr uint64_t kPiece = 1 << 20;
  const FileMap& file = reader_.file();
  std::vector<std::byte> piece(static_cast<size_t>(std::min(kPiece, file.size())));
  Sha256 digest;
  for (uint64_t offset = 0; offset < file.size(); offset += kPiece) {
    const auto bytes = std::span(piece).first(static_cast<size_t>(std::min(kPiece, file.size() - offset)));
    SCROOGE_RETURN_IF_ERROR(file.read(offset, bytes));
    digest.update(bytes);
    SCROOGE_RETURN_IF_ERROR(tick());
  }
  return digest.finish();
}

template <typename T>
Status SavedCalibration::read(const std::string& name, std::vector<T>& values) const {
  const container::PlaneRecord& plane = reader_.find(name)->planes.front();
  values.resize(static_cast<size_t>(plane.size) / sizeof(T));
  const auto bytes = std::as_writable_bytes(std::span(values));
  SCROOGE_RETURN_IF_ERROR(reader_.file().read(plane.offset, bytes));
  if (xxh64(bytes) == plane.xxh64) return {};
  return error(StatusCode::kChecksumMismatch, path(), ": tensor ", name,
               " does not match its checksum; calibrate again, or fetch the file again");
}

Result<SavedBlock::Stage> SavedCalibration::stage(const ModelSource& source, const model::StagePlan& plan,
                                                  int64_t block, std::span<const LinearReport> reports) const {
  SavedBlock::Stage stage;
  const std::string scale = scale_tensor_name(block, plan.name);
  const std::string mean = statistic_tensor_name(block, InputStatistic::kMean, plan.name);
  SCROOGE_RETURN_IF_ERROR(read(scale, stage.scale));
  SCROOGE_RETURN_IF_ERROR(read(mean, stage.mean));
  if (!all_finite(stage.mean)) return bad("tensor ", mean, " holds a value that is not finite");
  if (!all_finite(stage.scale) || !std::all_of(stage.scale.begin(), stage.scale.end(), [](float s) { return s > 0; })) {
    return bad("tensor ", scale, " holds a scale that is not above 0 and finite");
  }
  if (plan.producer == model::Producer::kAttention) {
    // Folding into a value channel takes that its query channels agree.
    const std::vector<int64_t> ties = awq::attention_ties(source.config());
    std::vector<float> of_tie(static_cast<size_t>(source.config().kv_width()));
    for (size_t k = 0; k < ties.size(); ++k) {
      float& first = of_tie[static_cast<size_t>(ties[k])];
      if (first == 0) first = stage.scale[k];
      if (first != stage.scale[k])
        return bad("tensor ", scale, ": channels that share a value head have different scales");
    }
  }
  for (size_t i = 0; i < plan.linears.size(); ++i) {
    const std::string name = clip_tensor_name(block, source.block_plan().linear(plan.linears[i]).name);
    SavedBlock::Linear& linear = stage.linears.emplace_back();
    linear.clip_ratios = reports[i].clip_candidates;
    SCROOGE_RETURN_IF_ERROR(read(name, linear.clip_index));
    const size_t known = std::max<size_t>(1, linear.clip_ratios.size());
    const auto largest = std::max_element(linear.clip_index.begin(), linear.clip_index.end());
    if (*largest >= known) {
      return bad("tensor ", name, ": index ", static_cast<int>(*largest), " of ", known, " clip candidates");
    }
  }
  return stage;
}

Result<SavedBlock> SavedCalibration::block(const ModelSource& source, int64_t block) const {
  SavedBlock result;
  std::span<const LinearReport> reports = info().blocks[static_cast<size_t>(block)].linears;
  for (const model::StagePlan& plan : source.block_plan().stages) {
    SCROOGE_ASSIGN_OR_RETURN(SavedBlock::Stage one, stage(source, plan, block, reports));
    result.stages.push_back(std::move(one));
    reports = reports.subspan(plan.linears.size());
  }
  return result;
}

}  // namespace scrooge::pipeline
