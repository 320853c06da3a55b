// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/job_report.h"

#include "src/base/json.h"
#include "src/pipeline/output_file.h"

namespace scrooge::pipeline {

using model::Producer;

namespace {

std::string producer_name(const model::BlockPlan& plan, Producer producer) {
  switch (producer) {
    case Producer::kInputNorm: return plan.norms[static_cast<size_t>(model::NormRole::kInput)];
    case Producer::kPostNorm: return plan.norms[static_cast<size_t>(model::NormRole::kPostAttention)];
    case Producer::kAttention: return plan.linear(model::LinearRole::kV).name;
    case Producer::kGate: return plan.linear(model::LinearRole::kUp).name;
  }
  return {};
}

void write_scale_set(JsonWriter& json, const container::ScaleSetReport& set, const BlockFigures::Stage& figures) {
  json.begin_object().field("name", set.name).field("producer", set.producer).field("candidate", set.candidate);
  json.field("alpha", set.alpha).field("loss_identity", set.loss_identity).field("loss_chosen", set.loss_chosen);
  json.field("damping", figures.damping).field("broke_down", figures.broke_down);
  json.field("corrected", figures.corrected).field("correction_overfit", figures.correction_overfit).end_object();
}

void write_linear(JsonWriter& json, const container::LinearReport& linear, uint32_t block,
                  const BlockFigures::Linear& figures) {
  json.begin_object().field("name", linear.name).field("block", static_cast<uint64_t>(block));
  json.field("loss", linear.loss).field("loss_rtn", linear.loss_rtn).field("fell_back", linear.fell_back);
  json.field("rounding", std::string_view(linear.rounding));
  json.field("rows", figures.rows).field("rows_clipped", figures.rows_clipped);
  json.field("rows_rounded", figures.rows_rounded).field("rows_refined", figures.rows_refined);
  json.field("rows_refitted", figures.rows_refitted).field("held_out_loss", figures.held_out_loss);
  json.field("held_out_loss_rtn", figures.held_out_loss_rtn).field("overfit", figures.overfit);
  json.field("rounded_to_nearest", figures.to_nearest);
  json.key("clip_histogram").begin_array();
  for (const uint32_t count : linear.clip_histogram) json.value(static_cast<uint64_t>(count));
  json.end_array().end_object();
}

}  // namespace

BlockFigures solver_figures(const BlockOutcome& outcome) {
  BlockFigures figures;
  for (const awq::StageSolution& stage : outcome.stages) {
    if (outcome.tokens > 0) {
      figures.stages.push_back({stage.damping, stage.corrected, stage.correction_overfit, stage.broke_down});
    }
    for (const awq::LinearSolution& linear : stage.linears) {
      figures.linears.push_back({linear.quantized.rows, linear.rows_clipped, linear.rows_rounded, linear.rows_refined,
                                 linear.rows_refitted, linear.held_out_loss, linear.held_out_loss_rtn, linear.overfit,
                                 stage.to_nearest});
    }
  }
  return figures;
}

GuardCounts count_guards(std::span<const BlockFigures> figures) {
  constexpr double kFirstRung = 0.01;
  GuardCounts counts;
  for (const BlockFigures& block : figures) {
    for (const BlockFigures::Linear& linear : block.linears) {
      counts.overfit_linears += linear.overfit ? 1 : 0;
      counts.nearest_linears += linear.to_nearest ? 1 : 0;
    }
    for (const BlockFigures::Stage& stage : block.stages) {
      counts.overfit_corrections += stage.correction_overfit ? 1 : 0;
      counts.damped_stages += stage.damping > kFirstRung ? 1 : 0;
      counts.broken_down_stages += stage.broke_down ? 1 : 0;
    }
  }
  return counts;
}

std::string_view propagate_name(Propagate propagate) {
  switch (propagate) {
    case Propagate::kLinear: return "linear";
    case Propagate::kBlock: return "block";
    case Propagate::kNone: return "none";
  }
  return "unknown";
}

container::BlockReport block_report(const model::BlockPlan& plan, int64_t block, const BlockOutcome& outcome) {
  container::BlockReport report;
  report.index = static_cast<uint32_t>(block);
  report.tokens = outcome.tokens;
  const bool calibrated = outcome.tokens > 0;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const model::StagePlan& stage = plan.stages[s];
    const awq::StageSolution& solution = outcome.stages[s];
    if (calibrated) {
      report.scale_sets.push_back({stage.name, producer_name(plan, stage.producer), solution.choice.name(),
                                   solution.choice.alpha, solution.loss_identity, solution.loss_choice,
                                   scale_tensor_name(block, stage.name), solution.damping});
    }
    for (size_t i = 0; i < stage.linears.size(); ++i) {
      const awq::LinearSolution& linear = solution.linears[i];
      container::LinearReport entry;
      entry.name = concat(model::block_prefix(block), plan.linear(stage.linears[i]).name, ".weight");
      entry.loss = linear.loss;
      entry.loss_rtn = linear.loss_rtn;
      entry.fell_back = solution.fell_back;
      if (calibrated) entry.rounding = linear.rounding->name;
      if (!linear.clip_histogram.empty()) {
        entry.clip_histogram = linear.clip_histogram;
        for (const auto& candidate : awq::clip_candidates()) entry.clip_candidates.push_back(candidate.high_ratio);
      }
      report.linears.push_back(std::move(entry));
    }
  }
  return report;
}

std::string write_report(const JobTotals& totals, std::span<const BlockFigures> figures,
                         std::span<const container::BlockReport> blocks) {
  JsonWriter json;
  json.begin_object();
  json.field("seconds", totals.seconds).field("durable_seconds", totals.durable_seconds);
  json.field("peak_bytes", totals.peak_bytes);
  json.field("planned_peak_bytes", totals.planned_peak_bytes).field("bits_per_weight", totals.bits_per_weight);
  totals.budget.write_json(json);
  json.field("device", totals.device).field("device_name", totals.device_name);
  totals.device_budget.write_json(json, "device_");
  json.field("device_peak_bytes", totals.device_peak_bytes);
  json.field("planned_device_peak_bytes", totals.planned_device_peak_bytes);
  json.field("device_losses", totals.device_losses).field("device_refusals", totals.device_refusals);
  json.field("layout", totals.layout).field("output_bytes", totals.output_bytes).field("tokens", totals.tokens);
  json.field("tokens_dropped", totals.tokens_dropped).field("threads", totals.threads);
  json.field("held_out_tokens", totals.held_out_tokens).field("statistics_tokens", totals.statistics_tokens);
  json.field("resumed_blocks", totals.resumed_blocks);
  double loss = 0;
  double loss_rtn = 0;
  for (const BlockFigures& block : figures) {
    loss += block.loss;
    loss_rtn += block.loss_rtn;
  }
  const GuardCounts guards = count_guards(figures);
  json.field("loss", loss).field("loss_rtn", loss_rtn).field("overfit_linears", guards.overfit_linears);
  json.field("overfit_corrections", guards.overfit_corrections).field("nearest_linears", guards.nearest_linears);
  json.field("damped_stages", guards.damped_stages).field("broken_down_stages", guards.broken_down_stages);
  json.key("blocks").begin_array();
  for (size_t b = 0; b < figures.size(); ++b) {
    const BlockFigures& f = figures[b];
    json.begin_object().field("index", static_cast<uint64_t>(blocks[b].index));
    json.field("calibrate_seconds", f.calibrate_seconds).field("quantize_seconds", f.quantize_seconds);
    json.field("memory_before", f.memory_before).field("memory_after", f.memory_after);
    json.field("device_memory_before", f.device_memory_before).field("device_memory_after", f.device_memory_after);
    json.field("device_memory_peak", f.device_memory_peak);
    json.field("loss", f.loss).field("loss_rtn", f.loss_rtn).field("fold_error", f.fold_error);
    json.key("scale_sets").begin_array();
    for (size_t i = 0; i < blocks[b].scale_sets.size(); ++i) {
      write_scale_set(json, blocks[b].scale_sets[i], f.stages[i]);
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.key("linears").begin_array();
  for (size_t b = 0; b < figures.size(); ++b) {
    for (size_t i = 0; i < blocks[b].linears.size(); ++i) {
      write_linear(json, blocks[b].linears[i], blocks[b].index, figures[b].linears[i]);
    }
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace scrooge::pipeline
