// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/quantize_job.h"

#include <algorithm>
#include <numeric>
#include <thread>
#include <type_traits>

#include "src/backend/backend_list.h"
#include "src/base/atomic_file.h"
#include "src/base/digest.h"
#include "src/pipeline/job_report.h"
#include "src/pipeline/source_digest.h"
#include "src/pipeline/text_tokens.h"

namespace scrooge::pipeline {

using calibration::Chunking;

namespace {

constexpr int64_t kMaxSamples = int64_t{1} << 24;
constexpr int64_t kMaxLength = int64_t{1} << 20;

// What the process grows by outside the budget once it works: the matrix library's generated code and packing buffers,
// thread stacks, row tiles on their way into the file. Measured below 14 MiB on 2 threads.
constexpr uint64_t kLibraryOverhead = uint64_t{16} << 20;

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

// Whether another attempt with the same inputs can end otherwise.
bool may_pass(StatusCode code) {
  switch (code) {
    case StatusCode::kCancelled:
    case StatusCode::kOutOfMemory:
    case StatusCode::kBudgetExceeded:
    case StatusCode::kUnavailable:
    case StatusCode::kPermissionDenied:
    case StatusCode::kIoError:
    case StatusCode::kNoSpace: return true;
    default: return false;
  }
}

Status check_output(const std::string& output, const ModelSource& source, const QuantizeOptions& options) {
  std::vector<std::string> inputs{options.calibration_text, options.calibration_ids};
  for (const SourceFile& file : source.files()) inputs.push_back(file.path);
  for (const std::string& input : inputs) {
    if (!input.empty() && is_same_file(output, input)) {
      return error(StatusCode::kInputIsOutput, "output ", output, ": the same file as the input ", input,
                   "; give another name for the output");
    }
  }
  return AtomicFile::check_writable(output);
}

}  // namespace

QuantizeJob::QuantizeJob(QuantizeOptions options) : options_(std::move(options)) {}
QuantizeJob::~QuantizeJob() = default;

Status QuantizeJob::validate() {
  SCROOGE_RETURN_IF_ERROR(options_.spec.validate());
  SCROOGE_RETURN_IF_ERROR(in_range("samples", options_.samples, 1, kMaxSamples));
  SCROOGE_RETURN_IF_ERROR(in_range("length", options_.length, 2, kMaxLength));
  SCROOGE_RETURN_IF_ERROR(in_range("grid", options_.grid, 0, 1000));
  SCROOGE_RETURN_IF_ERROR(in_range("threads", options_.threads, 0, 1024));
  SCROOGE_RETURN_IF_ERROR(in_range("effort", static_cast<int64_t>(options_.effort), 0, 2));
  if (options_.threads == 0) {
    options_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }
  return choose_solver();
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
  if (!o.output.empty()) SCROOGE_RETURN_IF_ERROR(check_output(o.output, *job->source_, o));
  if (o.method == Method::kAwq) {
    const bool text_given = !o.calibration_text.empty() || !o.calibration_ids.empty();
    if (!text_given && !o.output.empty()) {
      return error(StatusCode::kInvalidArgument,
                   "calibration: no text given; AWQ needs a text file, or a file of token "
                   "ids, to calibrate on");
    }
    job->rows_.rows = o.samples;
    job->rows_.length = o.length;
    if (text_given) {
      SCROOGE_ASSIGN_OR_RETURN(job->rows_, read_token_rows(*job->source_, {o.calibration_text, o.calibration_ids,
                                                                           o.length, o.samples, o.sampling, o.seed}));
      if (job->rows_.rows < o.samples) {
        log(o.log, LogLevel::kWarning, "the calibration text fills ", job->rows_.rows, " rows of ", o.length,
            " tokens, fewer than the ", o.samples, " asked for");
      }
    }
    if (job->source_->config().max_positions > 0 && o.length > job->source_->config().max_positions) {
      log(o.log, LogLevel::kWarning, "rows of ", o.length, " tokens are longer than the model's context of ",
          job->source_->config().max_positions);
    }
    job->chunking_ = Chunking::of(job->rows_.rows, job->rows_.length);
  }
  SCROOGE_RETURN_IF_ERROR(job->make_plan());
  return job;
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
  result.calibrate = options_.method == Method::kAwq;
  if (!result.calibrate) {
    result.solve.rounding = &awq::kNearest;
    result.solve.correct = 0;
    result.solve.grid = 0;
  }
  result.propagate = options_.propagate;
  result.selection = options_.selection;
  result.spill = spill_;
  return result;
}

// What the job holds with the present choice of what is spilled.
Status QuantizeJob::plan_memory() {
  MemoryPlan& memory = plan_.memory;
  memory = {};
  const model::BlockPlan& block = source_->block_plan();
  BlockQuantizer::plan_memory(*source_, chunking_, quantizer_options(), memory);
  memory.add("write", "packed codes of a linear", OutputFile::device_bytes(block, options_.spec));
  int64_t max_k = 0;
  int64_t max_n = 0;
  for (const model::LinearPlan& linear : block.linears) {
    max_k = std::max(max_k, linear.cols);
    max_n = std::max(max_n, linear.rows);
  }
  SCROOGE_ASSIGN_OR_RETURN(const backend::Backend* const backend, backend::find_backend(options_.device));
  if (backend->scratch_bytes != nullptr) {
    memory.add("job", "scratch of the backend",
               backend->scratch_bytes(options_.threads, max_k, max_n, options_.length));
  }
  memory.minimum_bytes = memory.sum();
  return {};
}

// Memory as long as it lasts; then what is read least often goes first. The minimum is that of everything spilled.
Status QuantizeJob::choose_spill() {
  spill_ = {options_.spill, false, false, false};
  SCROOGE_RETURN_IF_ERROR(plan_memory());
  if (options_.spill.empty() || options_.method != Method::kAwq) return {};
  spill_ = {options_.spill, true, true, true};
  SCROOGE_RETURN_IF_ERROR(plan_memory());
  const uint64_t minimum = plan_.memory.minimum_bytes;
  spill_ = {options_.spill, false, false, false};
  for (bool* const next : {&spill_.attention, &spill_.original, &spill_.hidden}) {
    SCROOGE_RETURN_IF_ERROR(plan_memory());
    if (plan_.memory.sum() <= options_.memory) break;
    *next = true;
  }
  SCROOGE_RETURN_IF_ERROR(plan_memory());
  plan_.memory.minimum_bytes = minimum;
  return {};
}

Status QuantizeJob::make_plan() {
  const model::BlockPlan& block = source_->block_plan();
  const model::ModelConfig& config = source_->config();
  MemoryPlan& memory = plan_.memory;
  SCROOGE_RETURN_IF_ERROR(choose_spill());
  int64_t weights = 0;
  double bits = 0;
  for (const model::LinearPlan& linear : block.linears) {
    weights += linear.rows * linear.cols;
    bits += options_.spec.bits_per_weight(linear.cols) * static_cast<double>(linear.rows * linear.cols);
  }
  plan_.blocks = config.blocks;
  plan_.bits_per_weight = bits / static_cast<double>(weights);
  plan_.tokens = static_cast<uint64_t>(chunking_.tokens());
  plan_.tokens_dropped = rows_.dropped;
  const auto segments = output_segments(*source_, options_.spec, options_.method == Method::kAwq);
  SCROOGE_ASSIGN_OR_RETURN(container::ModelInfo info, model_info());
  expect_reports(info);
  SCROOGE_ASSIGN_OR_RETURN(plan_.output_bytes, container::planned_size(segments, info));
  // The tokenizer and the text are gone by now; what is left of the process is what it stays at.
  trim_heap();
  memory.overhead_bytes = resident_anonymous_bytes() + kLibraryOverhead;
  memory.peak_bytes = memory.sum() + memory.overhead_bytes;
  if (options_.memory < memory.minimum_bytes) {
    const bool could_spill = options_.spill.empty() && options_.method == Method::kAwq;
    return error(StatusCode::kBudgetExceeded, "memory: this job needs at least ", format_bytes(memory.minimum_bytes),
                 " (", memory.minimum_bytes, " bytes), the budget is ", format_bytes(options_.memory),
                 "; raise --memory, ", could_spill ? "give --spill FOLDER to keep the hidden states on disk, " : "",
                 "or give ", could_spill ? "fewer or shorter samples" : "shorter samples");
  }
  return {};
}

// Reports and sources as long as the real ones can be, so that the planned size is never too small.
void QuantizeJob::expect_reports(container::ModelInfo& info) const {
  for (const SourceFile& file : source_->files()) {
    info.sources.push_back({file.path.substr(file.path.rfind('/') + 1), file.size, std::string(64, '0')});
  }
  BlockOutcome outcome;
  outcome.tokens = options_.method == Method::kAwq ? 1 : 0;
  for (const model::StagePlan& stage : source_->block_plan().stages) {
    awq::StageSolution& solution = outcome.stages.emplace_back();
    solution.choice = {awq::ScaleCandidate::Salience::kMeanAbs, true, 0.5, 0.5, {}};
    for (size_t i = 0; i < stage.linears.size(); ++i) {
      awq::LinearSolution& linear = solution.linears.emplace_back();
      if (options_.clip && outcome.tokens > 0) linear.clip_histogram.assign(awq::clip_candidates().size(), 0);
    }
  }
  for (int64_t block = 0; block < source_->config().blocks; ++block) {
    info.blocks.push_back(block_report(source_->block_plan(), block, outcome));
  }
}

Result<container::ModelInfo> QuantizeJob::model_info() const {
  const QuantizeOptions& o = options_;
  container::ModelInfo info;
  info.tag = output_tag(method_name(o.method), o.spec, source_->dense_type(source_->head_name()));
  info.architecture = source_->config().family;
  info.method = method_name(o.method);
  info.spec = o.spec;
  info.seed = o.seed;
  info.grid = static_cast<uint32_t>(o.method == Method::kAwq ? o.grid : 0);
  info.propagate = o.method == Method::kAwq ? propagate_name(o.propagate) : "";
  info.library_version = SCROOGE_VERSION;
  info.source_format = source_->format();
  const bool awq = o.method == Method::kAwq;
  info.attributes = {{"clip", awq && o.clip ? "true" : "false"},
                     {"correct", concat(awq ? solve_.correct : 0)},
                     {"device", o.device},
                     {"held_out_percent", concat(awq ? o.selection.held_out : 0)},
                     {"length", concat(rows_.length)},
                     {"max_tokens_per_sample", concat(awq ? o.selection.per_sample : 0)},
                     {"outlier_percent", concat(awq ? o.selection.outliers : 0)},
                     {"refine", concat(awq ? solve_.refine : 0)},
                     {"refit", concat(awq ? solve_.refit : 0)},
                     {"rounding", awq ? std::string(solve_.rounding->name) : "nearest"},
                     {"samples", concat(rows_.rows)},
                     {"sampling", awq ? std::string(sampling_name(o.sampling)) : ""}};
  info.tokens = {rows_.tokens(), rows_.dropped, static_cast<uint64_t>(rows_.rows), static_cast<uint64_t>(rows_.length)};
  info.blocks = reports_;
  return info;
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
  progress.tokens_per_second = outcome.tokens > 0 ? static_cast<double>(chunking_.tokens()) / seconds : 0;

  container::BlockReport report = block_report(source_->block_plan(), block, outcome);
  for (const container::LinearReport& linear : report.linears) {
    if (linear.fell_back) {
      log(options_.log, LogLevel::kWarning, linear.name,
          ": its stage was not better than round-to-nearest everywhere and keeps its weights unscaled");
    }
  }
  for (size_t i = 0; i < figures.stages.size(); ++i) {
    if (!figures.stages[i].correction_overfit) continue;
    log(options_.log, LogLevel::kInfo, model::block_prefix(block), report.scale_sets[i].name,
        ": overfitting, the corrected linears are worse than round-to-nearest on held-out tokens; solved uncorrected");
  }
  for (size_t i = 0; i < report.linears.size(); ++i) {
    if (!figures.linears[i].overfit) continue;
    log(options_.log, LogLevel::kWarning, report.linears[i].name,
        ": overfitting, better than round-to-nearest on the calibration tokens and worse on held-out ones; its "
        "stage is rounded to nearest; more samples help");
  }
  reports_.push_back(std::move(report));
  blocks_.push_back(figures);
}

// Everything that the bytes of the output depend on, and nothing else: not the budget, the threads, what is spilled.
Result<std::string> QuantizeJob::fingerprint(const backend::Device& device, Reporter& reporter) {
  SCROOGE_ASSIGN_OR_RETURN(sources_,
                           digest_sources(*source_, [&] { return reporter.report(Phase::kPrepare, "digest", 0); }));
  SCROOGE_ASSIGN_OR_RETURN(const container::ModelInfo info, model_info());
  std::string text;
  const auto line = [&](std::string_view key, const auto& value) { text += concat(key, "=", value, "\n"); };
  line("library", info.library_version);
  line("arithmetic", concat(device.describe().backend, " ", device.describe().features));
  for (const container::Source& source : sources_) {
    line(concat("checkpoint ", source.name), concat(source.size, " bytes, SHA-256 ", source.sha256));
  }
  line("scheme", info.tag);
  line("propagate", info.propagate);
  line("grid", info.grid);
  line("seed", info.seed);
  for (const container::Attribute& attribute : info.attributes) line(attribute.key, attribute.value);
  if (rows_.rows > 0) {
    Sha256 digest;
    digest.update(std::as_bytes(std::span(rows_.ids)));
    line("calibration tokens", digest.finish());
  }
  return text;
}

// Past the blocks that an earlier run finished.
Status QuantizeJob::resume(BlockQuantizer& quantizer, const ResumableOutput& output, MemoryBudget& budget,
                           Reporter& reporter) {
  resumed_blocks_ = output.finished_blocks();
  if (resumed_blocks_ > 0) {
    log(options_.log, LogLevel::kInfo, "going on behind block ", resumed_blocks_, " of ", plan_.blocks, ", where ",
        AtomicFile::partial_name(options_.output), " stopped");
  }
  for (int64_t block = 0; block < resumed_blocks_; ++block) {
    reporter.state().block = static_cast<uint32_t>(block);
    reporter.state().memory_before = budget.used();
    SCROOGE_ASSIGN_OR_RETURN(BlockRecord record, output.record(block));
    if (options_.method == Method::kAwq && resumed_blocks_ < plan_.blocks) {
      SCROOGE_ASSIGN_OR_RETURN(const FinishedBlock finished, output.finished_block(block, record));
      SCROOGE_RETURN_IF_ERROR(quantizer.replay(block, finished));
    }
    reports_.push_back(std::move(record.segment.info.blocks.front()));
    blocks_.push_back(std::move(record.figures));
    trim_heap();
  }
  return {};
}

Status QuantizeJob::run(MemoryBudget& budget, Reporter& reporter) {
  reporter.state().blocks = static_cast<uint32_t>(plan_.blocks);
  SCROOGE_RETURN_IF_ERROR(reporter.report(Phase::kPrepare, "open", 0));
  SCROOGE_ASSIGN_OR_RETURN(const auto device, backend::create_device(options_.device, {options_.threads, &budget}));
  ResumeOptions resume_options{options_.output,
                               {},
                               options_.fresh,
                               options_.spec,
                               options_.method == Method::kAwq,
                               plan_.output_bytes,
                               options_.log,
                               [&] { return reporter.report(Phase::kPrepare, "wait", 0); }};
  SCROOGE_ASSIGN_OR_RETURN(resume_options.fingerprint, fingerprint(*device, reporter));
  SCROOGE_ASSIGN_OR_RETURN(const auto quantizer,
                           BlockQuantizer::create(*device, *source_, chunking_, quantizer_options(), reporter));
  SCROOGE_ASSIGN_OR_RETURN(const auto output, ResumableOutput::open(std::move(resume_options), *device, *source_));
  SCROOGE_RETURN_IF_ERROR(output->write_front());
  if (options_.method == Method::kAwq) SCROOGE_RETURN_IF_ERROR(quantizer->embed(rows_));
  prefetch_block(*source_, 0);
  SCROOGE_RETURN_IF_ERROR(resume(*quantizer, *output, budget, reporter));
  Status done = quantize_blocks(*quantizer, *output, budget, reporter);
  if (done.ok()) done = publish(*output, reporter);
  if (done.ok() || output->finished_blocks() == 0) return done;
  if (!may_pass(done.code())) {
    output->discard();
    return done;
  }
  return done.with_advice(concat(output->finished_blocks(), " of ", plan_.blocks, " blocks are kept in ",
                                 AtomicFile::partial_name(options_.output),
                                 ": the same command goes on there, with --fresh it starts over"));
}

Status QuantizeJob::publish(ResumableOutput& output, Reporter& reporter) {
  SCROOGE_RETURN_IF_ERROR(reporter.report(Phase::kFinish, "finish", 1));
  SCROOGE_ASSIGN_OR_RETURN(container::ModelInfo info, model_info());
  info.sources = sources_;
  SCROOGE_RETURN_IF_ERROR(source_->check_unchanged());
  SCROOGE_RETURN_IF_ERROR(output.finish(info));
  output_bytes_ = output.size();
  return {};
}

Status QuantizeJob::quantize_blocks(BlockQuantizer& quantizer, ResumableOutput& output, MemoryBudget& budget,
                                    Reporter& reporter) {
  for (int64_t block = output.finished_blocks(); block < plan_.blocks; ++block) {
    reporter.state().block = static_cast<uint32_t>(block);
    reporter.state().memory_before = budget.used();
    SCROOGE_ASSIGN_OR_RETURN(const BlockOutcome outcome, quantizer.quantize(block));
    record(block, outcome, reporter);
    blocks_.back().memory_after = budget.used();
    SCROOGE_RETURN_IF_ERROR(output.write_block(block, outcome, reports_.back(), blocks_.back()));
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
  MemoryBudget budget(options_.memory, options_.allocator);
  Reporter reporter(options_.progress, budget, &cancelled_);
  const Status status = run(budget, reporter);
  seconds_ = reporter.elapsed();
  peak_bytes_ = budget.peak();
  return status;
}

std::string QuantizeJob::plan_json() const {
  JsonWriter json;
  json.begin_object();
  plan_.memory.write_json(json);
  json.field("blocks", plan_.blocks).field("output_bytes", plan_.output_bytes).field("tokens", plan_.tokens);
  json.field("tokens_dropped", plan_.tokens_dropped).field("bits_per_weight", plan_.bits_per_weight);
  json.key("budget_bytes");
  if (options_.memory == MemoryBudget::kUnlimited)
    json.null();
  else
    json.value(options_.memory);
  json.end_object();
  return json.text();
}

std::string QuantizeJob::report_json() const {
  JobTotals totals;
  totals.seconds = seconds_;
  totals.peak_bytes = peak_bytes_;
  totals.planned_peak_bytes = plan_.memory.peak_bytes;
  totals.bits_per_weight = plan_.bits_per_weight;
  totals.output_bytes = output_bytes_;
  totals.tokens = plan_.tokens;
  totals.tokens_dropped = plan_.tokens_dropped;
  totals.threads = options_.threads;
  totals.resumed_blocks = static_cast<uint64_t>(resumed_blocks_);
  if (options_.method == Method::kAwq) {
    totals.held_out_tokens = calibration::TokenSelection(chunking_, options_.selection).held_out_tokens();
  }
  return write_report(totals, blocks_, reports_);
}

}  // namespace scrooge::pipeline
