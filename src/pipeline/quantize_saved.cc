// SPDX-License-Identifier: Apache-2.0
// Calibration results that outlive their job: what is saved beside the output, and what of a job is left when it starts
// from them.
#include <algorithm>

#include "src/base/digest.h"
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

namespace {

// Of the output's attributes those that say how it was calibrated.
constexpr std::string_view kOfCalibration[] = {
    "effort", "held_out_percent", "length", "max_tokens_per_sample", "outlier_percent", "samples", "sampling"};

const container::Attribute* find_attribute(std::span<const container::Attribute> attributes, std::string_view key) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const container::Attribute& attribute) { return attribute.key == key; });
  return found == attributes.end() ? nullptr : &*found;
}

}  // namespace

std::string QuantizeJob::token_digest() const {
  Sha256 digest;
  digest.update(std::as_bytes(std::span(rows_.ids)));
  return digest.finish();
}

// Of the file to save, from that of the output.
container::ModelInfo QuantizeJob::saving_info(container::ModelInfo info) const {
  info.layout = {};  // of weights, which are not in that file
  if (solve_.keep_calibration) info.attributes.push_back({"calibration_tokens_sha256", token_digest()});
  return info;
}

// Without the Gram matrix there are only the ranges and the means.
Status QuantizeJob::choose_saved_solver() {
  const auto wrong = [](const auto&... parts) { return error(StatusCode::kInvalidArgument, parts...); };
  if (options_.method != Method::kAwq) return wrong("method: round-to-nearest needs no --from-calibration");
  if (!options_.calibration_text.empty() || !options_.calibration_ids.empty()) {
    return wrong("from-calibration: nothing is calibrated again; give it or a calibration text, not both");
  }
  if (!options_.save_calibration.empty()) {
    return wrong("save-calibration: ", options_.from_calibration, " holds what would be saved; copy it");
  }
  const auto lost = [&](std::string_view option, const auto& value, std::string_view remedy) {
    return wrong(option, ": ", value, " needs the Gram matrix, which ", options_.from_calibration,
                 " does not keep; give ", remedy, ", or calibrate again with --calibration");
  };
  const awq::Rounding* const rounding = options_.rounding.empty() ? &awq::kNearest : solve_.rounding;
  if (rounding->needs_factor) return lost("rounding", rounding->name, "nearest or heuristic");
  if (options_.correct > 0) return lost("correct", options_.correct, "0");
  if (options_.refine > 0) return lost("refine", options_.refine, "0");
  if (options_.refit > 0) return lost("refit", options_.refit, "0");
  solve_ = {options_.spec, 0, options_.clip, rounding, 0, 0, 0, false};
  return {};
}

Status QuantizeJob::open_saved() {
  SCROOGE_ASSIGN_OR_RETURN(SavedCalibration saved, SavedCalibration::open(options_.from_calibration));
  SCROOGE_RETURN_IF_ERROR(saved.check(*source_, options_.spec));
  saved_ = std::move(saved);
  return {};
}

// How it was calibrated is the saved job's, how it was rounded this one's.
void QuantizeJob::describe_saved(container::ModelInfo& info) const {
  const container::ModelInfo& saved = saved_->info();
  info.seed = saved.seed;
  info.grid = saved.grid;
  info.propagate = saved.propagate;
  info.tokens = saved.tokens;
  for (container::Attribute& attribute : info.attributes) {
    const container::Attribute* const before = find_attribute(saved.attributes, attribute.key);
    if (before == nullptr) continue;
    const bool of_calibration =
        std::find(std::begin(kOfCalibration), std::end(kOfCalibration), attribute.key) != std::end(kOfCalibration);
    const bool clipless = attribute.key == "clip" && before->value != "true";
    if (of_calibration || clipless) attribute.value = before->value;
  }
  info.attributes.push_back({"from_calibration", saved_digest_});
}

// The search was the saved job's, its second-order rounding was not done again. Losses of the linears are not known for
// these codes and stay 0.
void QuantizeJob::restore_report(int64_t block, container::BlockReport& report) const {
  const container::BlockReport& saved = saved_->info().blocks[static_cast<size_t>(block)];
  report.scale_sets = saved.scale_sets;
  for (container::ScaleSetReport& set : report.scale_sets) set.damping = 0;
  for (size_t i = 0; i < report.linears.size(); ++i) {
    report.linears[i].fell_back = saved.linears[i].fell_back;
    if (!report.linears[i].clip_histogram.empty()) report.linears[i].clip_candidates = saved.linears[i].clip_candidates;
  }
}

}  // namespace scrooge::pipeline
