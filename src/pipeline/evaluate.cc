// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/evaluate.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "src/base/budget_hold.h"
#include "src/base/text.h"
#include "src/base/thread_pool.h"
#include "src/calibration/hidden_states.h"
#include "src/pipeline/device_block.h"
#include "src/pipeline/device_choice.h"
#include "src/pipeline/text_tokens.h"
#include "src/pipeline/token_scores.h"

namespace scrooge::pipeline {

using backend::Matrix;
using backend::Precision;
using calibration::Chunking;
using calibration::HiddenStates;

namespace {

constexpr int64_t kSliceRows = 4096;   // rows of the head at a time
constexpr int64_t kScoreTokens = 256;  // tokens whose logits are held at a time

// One model's hidden states over the windows of a batch.
struct Runner {
  const ModelSource* source = nullptr;
  HiddenStates hidden;
};

class Evaluator {
 public:
  Evaluator(const EvaluateOptions& options, ChosenDevice device, int threads)
      : options_(options),
        chosen_(std::move(device)),
        choice_(choose_host_budget(options.memory, options.device_memory, chosen_.info)),
        device_choice_(chosen_.own_memory() ? choose_device_budget(options.device_memory, chosen_.info)
                                            : BudgetChoice()),
        budget_(choice_.bytes, options.allocator),
        device_budget_(device_choice_.bytes, {}, "--device-memory"),
        reporter_(options.progress, budget_, nullptr, chosen_.own_memory() ? &device_budget_ : nullptr),
        pool_(threads, &reporter_) {}

  Result<Evaluation> run();

 private:
  Status open();
  // Of one memory.
  struct Needs {
    uint64_t fixed = 0;
    uint64_t per_window = 0;
  };
  Result<int64_t> windows_per_batch() const;
  static Result<int64_t> windows_in(const Needs& needs, const BudgetChoice& choice, int64_t windows, const char* memory,
                                    const char* option);
  Status make_device();
  Status run_batch(int64_t first, int64_t windows);
  Status recover(const Status& failure, int64_t& batch);
  Status embed(Runner& runner, std::span<const int32_t> ids);
  Status run_blocks(Runner& runner, std::span<const int32_t> ids, double share);
  Status final_norm(Runner& runner);
  Status score(std::span<Runner> runners, std::span<const int32_t> ids, double share);
  Result<Matrix> logits(const Runner& runner, const Matrix& head, int64_t first, int64_t count, backend::Buffer& to);
  Status report(const char* stage, double fraction) { return reporter_.report(Phase::kEvaluate, stage, fraction); }
  uint64_t ids_bytes() const { return rows_.ids.capacity() * sizeof(int32_t); }
  int models() const { return reference_ ? 2 : 1; }

  const EvaluateOptions& options_;
  const ChosenDevice chosen_;
  const BudgetChoice choice_;
  const BudgetChoice device_choice_;
  MemoryBudget budget_;
  MemoryBudget device_budget_;  // of a device with memory of its own
  Reporter reporter_;
  ThreadPool pool_;
  std::unique_ptr<ModelSource> model_;
  std::unique_ptr<ModelSource> reference_;
  std::unique_ptr<backend::Device> device_;
  calibration::TokenRows rows_;
  BudgetHold ids_;   // of them
  double done_ = 0;  // share of the whole work
  int losses_ = 0;   // of the device

  double log_likelihood_ = 0;
  double reference_log_likelihood_ = 0;
  double kl_ = 0;
  uint64_t agreed_ = 0;
};

Status Evaluator::open() {
  SCROOGE_ASSIGN_OR_RETURN(model_, ModelSource::open(options_.model, options_.log));
  if (!options_.reference.empty()) {
    SCROOGE_ASSIGN_OR_RETURN(reference_, ModelSource::open(options_.reference, options_.log));
    if (reference_->config().vocabulary != model_->config().vocabulary) {
      return error(StatusCode::kInvalidArgument, "reference: its vocabulary of ", reference_->config().vocabulary,
                   " is not the model's of ", model_->config().vocabulary, "; give the checkpoint it was made from");
    }
    reference_->set_cancel(&reporter_);
  }
  model_->set_cancel(&reporter_);
  reporter_.state().phase = Phase::kEvaluate;
  reporter_.state().stage = "open";
  SCROOGE_ASSIGN_OR_RETURN(
      rows_, read_token_rows(*model_, {options_.text, options_.token_ids, options_.context, options_.max_windows},
                             choice_.bytes, &reporter_));
  return {};
}

Result<int64_t> Evaluator::windows_in(const Needs& needs, const BudgetChoice& choice, int64_t windows,
                                      const char* memory, const char* option) {
  if (choice.bytes == MemoryBudget::kUnlimited) return windows;
  const uint64_t least = needs.fixed + needs.per_window;
  if (choice.bytes < least) {
    return error(StatusCode::kBudgetExceeded, memory, ": this evaluation needs at least ", format_bytes(least), " (",
                 least, " bytes), the budget is ", choice.text(), "; raise ", option, " or give a shorter --context");
  }
  if (needs.per_window == 0) return windows;
  return std::min<int64_t>(windows, static_cast<int64_t>((choice.bytes - needs.fixed) / needs.per_window));
}

// As many windows at a time as fit beside the weights of a block, the head slice and the scratch.
Result<int64_t> Evaluator::windows_per_batch() const {
  Needs host;
  Needs device;
  host.fixed = ids_bytes();
  int64_t max_k = 0;
  int64_t max_n = kSliceRows;
  for (const ModelSource* source : {model_.get(), reference_.get()}) {
    if (source == nullptr) continue;
    const model::ModelConfig& config = source->config();
    const int64_t chunk = std::max(Chunking::of(rows_.rows, rows_.length).chunk_tokens(), kScoreTokens);
    const uint64_t block =
        DeviceBlock::device_bytes(source->block_plan(), config) + model::BlockForward::scratch_bytes(config, chunk);
    const uint64_t head = float_bytes(kSliceRows * (config.width + kScoreTokens));
    device.fixed = std::max(device.fixed, std::max(block, 2 * head));
    device.per_window += float_bytes(rows_.length * config.width);
    host.per_window += static_cast<uint64_t>(rows_.length) * sizeof(TokenScore);
    if (!chosen_.info.host_memory) host.fixed += float_bytes(kSliceRows * kScoreTokens);
    for (const model::LinearPlan& linear : source->block_plan().linears) {
      max_k = std::max(max_k, linear.cols);
      max_n = std::max(max_n, linear.rows);
    }
  }
  const backend::Backend& backend = *chosen_.backend;
  if (backend.scratch_bytes != nullptr) {
    device.fixed += backend.scratch_bytes(pool_.threads(), max_k, max_n, rows_.length);
  }
  if (backend.host_scratch_bytes != nullptr) {
    host.fixed += backend.host_scratch_bytes(pool_.threads(), max_k, max_n, rows_.length);
  }
  if (!chosen_.own_memory()) {
    host.fixed += device.fixed;
    host.per_window += device.per_window;
    device = {};
  }
  SCROOGE_ASSIGN_OR_RETURN(const int64_t windows, windows_in(host, choice_, rows_.rows, "memory", "--memory"));
  return windows_in(device, device_choice_, windows, "device memory", "--device-memory");
}

Status Evaluator::embed(Runner& runner, std::span<const int32_t> ids) {
  const auto width = static_cast<size_t>(runner.source->config().width);
  std::vector<float> row(width);
  const Matrix all = runner.hidden.chunk(0);
  for (size_t t = 0; t < ids.size(); ++t) {
    SCROOGE_RETURN_IF_ERROR(runner.source->read_rows(model::kEmbeddingName, ids[t], 1, row));
    SCROOGE_RETURN_IF_ERROR(
        device_->upload(*all.buffer, float_bytes(static_cast<int64_t>(t * width)), std::as_bytes(std::span(row))));
  }
  runner.source->drop(model::kEmbeddingName);
  return {};
}

Status Evaluator::run_blocks(Runner& runner, std::span<const int32_t> ids, double share) {
  const ModelSource& source = *runner.source;
  SCROOGE_RETURN_IF_ERROR(embed(runner, ids));
  const Chunking& chunking = runner.hidden.chunking();
  SCROOGE_ASSIGN_OR_RETURN(const auto forward, model::BlockForward::create(*device_, source.config(), source.inv_freq(),
                                                                           chunking.chunk_tokens()));
  SCROOGE_ASSIGN_OR_RETURN(DeviceBlock weights,
                           DeviceBlock::create(*device_, source.block_plan(), source.config(), "weights of a block"));
  const int64_t blocks = source.config().blocks;
  const double start = done_;
  for (int64_t block = 0; block < blocks; ++block) {
    SCROOGE_RETURN_IF_ERROR(weights.load(source, block));
    prefetch_block(source, block + 1);
    reporter_.state().block = static_cast<uint32_t>(block);
    reporter_.state().blocks = static_cast<uint32_t>(blocks);
    for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
      SCROOGE_RETURN_IF_ERROR(forward->run(source.block_plan(), weights.weights(), runner.hidden.chunk(chunk),
                                           chunking.sequence, Precision::kExact));
      const double within =
          static_cast<double>(block) + static_cast<double>(chunk + 1) / static_cast<double>(chunking.chunks());
      done_ = start + share * within / static_cast<double>(blocks);
      SCROOGE_RETURN_IF_ERROR(report(runner.source == model_.get() ? "model" : "reference", done_));
    }
  }
  return final_norm(runner);
}

Status Evaluator::final_norm(Runner& runner) {
  const ModelSource& source = *runner.source;
  const int64_t width = source.config().width;
  std::vector<float> gamma(static_cast<size_t>(width));
  SCROOGE_RETURN_IF_ERROR(source.read_rows(model::kFinalNormName, 0, 1, gamma));
  SCROOGE_ASSIGN_OR_RETURN(const auto buffer, device_->allocate(float_bytes(width), "final norm"));
  SCROOGE_RETURN_IF_ERROR(device_->upload(*buffer, 0, std::as_bytes(std::span(gamma))));
  for (int64_t chunk = 0; chunk < runner.hidden.chunking().chunks(); ++chunk) {
    const Matrix h = runner.hidden.chunk(chunk);
    SCROOGE_RETURN_IF_ERROR(device_->normalize(
        {h, h, {buffer.get(), 0, width, DType::kF32}, static_cast<float>(source.config().norm_epsilon)}));
  }
  return {};
}

Result<Matrix> Evaluator::logits(const Runner& runner, const Matrix& head, int64_t first, int64_t count,
                                 backend::Buffer& to) {
  Matrix h = runner.hidden.chunk(0);
  h.offset = float_bytes(first * h.cols);
  h.rows = count;
  const Matrix y{&to, 0, count, head.rows, head.rows, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_->gemm({h, head, y, {}, 0, Precision::kExact}));
  return y;
}

Status Evaluator::score(std::span<Runner> runners, std::span<const int32_t> ids, double share) {
  const auto tokens = static_cast<int64_t>(ids.size());
  const int64_t vocabulary = model_->config().vocabulary;
  SCROOGE_ASSIGN_OR_RETURN(const HostBlock score_block,
                           budget_.allocate(ids.size() * sizeof(TokenScore), "token scores"));
  const std::span<TokenScore> scores = score_block.as<TokenScore>();
  std::fill(scores.begin(), scores.end(), TokenScore());
  std::vector<std::unique_ptr<backend::Buffer>> heads;
  std::vector<std::unique_ptr<backend::Buffer>> results;
  for (const Runner& runner : runners) {
    SCROOGE_ASSIGN_OR_RETURN(
        auto head, device_->allocate(float_bytes(kSliceRows * runner.source->config().width), "slice of the head"));
    SCROOGE_ASSIGN_OR_RETURN(auto result, device_->allocate(float_bytes(kSliceRows * kScoreTokens), "logits"));
    heads.push_back(std::move(head));
    results.push_back(std::move(result));
  }
  std::vector<HostBlock> fetched(runners.size());
  for (HostBlock& block : fetched) {
    if (chosen_.info.host_memory) break;
    SCROOGE_ASSIGN_OR_RETURN(block, budget_.allocate(float_bytes(kSliceRows * kScoreTokens), "logits"));
  }
  const double start = done_;
  for (int64_t first = 0; first < vocabulary; first += kSliceRows) {
    const int64_t rows = std::min(kSliceRows, vocabulary - first);
    for (size_t m = 0; m < runners.size(); ++m) {
      const ModelSource& source = *runners[m].source;
      const int64_t width = source.config().width;
      SCROOGE_RETURN_IF_ERROR(read_rows_to(*device_, source, std::string(source.head_name()), first,
                                           {heads[m].get(), 0, rows, width, width, DType::kF32}));
    }
    for (int64_t token = 0; token < tokens; token += kScoreTokens) {
      const int64_t count = std::min(kScoreTokens, tokens - token);
      std::array<std::span<const float>, 2> views;
      for (size_t m = 0; m < runners.size(); ++m) {
        const int64_t width = runners[m].source->config().width;
        const Matrix head{heads[m].get(), 0, rows, width, width, DType::kF32};
        SCROOGE_ASSIGN_OR_RETURN(const Matrix y, logits(runners[m], head, token, count, *results[m]));
        const auto floats = static_cast<size_t>(count * rows);
        if (y.buffer->host_data() != nullptr) {
          SCROOGE_RETURN_IF_ERROR(device_->synchronize());
          views[m] = {reinterpret_cast<const float*>(y.buffer->host_data()), floats};
        } else {
          const std::span<float> values = fetched[m].as<float>().first(floats);
          SCROOGE_RETURN_IF_ERROR(device_->download(*y.buffer, 0, std::as_writable_bytes(values)));
          views[m] = values;
        }
      }
      SCROOGE_RETURN_IF_ERROR(pool_.parallel_for(count, [&](int64_t i, int) {
        const auto at = static_cast<size_t>(token + i);
        // The last token of a window predicts nothing inside it.
        if ((token + i + 1) % rows_.length == 0) return;
        const auto begin = static_cast<size_t>(i * rows);
        const auto slice = static_cast<size_t>(rows);
        const auto reference = views[1].empty() ? std::span<const float>() : views[1].subspan(begin, slice);
        scores[at].add(views[0].subspan(begin, slice), reference, static_cast<int32_t>(first), ids[at + 1]);
      }));
    }
    done_ = start + share * static_cast<double>(first + rows) / static_cast<double>(vocabulary);
    SCROOGE_RETURN_IF_ERROR(report("logits", done_));
  }
  for (int64_t t = 0; t < tokens; ++t) {
    if ((t + 1) % rows_.length == 0) continue;
    const TokenScore& s = scores[static_cast<size_t>(t)];
    log_likelihood_ += s.log_likelihood();
    if (runners.size() > 1) {
      reference_log_likelihood_ += s.reference_log_likelihood();
      kl_ += s.kl();
      if (s.best == s.reference_best) ++agreed_;
    }
  }
  return {};
}

Status Evaluator::make_device() {
  device_.reset();
  SCROOGE_ASSIGN_OR_RETURN(device_, chosen_.create({pool_.threads(), chosen_.own_memory() ? &device_budget_ : &budget_,
                                                    &reporter_, chosen_.own_memory() ? &budget_ : nullptr}));
  return {};
}

// The sums over all tokens change at the end of it only.
Status Evaluator::run_batch(int64_t first, int64_t windows) {
  const auto ids = std::span<const int32_t>(rows_.ids).subspan(static_cast<size_t>(first * rows_.length),
                                                               static_cast<size_t>(windows * rows_.length));
  // The head counts about as much as a fifth of the blocks; only the progress bar depends on it.
  const double share = static_cast<double>(windows) / static_cast<double>(rows_.rows);
  done_ = static_cast<double>(first) / static_cast<double>(rows_.rows);
  std::vector<Runner> runners;
  for (const ModelSource* source : {model_.get(), reference_.get()}) {
    if (source == nullptr) continue;
    Runner runner;
    runner.source = source;
    SCROOGE_ASSIGN_OR_RETURN(runner.hidden, HiddenStates::create(*device_, Chunking::of(windows, rows_.length),
                                                                 source->config().width, "hidden states"));
    runners.push_back(std::move(runner));
  }
  for (Runner& runner : runners) SCROOGE_RETURN_IF_ERROR(run_blocks(runner, ids, 0.8 * share / models()));
  SCROOGE_RETURN_IF_ERROR(score(runners, ids, 0.2 * share));
  // Every row of the batch has been read: only now is it known that they were all of the same file.
  for (const Runner& runner : runners) SCROOGE_RETURN_IF_ERROR(runner.source->check_unchanged());
  return {};
}

// What makes another attempt at a batch worth while: half the windows where the device has no room for them all, or a
// device made anew. Else `failure`, or what became of it.
Status Evaluator::recover(const Status& failure, int64_t& batch) {
  if (chosen_.info.host_memory) return failure;
  if (failure.code() == StatusCode::kUnavailable) {
    if (++losses_ > 1) return failure.with_context("the device was lost a second time");
    log(options_.log, LogLevel::kWarning, "device ", chosen_.id(), ": ", failure.message(), "; it is made once more");
    return make_device().with_context("the device was lost and could not be made again");
  }
  if (failure.code() != StatusCode::kOutOfMemory || budget_.refused()) return failure;
  if (batch == 1) {
    return failure.with_advice(
        "close other programs that use the device, give a shorter --context, or another --device");
  }
  batch = (batch + 1) / 2;
  log(options_.log, LogLevel::kWarning, "device ", chosen_.id(), ": ", failure.message(), "; going on with ", batch,
      " windows at a time");
  return {};
}

Result<Evaluation> Evaluator::run() {
  SCROOGE_RETURN_IF_ERROR(open());
  SCROOGE_RETURN_IF_ERROR(report("open", 0));
  SCROOGE_ASSIGN_OR_RETURN(int64_t batch, windows_per_batch());
  SCROOGE_ASSIGN_OR_RETURN(ids_, BudgetHold::take(budget_, ids_bytes(), "token ids"));
  SCROOGE_RETURN_IF_ERROR(make_device());
  for (int64_t window = 0; window < rows_.rows;) {
    const int64_t windows = std::min(batch, rows_.rows - window);
    const Status done = run_batch(window, windows);
    if (done.ok()) {
      window += windows;
      continue;
    }
    batch = windows;
    SCROOGE_RETURN_IF_ERROR(recover(done, batch));
  }
  Evaluation result;
  result.tokens = static_cast<uint64_t>(rows_.rows * (rows_.length - 1));
  result.tokens_dropped = rows_.dropped;
  const auto count = static_cast<double>(result.tokens);
  result.perplexity = std::exp(-log_likelihood_ / count);
  if (reference_) {
    result.has_reference = true;
    result.kl = kl_ / count;
    result.top1 = static_cast<double>(agreed_) / count;
    result.reference_perplexity = std::exp(-reference_log_likelihood_ / count);
  }
  if (!std::isfinite(result.perplexity) || !std::isfinite(result.kl)) {
    return error(StatusCode::kNonFinite, options_.model, ": the logits are not finite; the model is damaged");
  }
  result.peak_bytes = budget_.peak();
  if (chosen_.own_memory()) result.device_peak_bytes = device_budget_.peak();
  result.seconds = reporter_.elapsed();
  return result;
}

}  // namespace

Result<Evaluation> evaluate(const EvaluateOptions& options) {
  if (options.context < 2) return error(StatusCode::kInvalidArgument, "context: a window needs at least 2 tokens");
  const int threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  SCROOGE_ASSIGN_OR_RETURN(ChosenDevice device, choose_device(options.device));
  if (!device.reason.empty()) {
    log(options.log, LogLevel::kInfo, "device ", device.id(), ", ", printable(device.info.name), ": ", device.reason);
  }
  return Evaluator(options, std::move(device), threads).run();
}

}  // namespace scrooge::pipeline
