// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/quantize_job.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>
#include <type_traits>

#include "src/base/atomic_file.h"
#include "src/base/budget_hold.h"
#include "src/base/digest.h"
#include "src/base/text.h"
#include "src/pipeline/job_report.h"
#include "src/pipeline/source_digest.h"
#include "src/pipeline/text_tokens.h"

namespace scrooge::pipeline {

using calibration::Chunking;

namespace {

constexpr int64_t kMaxSamples = int64_t{1} << 24;
constexpr int64_t kMaxLength = int64_t{1} << 20;

// A NaN is outside too.
template <typename T>
Status in_range(std::string_view name, T value, std::type_identity_t<T> low, std::type_identity_t<T> high) {
  if (value >= low && value <= high) return {};
  return error(StatusCode::kInvalidArgument, name, ": ", value, " is outside ", low, " to ", high);
}

std::string_view sampling_name(calibration::Sampling sampling) {
  switch (sampling) {
    case calibration::Sampling::kFirst: return "first";
    case calibration::Sampling::kEven: return "even";
    case calibration::Sampling::kRandom: return "random";
  }
  return "unknown";
}

std::string_view method_name(Method method) { return method == Method::kAwq ? "awq" : "rtn"; }

// Whether another attempt with the same inputs can end otherwise. A card's driver may say anything once.
bool may_pass(StatusCode code, const backend::DeviceInfo& device) {
  switch (code) {
    case StatusCode::kInternal:
    case StatusCode::kUnsupported: return !device.host_memory;
    case StatusCode::kCancelled:
    case StatusCode::kSourceChanged:  // the fingerprint tells whether it came back as it was
    case StatusCode::kOutOfMemory:
    case StatusCode::kBudgetExceeded:
    case StatusCode::kUnavailable:
    case StatusCode::kPermissionDenied:
    case StatusCode::kIoError:
    case StatusCode::kNoSpace: return true;
    default: return false;
  }
}

// `name` is the option's, `output` its file.
Status check_output(std::string_view name, const std::string& output, const ModelSource& source,
                    const QuantizeOptions& options) {
  std::vector<std::string> inputs{options.calibration_text, options.calibration_ids, options.from_calibration};
  for (const SourceFile& file : source.files()) inputs.push_back(file.path);
  for (const std::string& input : inputs) {
    if (!input.empty() && is_same_file(output, input)) {
      return error(StatusCode::kInputIsOutput, name, " ", output, ": the same file as the input ", input,
                   "; give another name for the output");
    }
  }
  return AtomicFile::check_writable(output);
}

// Whether both lead to one file, there or not yet.
bool is_same_name(const std::string& a, const std::string& b) {
  const auto last = [](const std::string& path) { return std::string_view(path).substr(path.rfind('/') + 1); };
  return is_same_file(a, b) || (last(a) == last(b) && is_same_file(folder_of(a), folder_of(b)));
}

}  // namespace

QuantizeJob::QuantizeJob(QuantizeOptions options) : options_(std::move(options)) {}
QuantizeJob::~QuantizeJob() = default;

Status QuantizeJob::validate() {
  SCROOGE_RETURN_IF_ERROR(options_.spec.validate());
  if (options_.layout.empty()) options_.layout = "canonical";
  SCROOGE_ASSIGN_OR_RETURN(layout_, container::find_layout(options_.layout, options_.spec));
  SCROOGE_RETURN_IF_ERROR(container::check_layout(layout_, options_.spec));
  SCROOGE_RETURN_IF_ERROR(in_range("samples", options_.samples, 1, kMaxSamples));
  SCROOGE_RETURN_IF_ERROR(in_range("length", options_.length, 2, kMaxLength));
  SCROOGE_RETURN_IF_ERROR(in_range("grid", options_.grid, 0, 1000));
  SCROOGE_RETURN_IF_ERROR(in_range("threads", options_.threads, 0, 1024));
  SCROOGE_RETURN_IF_ERROR(in_range("effort", static_cast<int64_t>(options_.effort), 0, 2));
  if (options_.threads == 0) {
    options_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }
  SCROOGE_RETURN_IF_ERROR(settle_device());
  SCROOGE_RETURN_IF_ERROR(choose_solver());
  if (!options_.from_calibration.empty()) return choose_saved_solver();
  solve_.keep_calibration = !options_.save_calibration.empty();
  if (solve_.keep_calibration && options_.method != Method::kAwq) {
    return error(StatusCode::kInvalidArgument, "save-calibration: round-to-nearest has no calibration to save");
  }
  return {};
}

Status QuantizeJob::settle_device() {
  if (options_.reproducible) {
    const std::string& device = options_.device;
    if (device != "cpu" && device != "cpu:0" && device != backend::kReproducibleBackend) {
      return error(StatusCode::kInvalidArgument, "reproducible: device ", printable(device),
                   " has no arithmetic in a fixed order; leave the device out, or give cpu");
    }
    options_.device = backend::kReproducibleBackend;
  }
  SCROOGE_ASSIGN_OR_RETURN(device_, choose_device(options_.device));
  options_.device = device_.id();
  if (!device_.reason.empty()) {
    log(options_.log, LogLevel::kInfo, "device ", device_.id(), ", ", printable(device_.info.name), ": ",
        device_.reason);
  }
  return {};
}

Result<std::unique_ptr<QuantizeJob>> QuantizeJob::prepare(QuantizeOptions options) {
  std::unique_ptr<QuantizeJob> job(new QuantizeJob(std::move(options)));
  SCROOGE_RETURN_IF_ERROR(job->validate());
  const QuantizeOptions& o = job->options_;
  SCROOGE_ASSIGN_OR_RETURN(job->source_, ModelSource::open(o.checkpoint, o.log));
  if (job->source_->format() == "scrooge") {
    return error(StatusCode::kInvalidArgument, o.checkpoint,
                 ": already a .scrooge file; give the checkpoint it was made from");
  }
  if (!o.output.empty()) SCROOGE_RETURN_IF_ERROR(check_output("output", o.output, *job->source_, o));
  if (!o.output.empty() && !o.save_calibration.empty()) {
    SCROOGE_RETURN_IF_ERROR(check_output("save-calibration", o.save_calibration, *job->source_, o));
    if (is_same_name(o.save_calibration, o.output)) {
      return error(StatusCode::kInvalidArgument, "save-calibration ", o.save_calibration,
                   ": the same file as the output; give another name for one of them");
    }
  }
  if (!o.spill.empty()) SCROOGE_RETURN_IF_ERROR(disk_space(o.spill).status().with_context("--spill"));
  if (!o.from_calibration.empty()) SCROOGE_RETURN_IF_ERROR(job->open_saved());
  if (job->calibrates()) {
    if (o.seed != 0 && o.sampling != calibration::Sampling::kRandom) {
      return error(StatusCode::kInvalidArgument, "seed: ", o.seed, " chooses rows at random, but sampling is ",
                   sampling_name(o.sampling), "; give sampling random, or no seed");
    }
    const bool text_given = !o.calibration_text.empty() || !o.calibration_ids.empty();
    if (!text_given && !o.output.empty()) {
      return error(StatusCode::kInvalidArgument,
                   "calibration: no text given; AWQ needs a text file, or a file of token "
                   "ids, to calibrate on");
    }
    job->rows_.rows = o.samples;
    job->rows_.length = o.length;
    if (text_given) {
      const MemoryBudget unused;
      Reporter reporter(o.progress, unused, nullptr);
      reporter.state().stage = "tokenize";
      SCROOGE_ASSIGN_OR_RETURN(
          job->rows_,
          read_token_rows(*job->source_,
                          {o.calibration_text, o.calibration_ids, o.length, o.samples, o.sampling, o.seed},
                          choose_host_budget(o.memory, o.device_memory, job->device_.info).bytes, &reporter));
      if (job->rows_.rows < o.samples) {
        log(o.log, LogLevel::kWarning, "the calibration text fills ", job->rows_.rows, " rows of ", o.length,
            " tokens, fewer than the ", o.samples, " asked for");
      }
    }
    if (job->source_->config().max_positions > 0 && o.length > job->source_->config().max_positions) {
      log(o.log, LogLevel::kWarning, "rows of ", o.length, " tokens are longer than the model's context of ",
          job->source_->config().max_positions);
    }
    job->chunking_ = calibration::chunking_for(job->rows_.rows, job->rows_.length, o.selection.held_out);
    const calibration::TokenSelection selection(job->chunking_, o.selection);
    job->plan_.held_out_tokens = selection.held_out_tokens();
    job->plan_.statistics_tokens = selection.statistics_tokens();
    job->warn_of_held_out();
  }
  job->settle_budget();
  SCROOGE_RETURN_IF_ERROR(job->make_plan());
  SCROOGE_RETURN_IF_ERROR(job->plan_disks());
  return job;
}

// Where whole rows come nowhere near what is asked for.
void QuantizeJob::warn_of_held_out() const {
  const double asked = options_.selection.held_out;
  const double share = 100 * static_cast<double>(plan_.held_out_tokens) / static_cast<double>(chunking_.tokens());
  if (std::fabs(share - asked) <= asked / 4) return;
  const std::string rows = concat("of ", chunking_.sequences, " rows of ", chunking_.sequence, " tokens");
  if (plan_.held_out_tokens == 0) {
    log(options_.log, LogLevel::kWarning, "held-out: ", rows, " none is held out, for ", asked,
        " percent are nearer to none than to one, or too few tokens to decide anything: nothing checks the result; "
        "give more samples, or --held-out 0");
  } else {
    log(options_.log, LogLevel::kWarning, "held-out: ", rows, " whole ones come no nearer to ", asked, " percent than ",
        format_fixed(share, 1), "; more samples do");
  }
}

// Once, when what prepare itself held is gone.
void QuantizeJob::settle_budget() {
  trim_heap();
  if (device_.own_memory()) plan_.device_budget = choose_device_budget(options_.device_memory, device_.info);
  const BudgetChoice choice = choose_host_budget(options_.memory, options_.device_memory, device_.info);
  options_.memory = choice.bytes;
  plan_.budget_origin = choice.origin;
}

// The documented combinations (README.md of this folder has the measurements behind them).
Status QuantizeJob::choose_solver() {
  struct Combination {
    std::string_view rounding;
    double correct;
    int refine;
    int refit;
  };
  static constexpr Combination kCombinations[] = {{"nearest", 0, 0, 0}, {"gptq", 0.5, 4, 1}, {"gptq", 0.5, 4, 3}};
  const Combination& by_effort = kCombinations[static_cast<size_t>(options_.effort)];
  solve_ = {options_.spec, options_.grid, options_.clip, nullptr, 0, 0, 0};
  SCROOGE_ASSIGN_OR_RETURN(solve_.rounding,
                           awq::find_rounding(options_.rounding.empty() ? by_effort.rounding : options_.rounding));
  solve_.refine = options_.refine < 0 ? by_effort.refine : options_.refine;
  solve_.refit = options_.refit < 0 ? by_effort.refit : options_.refit;
  // Only outputs propagated linear by linear show the error that is to be corrected.
  const bool can_correct = options_.propagate == Propagate::kLinear;
  if (options_.correct > 0 && !can_correct) {
    return error(StatusCode::kInvalidArgument, "correct: needs --propagate linear; give --correct 0 with the others");
  }
  solve_.correct = options_.correct < 0 ? (can_correct ? by_effort.correct : 0) : options_.correct;
  SCROOGE_RETURN_IF_ERROR(in_range("correct", solve_.correct, 0, 1));
  SCROOGE_RETURN_IF_ERROR(in_range("refine", solve_.refine, 0, 100));
  SCROOGE_RETURN_IF_ERROR(in_range("refit", solve_.refit, 0, 100));
  SCROOGE_RETURN_IF_ERROR(in_range("held-out", options_.selection.held_out, 0, 50));
  SCROOGE_RETURN_IF_ERROR(in_range("outlier-percent", options_.selection.outliers, 0, 50));
  return in_range("max-tokens-per-sample", options_.selection.per_sample, 0, kMaxLength);
}

BlockQuantizerOptions QuantizeJob::quantizer_options() const {
  BlockQuantizerOptions result;
  result.solve = solve_;
  result.calibrate = calibrates();
  result.saved = saved_ ? &*saved_ : nullptr;
  if (options_.method != Method::kAwq) {
    result.solve.rounding = &awq::kNearest;
    result.solve.correct = 0;
    result.solve.grid = 0;
  }
  result.propagate = options_.propagate;
  result.selection = options_.selection;
  result.residency = residency_;
  result.staged = !device_.info.host_memory;
  return result;
}

Result<container::ModelInfo> QuantizeJob::model_info() const {
  const QuantizeOptions& o = options_;
  container::ModelInfo info;
  info.tag = output_tag(method_name(o.method), o.spec, source_->dense_type(source_->head_name()));
  info.architecture = source_->config().family;
  info.method = method_name(o.method);
  info.spec = o.spec;
  info.layout = layout_;
  info.seed = o.seed;
  info.grid = static_cast<uint32_t>(o.method == Method::kAwq ? o.grid : 0);
  info.propagate = o.method == Method::kAwq ? propagate_name(o.propagate) : "";
  info.library_version = SCROOGE_VERSION;
  info.source_format = source_->format();
  const bool awq = o.method == Method::kAwq;
  info.attributes = {{"clip", awq && o.clip ? "true" : "false"},
                     {"correct", concat(awq ? solve_.correct : 0)},
                     {"device", std::string(device_.backend->name)},
                     {"effort", awq ? std::string(effort_name(o.effort)) : ""},
                     {"held_out_percent", concat(awq ? o.selection.held_out : 0)},
                     {"length", concat(rows_.length)},
                     {"max_tokens_per_sample", concat(awq ? o.selection.per_sample : 0)},
                     {"outlier_percent", concat(awq ? o.selection.outliers : 0)},
                     {"refine", concat(awq ? solve_.refine : 0)},
                     {"refit", concat(awq ? solve_.refit : 0)},
                     {"rounding", awq ? std::string(solve_.rounding->name) : "nearest"},
                     {"samples", concat(rows_.rows)},
                     {"sampling", awq ? std::string(sampling_name(o.sampling)) : ""}};
  info.tokens = token_accounting();
  info.blocks = reports_;
  if (saved_) describe_saved(info);
  return info;
}

container::TokenAccounting QuantizeJob::token_accounting() const {
  container::TokenAccounting tokens{rows_.tokens(), rows_.dropped, static_cast<uint64_t>(rows_.rows),
                                    static_cast<uint64_t>(rows_.length)};
  if (!calibrates()) return tokens;
  tokens.held_out = plan_.held_out_tokens;
  tokens.statistics = plan_.statistics_tokens;
  // How many outliers are among the tokens held out differs from block to block.
  for (const container::BlockReport& block : reports_) tokens.statistics = std::min(tokens.statistics, block.tokens);
  return tokens;
}

void QuantizeJob::record(int64_t block, const BlockOutcome& outcome, Reporter& reporter) {
  Progress& progress = reporter.state();
  BlockFigures figures = solver_figures(outcome);
  figures.calibrate_seconds = progress.calibrate_seconds = outcome.calibrate_seconds;
  figures.quantize_seconds = progress.quantize_seconds = outcome.quantize_seconds;
  // Per token, so that runs of different length compare.
  const double tokens = std::max<double>(1, static_cast<double>(outcome.tokens));
  const double seconds = outcome.calibrate_seconds + outcome.quantize_seconds;
  figures.loss = progress.loss = outcome.loss() / tokens;
  figures.loss_rtn = progress.loss_rtn = outcome.loss_rtn() / tokens;
  figures.fold_error = outcome.fold_error;
  figures.memory_before = progress.memory_before;
  figures.device_memory_before = progress.device_memory_before;
  progress.tokens_per_second = outcome.tokens > 0 ? static_cast<double>(chunking_.tokens()) / seconds : 0;

  container::BlockReport report = block_report(source_->block_plan(), block, outcome);
  for (const container::LinearReport& linear : report.linears) {
    if (linear.fell_back) {
      log(options_.log, LogLevel::kWarning, linear.name,
          ": its stage was not better than round-to-nearest everywhere and keeps its weights unscaled");
    }
  }
  for (size_t i = 0; i < figures.stages.size(); ++i) {
    const std::string stage = concat(model::block_prefix(block), report.scale_sets[i].name);
    if (figures.stages[i].broke_down) {
      log(options_.log, LogLevel::kWarning, stage, ": the Gram matrix is not definite with 10 % of damping either; ",
          solve_.rounding->needs_factor && figures.stages[i].damping == 0 ? "no second-order rounding"
                                                                          : "not corrected",
          "; more or longer samples help");
    } else if (figures.stages[i].damping > 0.01) {
      log(options_.log, LogLevel::kInfo, stage, ": damped by ", 100 * figures.stages[i].damping, " %");
    }
    if (!figures.stages[i].correction_overfit) continue;
    log(options_.log, LogLevel::kInfo, stage,
        ": overfitting, the corrected linears are worse than round-to-nearest on held-out tokens; solved uncorrected");
  }
  for (size_t i = 0; i < report.linears.size(); ++i) {
    if (!figures.linears[i].overfit) continue;
    log(options_.log, LogLevel::kWarning, report.linears[i].name,
        ": overfitting, better than round-to-nearest on the calibration tokens and worse on held-out ones; its "
        "stage is rounded to nearest; more samples help");
  }
  if (saved_) restore_report(block, report);
  reports_.push_back(std::move(report));
  blocks_.push_back(figures);
}

// Everything that the bytes of the output depend on, and nothing else: not the budget, the threads, what is spilled.
// Arithmetic is that of a kind of device: its backend and the features that its ops use, on a card also which one it is
// and its driver, whose compiler has the last word on sums. Which of two equal cards it is makes no difference.
Result<std::string> QuantizeJob::fingerprint(const backend::Device& device, Reporter& reporter) {
  if (sources_.empty()) {  // an earlier attempt may have done it; the source is watched for changes since
    SCROOGE_ASSIGN_OR_RETURN(sources_,
                             digest_sources(*source_, [&] { return reporter.report(Phase::kPrepare, "digest", 0); }));
  }
  if (saved_) {
    SCROOGE_RETURN_IF_ERROR(saved_->check_sources(sources_));
    SCROOGE_ASSIGN_OR_RETURN(saved_digest_,
                             saved_->digest([&] { return reporter.report(Phase::kPrepare, "digest", 0); }));
  }
  SCROOGE_ASSIGN_OR_RETURN(const container::ModelInfo info, model_info());
  std::string text;
  const auto line = [&](std::string_view key, const auto& value) { text += concat(key, "=", value, "\n"); };
  line("library", info.library_version);
  const backend::DeviceInfo arithmetic = device.describe();
  line("arithmetic", concat(arithmetic.backend, " ", arithmetic.features));
  if (!arithmetic.driver.empty())
    line("card", concat(printable(arithmetic.name), ", driver ", printable(arithmetic.driver)));
  for (const container::Source& source : sources_) {
    line(concat("checkpoint ", source.name), concat(source.size, " bytes, SHA-256 ", source.sha256));
  }
  line("scheme", info.tag);
  line("layout", container::layout_name(info.layout));
  line("propagate", info.propagate);
  line("grid", info.grid);
  line("seed", info.seed);
  for (const container::Attribute& attribute : info.attributes) line(attribute.key, attribute.value);
  if (rows_.rows > 0) line("calibration tokens", token_digest());
  if (solve_.keep_calibration) line("save calibration", "true");
  return text;
}

Status QuantizeJob::run(const Budgets& budgets, Reporter& reporter) {
  reporter.state().blocks = static_cast<uint32_t>(plan_.blocks);
  SCROOGE_RETURN_IF_ERROR(reporter.report(Phase::kPrepare, "open", 0));
  SCROOGE_ASSIGN_OR_RETURN(const auto device, device_.create({options_.threads, &budgets.device, &reporter,
                                                              device_.own_memory() ? &budgets.host : nullptr}));
  device_made_ = true;
  ResumeOptions resume_options{options_.output,
                               {},
                               options_.fresh,
                               output_format(),
                               plan_.output_bytes,
                               options_.save_calibration,
                               calibration_bytes_,
                               options_.log,
                               [&] { return reporter.report(Phase::kPrepare, "wait", 0); },
                               &reporter};
  SCROOGE_ASSIGN_OR_RETURN(const std::string job, fingerprint(*device, reporter));
  resume_options.fingerprint = job;
  BlockQuantizerOptions quantizing = quantizer_options();
  quantizing.host_budget = &budgets.host;
  uint64_t counted = 0;
  for (const PlanItem& item : counted_items()) counted += item.bytes;
  SCROOGE_ASSIGN_OR_RETURN(const BudgetHold hold, BudgetHold::take(budgets.host, counted, "token ids and results"));
  SCROOGE_ASSIGN_OR_RETURN(const auto quantizer,
                           BlockQuantizer::create(*device, *source_, chunking_, quantizing, reporter));
  SCROOGE_ASSIGN_OR_RETURN(const auto output, ResumableOutput::open(std::move(resume_options), *device, *source_));
  options_.fresh = false;  // what is there now is of this job, also for another attempt
  kept_blocks_ = output->finished_blocks();
  if (finished_before_ < 0) finished_before_ = kept_blocks_;
  if (output->done_elsewhere()) return read_records(*output);
  // Before the first record, with which the names of all files become durable.
  SCROOGE_RETURN_IF_ERROR(open_states(job, *device));
  Status done = output->write_front();
  if (done.ok() && calibrates()) done = quantizer->embed(rows_);
  prefetch_block(*source_, 0);
  if (done.ok()) done = resume(*quantizer, *output, budgets, reporter);
  if (done.ok()) done = quantize_blocks(*quantizer, *output, budgets, reporter);
  // Before the journal goes: behind it the name may be another process's.
  if (done.ok() || output->finished_blocks() == 0 || !may_pass(done.code(), device_.info))
    DurableStates::remove(options_.output);
  if (done.ok()) done = publish(*output, reporter);
  kept_blocks_ = output->finished_blocks();
  if (!done.ok() && kept_blocks_ > 0 && !may_pass(done.code(), device_.info)) output->discard();
  return done;
}

Status QuantizeJob::publish(ResumableOutput& output, Reporter& reporter) {
  SCROOGE_RETURN_IF_ERROR(reporter.report(Phase::kFinish, "finish", 1));
  SCROOGE_ASSIGN_OR_RETURN(container::ModelInfo info, model_info());
  info.sources = sources_;
  SCROOGE_RETURN_IF_ERROR(source_->check_unchanged());
  SCROOGE_RETURN_IF_ERROR(output.finish(info, saving_info(info)));
  output_bytes_ = output.size();
  durable_seconds_ += output.durable_seconds();
  return {};
}

// The figures of memory start over with every block.
void QuantizeJob::begin_block(int64_t block, const Budgets& budgets, Reporter& reporter) {
  reporter.state().block = static_cast<uint32_t>(block);
  reporter.state().memory_before = budgets.host.used();
  if (!device_.own_memory()) return;
  device_peak_bytes_ = std::max(device_peak_bytes_, budgets.device.take_peak());
  reporter.state().device_memory_before = budgets.device.used();
}

Status QuantizeJob::quantize_blocks(BlockQuantizer& quantizer, ResumableOutput& output, const Budgets& budgets,
                                    Reporter& reporter) {
  for (int64_t block = output.finished_blocks(); block < plan_.blocks; ++block) {
    begin_block(block, budgets, reporter);
    SCROOGE_ASSIGN_OR_RETURN(const BlockOutcome outcome, quantizer.quantize(block));
    record(block, outcome, reporter);
    blocks_.back().memory_after = budgets.host.used();
    if (device_.own_memory()) {
      blocks_.back().device_memory_after = budgets.device.used();
      blocks_.back().device_memory_peak = budgets.device.peak();
    }
    SCROOGE_RETURN_IF_ERROR(output.write_block(block, outcome, reports_.back(), blocks_.back()));
    const Stopwatch watch;
    SCROOGE_RETURN_IF_ERROR(save_states(block, quantizer, reporter));
    durable_seconds_ += watch.seconds();
    // Temporaries of many sizes, the matrix library's among them, leave holes that the C library keeps; without this
    // the process grows by a megabyte or two a block although nothing is held.
    trim_heap();
    const double fraction = static_cast<double>(block + 1) / static_cast<double>(plan_.blocks);
    SCROOGE_RETURN_IF_ERROR(reporter.report(Phase::kBlockDone, "done", fraction));
  }
  return {};
}

Status QuantizeJob::convert() {
  if (options_.output.empty()) return error(StatusCode::kInvalidArgument, "output: no path given");
  if (converted_) return error(StatusCode::kInvalidArgument, "this job has run; prepare a new one");
  converted_ = true;
  SCROOGE_RETURN_IF_ERROR(check_disks());
  MemoryBudget host(options_.memory, options_.allocator);
  MemoryBudget device(plan_.device_budget.bytes, {}, "--device-memory");
  const bool own = device_.own_memory();
  const Budgets budgets{host, own ? device : host};
  Reporter reporter(options_.progress, host, &cancelled_, own ? &device : nullptr);
  source_->set_cancel(&reporter);
  Status status = run(budgets, reporter);
  while (!status.ok()) {
    Result<bool> again = may_try_again(status, budgets);
    if (!again.ok()) status = again.status();
    if (!again.ok() || !*again) break;
    start_over();
    status = run(budgets, reporter);
  }
  source_->set_cancel(nullptr);
  seconds_ = reporter.elapsed();
  peak_bytes_ = host.peak();
  if (own) device_peak_bytes_ = std::max(device_peak_bytes_, device.peak());
  if (status.ok() || kept_blocks_ == 0 || !may_pass(status.code(), device_.info)) return status;
  return status.with_advice(concat(kept_blocks_, " of ", plan_.blocks, " blocks are kept in ",
                                   AtomicFile::partial_name(options_.output),
                                   ": the same command goes on there, with --fresh it starts over"));
}

std::string QuantizeJob::plan_json() const {
  JsonWriter json;
  json.begin_object();
  plan_.memory.write_json(json);
  time_plan().write_json(json);
  json.field("blocks", plan_.blocks).field("output_bytes", plan_.output_bytes).field("tokens", plan_.tokens);
  json.field("states_bytes", plan_.states_bytes > 0 ? DurableStates::file_bytes(plan_.states_bytes) : 0);
  json.field("tokens_dropped", plan_.tokens_dropped).field("bits_per_weight", plan_.bits_per_weight);
  json.field("held_out_tokens", plan_.held_out_tokens).field("statistics_tokens", plan_.statistics_tokens);
  BudgetChoice{options_.memory, plan_.budget_origin}.write_json(json);
  plan_.device_budget.write_json(json, "device_");
  write_disk_json(plan_.disks, json);
  json.key("settings").begin_object();
  if (saved_) {
    json.field("from_calibration", std::string_view(printable(options_.from_calibration)));
    json.field("rounding", solve_.rounding->name);
  } else if (calibrates()) {
    json.field("samples", rows_.rows).field("length", rows_.length).field("effort", effort_name(options_.effort));
    json.field("rounding", solve_.rounding->name).field("correct", solve_.correct);
    json.field("refine", solve_.refine).field("refit", solve_.refit);
    json.field("propagate", propagate_name(options_.propagate)).field("grid", solve_.grid);
  }
  json.field("method", method_name(options_.method)).field("bits", options_.spec.bits);
  json.field("layout", options_.layout);
  json.field("group", options_.spec.group).field("threads", options_.threads).field("device", options_.device);
  json.field("device_name", printable(device_.info.name)).field("device_reason", device_.reason);
  json.end_object();
  json.end_object();
  return json.text();
}

std::string QuantizeJob::report_json() const {
  JobTotals totals;
  totals.seconds = seconds_;
  totals.durable_seconds = durable_seconds_;
  totals.peak_bytes = peak_bytes_;
  totals.planned_peak_bytes = plan_.memory.peak_bytes;
  totals.budget = {options_.memory, plan_.budget_origin};
  totals.device = options_.device;
  totals.device_name = printable(device_.info.name);
  totals.device_budget = plan_.device_budget;
  totals.device_peak_bytes = device_peak_bytes_;
  totals.planned_device_peak_bytes = plan_.memory.sum(Pool::kDevice);
  totals.device_losses = device_losses_;
  totals.device_refusals = device_refusals_;
  totals.bits_per_weight = plan_.bits_per_weight;
  totals.output_bytes = output_bytes_;
  totals.layout = options_.layout;
  totals.tokens = plan_.tokens;
  totals.tokens_dropped = plan_.tokens_dropped;
  totals.threads = options_.threads;
  totals.resumed_blocks = static_cast<uint64_t>(std::max<int64_t>(finished_before_, 0));
  if (calibrates()) {
    totals.held_out_tokens = plan_.held_out_tokens;
    totals.statistics_tokens = token_accounting().statistics;
  }
  return write_report(totals, blocks_, reports_);
}

}  // namespace scrooge::pipeline
