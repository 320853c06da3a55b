// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "src/capi/c_support.h"
#include "src/pipeline/quantize_job.h"

struct scrooge_job {
  std::unique_ptr<scrooge::pipeline::QuantizeJob> job;
};

namespace scrooge::capi {
namespace {

Status read_choice(std::string_view name, int32_t value, int32_t last) {
  if (value >= 0 && value <= last) return {};
  return error(StatusCode::kInvalidArgument, name, ": ", value, " is not one of the choices 0 to ", last);
}

// Of the first release's struct: what came later may be missing from a caller's.
constexpr size_t kFirstSize = offsetof(scrooge_quantize_options, refine);

Status convert_options(const scrooge_quantize_options* given, pipeline::QuantizeOptions& out) {
  scrooge_quantize_options o;
  scrooge_quantize_options_init(&o, sizeof o);
  SCROOGE_RETURN_IF_ERROR(read_options(given, kFirstSize, "options", o));
  if (o.next != nullptr) return error(StatusCode::kInvalidArgument, "options.next: must be NULL");
  SCROOGE_RETURN_IF_ERROR(read_choice("symmetric", o.symmetric, 1));
  SCROOGE_RETURN_IF_ERROR(read_choice("method", o.method, SCROOGE_METHOD_RTN));
  SCROOGE_RETURN_IF_ERROR(read_choice("scale_type", o.scale_type, SCROOGE_SCALE_BF16));
  SCROOGE_RETURN_IF_ERROR(read_choice("propagate", o.propagate, SCROOGE_PROPAGATE_NONE));
  SCROOGE_RETURN_IF_ERROR(read_choice("clip", o.clip, 1));
  out.checkpoint = text_or_empty(o.checkpoint);
  out.output = text_or_empty(o.output);
  out.calibration_text = text_or_empty(o.calibration_text);
  out.calibration_ids = text_or_empty(o.calibration_ids);
  out.samples = o.samples;
  out.length = o.length;
  out.spec.bits = static_cast<int>(std::min<uint32_t>(o.bits, 1000));
  out.spec.group = o.group;
  out.spec.symmetric = o.symmetric == 1;
  out.spec.scale_dtype = o.scale_type == SCROOGE_SCALE_FP16 ? DType::kF16 : DType::kBF16;
  out.method = static_cast<pipeline::Method>(o.method);
  out.propagate = static_cast<pipeline::Propagate>(o.propagate);
  out.grid = o.grid;
  out.clip = o.clip == 1;
  SCROOGE_RETURN_IF_ERROR(read_choice("effort", o.effort, SCROOGE_EFFORT_MAX));
  out.effort = static_cast<pipeline::Effort>(o.effort);
  out.rounding = text_or_empty(o.rounding);
  out.correct = o.correct;
  out.refit = o.refit;
  out.refine = o.refine;
  SCROOGE_RETURN_IF_ERROR(read_choice("sampling", o.sampling, SCROOGE_SAMPLING_RANDOM));
  out.sampling = static_cast<calibration::Sampling>(o.sampling);
  out.selection.held_out = o.held_out;
  out.selection.outliers = o.outliers;
  out.selection.per_sample = static_cast<int64_t>(std::min<uint64_t>(o.max_tokens_per_sample, INT64_MAX));
  out.spill = text_or_empty(o.spill);
  SCROOGE_RETURN_IF_ERROR(read_choice("fresh", o.fresh, 1));
  SCROOGE_RETURN_IF_ERROR(read_choice("states", o.states, SCROOGE_STATES_REPLAY));
  out.states = static_cast<pipeline::StatesPolicy>(o.states);
  out.fresh = o.fresh == 1;
  out.threads = static_cast<int>(std::min<uint32_t>(o.threads, 1u << 20));
  out.seed = o.seed;
  out.memory = o.memory;
  out.device_memory = o.device_memory;
  out.device = o.device == nullptr ? "cpu" : o.device;
  out.save_calibration = text_or_empty(o.save_calibration);
  out.from_calibration = text_or_empty(o.from_calibration);
  out.layout = text_or_empty(o.layout);
  SCROOGE_RETURN_IF_ERROR(read_choice("reproducible", o.reproducible, 1));
  out.reproducible = o.reproducible == 1;
  SCROOGE_RETURN_IF_ERROR(read_allocator(o.allocator, out.allocator));
  out.progress = make_progress(o.progress, o.progress_user);
  out.log = make_log(o.log, o.log_user);
  return {};
}

Status apply_preset(scrooge_quantize_options* options, const char* name) {
  if (options == nullptr) return error(StatusCode::kInvalidArgument, "options: null");
  if (options->struct_size < kFirstSize) {
    return error(StatusCode::kInvalidArgument, "options.struct_size: ", options->struct_size, ", expected at least ",
                 kFirstSize, "; call the init function first");
  }
  SCROOGE_ASSIGN_OR_RETURN(const pipeline::Preset preset, pipeline::find_preset(text_or_empty(name)));
  options->samples = static_cast<uint32_t>(preset.samples);
  options->length = static_cast<uint32_t>(preset.length);
  options->effort = static_cast<int32_t>(preset.effort);
  return {};
}

Status require_job(const scrooge_job* job) {
  return job == nullptr ? error(StatusCode::kInvalidArgument, "job: null") : Status();
}

}  // namespace
}  // namespace scrooge::capi

using scrooge::Status;
using scrooge::StatusCode;
using scrooge::capi::guarded;

extern "C" {

void scrooge_quantize_options_init(scrooge_quantize_options* options, size_t struct_size) {
  scrooge_quantize_options defaults{};
  defaults.samples = 128;
  defaults.length = 512;
  defaults.bits = 4;
  defaults.group = 128;
  defaults.method = SCROOGE_METHOD_AWQ;
  defaults.scale_type = SCROOGE_SCALE_FP16;
  defaults.propagate = SCROOGE_PROPAGATE_LINEAR;
  defaults.grid = 20;
  defaults.clip = 1;
  defaults.device = "cpu";
  defaults.effort = SCROOGE_EFFORT_DEFAULT;
  defaults.refit = -1;
  defaults.correct = -1;
  defaults.refine = -1;
  defaults.held_out = 10;
  scrooge::capi::init_options(options, struct_size, defaults);
}

scrooge_status scrooge_quantize_options_preset(scrooge_quantize_options* options, const char* name,
                                               scrooge_error** error) {
  return guarded(error, [&] { return scrooge::capi::apply_preset(options, name); });
}

scrooge_status scrooge_job_prepare(const scrooge_quantize_options* options, scrooge_job** job, scrooge_error** error) {
  if (job != nullptr) *job = nullptr;
  return guarded(error, [&]() -> Status {
    if (job == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "job: null");
    scrooge::pipeline::QuantizeOptions converted;
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::convert_options(options, converted));
    SCROOGE_ASSIGN_OR_RETURN(auto prepared, scrooge::pipeline::QuantizeJob::prepare(std::move(converted)));
    *job = new scrooge_job{std::move(prepared)};
    return {};
  });
}

scrooge_status scrooge_job_get_plan(const scrooge_job* job, scrooge_plan* plan, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const scrooge::pipeline::JobPlan& from = job->job->plan();
    scrooge_plan to{};
    to.blocks = static_cast<uint32_t>(from.blocks);
    to.peak_bytes = from.memory.peak_bytes;
    to.minimum_bytes = from.memory.minimum_bytes;
    to.budget_bytes = job->job->options().memory;
    to.output_bytes = from.output_bytes;
    to.tokens = from.tokens;
    to.tokens_dropped = from.tokens_dropped;
    to.bits_per_weight = from.bits_per_weight;
    to.spill_bytes = from.memory.spill_bytes;
    to.states_bytes = from.states_bytes > 0 ? scrooge::pipeline::DurableStates::file_bytes(from.states_bytes) : 0;
    to.overhead_bytes = from.memory.overhead_bytes;
    to.budget_origin = static_cast<int32_t>(from.budget_origin);
    to.items = static_cast<uint32_t>(from.memory.items.size());
    const scrooge::pipeline::ChosenDevice& device = job->job->device();
    to.device_peak_bytes = from.memory.sum(scrooge::pipeline::Pool::kDevice);
    to.device_minimum_bytes = from.memory.device_minimum_bytes;
    to.device_budget_bytes = from.device_budget.bytes;
    to.device_budget_origin = static_cast<int32_t>(from.device_budget.origin);
    to.device_own_memory = device.own_memory() ? 1 : 0;
    to.device = job->job->options().device.c_str();
    to.device_name = device.info.name.c_str();
    to.device_reason = device.reason.c_str();
    to.held_out_tokens = from.held_out_tokens;
    to.statistics_tokens = from.statistics_tokens;
    to.disks = static_cast<uint32_t>(from.disks.size());
    return scrooge::capi::write_info(to, offsetof(scrooge_plan, spill_bytes), "plan", plan);
  });
}

scrooge_status scrooge_job_get_plan_item(const scrooge_job* job, uint32_t index, scrooge_plan_item* item,
                                         scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const std::vector<scrooge::pipeline::PlanItem>& items = job->job->plan().memory.items;
    if (index >= items.size()) {
      return scrooge::error(StatusCode::kInvalidArgument, "index: ", index, ", the plan has ", items.size(), " items");
    }
    const scrooge::pipeline::PlanItem& from = items[index];
    scrooge_plan_item to{};
    to.placement = static_cast<int32_t>(from.placement);
    to.stage = from.stage.c_str();
    to.purpose = from.purpose.c_str();
    to.bytes = from.bytes;
    to.memory = static_cast<int32_t>(from.pool);
    return scrooge::capi::write_info(to, offsetof(scrooge_plan_item, memory), "item", item);
  });
}

scrooge_status scrooge_job_get_disk(const scrooge_job* job, uint32_t index, scrooge_disk* disk, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const std::vector<scrooge::pipeline::DiskPlan>& disks = job->job->plan().disks;
    if (index >= disks.size()) {
      return scrooge::error(StatusCode::kInvalidArgument, "index: ", index, ", the plan has ", disks.size(), " disks");
    }
    const scrooge::pipeline::DiskPlan& from = disks[index];
    scrooge_disk to{};
    to.folder = from.folder.c_str();
    to.purposes = from.purposes.c_str();
    to.bytes = from.bytes;
    to.required_bytes = from.required_bytes;
    to.free_bytes = from.free.value_or(UINT64_MAX);
    return scrooge::capi::write_info(to, sizeof to, "disk", disk);
  });
}

scrooge_status scrooge_job_get_plan_json(const scrooge_job* job, char* buffer, size_t capacity, size_t* required,
                                         scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    return scrooge::capi::write_text(job->job->plan_json(), buffer, capacity, required);
  });
}

scrooge_status scrooge_job_get_time_plan(const scrooge_job* job, scrooge_time_plan* time, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const scrooge::pipeline::TimePlan from = job->job->time_plan();
    scrooge_time_plan to{};
    to.items = static_cast<uint32_t>(from.items.size());
    to.seconds = from.seconds();
    to.seconds_fast = from.fast_seconds;
    to.rate_exact = from.rates.exact;
    to.rate_fast = from.rates.fast;
    to.rate_measured = from.rates.measured ? 1 : 0;
    return scrooge::capi::write_info(to, sizeof to, "time", time);
  });
}

scrooge_status scrooge_job_get_time_item(const scrooge_job* job, uint32_t index, scrooge_time_item* item,
                                         scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const std::vector<scrooge::pipeline::TimeItem> items = job->job->time_plan().items;
    if (index >= items.size()) {
      return scrooge::error(StatusCode::kInvalidArgument, "index: ", index, ", the plan has ", items.size(), " items");
    }
    scrooge_time_item to{};
    to.purpose = items[index].purpose;
    to.seconds = items[index].seconds;
    return scrooge::capi::write_info(to, sizeof to, "item", item);
  });
}

scrooge_status scrooge_job_convert(scrooge_job* job, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    return job->job->convert();
  });
}

void scrooge_job_cancel(scrooge_job* job) {
  if (job != nullptr) job->job->cancel();
}

scrooge_status scrooge_job_get_guards(const scrooge_job* job, scrooge_guards* guards, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    const scrooge::pipeline::GuardCounts from = job->job->guards();
    scrooge_guards to{};
    to.held_out_tokens = job->job->plan().held_out_tokens;
    to.statistics_tokens = job->job->statistics_tokens();
    to.overfit_corrections = from.overfit_corrections;
    to.overfit_linears = from.overfit_linears;
    to.nearest_linears = from.nearest_linears;
    to.damped_stages = from.damped_stages;
    to.broken_down_stages = from.broken_down_stages;
    return scrooge::capi::write_info(to, sizeof to, "guards", guards);
  });
}

scrooge_status scrooge_job_get_report_json(const scrooge_job* job, char* buffer, size_t capacity, size_t* required,
                                           scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::require_job(job));
    return scrooge::capi::write_text(job->job->report_json(), buffer, capacity, required);
  });
}

void scrooge_job_destroy(scrooge_job* job) { delete job; }

}  // extern "C"
