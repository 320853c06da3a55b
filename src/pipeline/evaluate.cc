// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/evaluate.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "src/backend/backend_list.h"
#include "src/base/thread_pool.h"
#include "src/calibration/hidden_states.h"
#include "src/pipeline/device_block.h"
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
  Evaluator(const EvaluateOptions& options, const BudgetChoice& choice, int threads)
      : options_(options),
        choice_(choice),
        budget_(choice.bytes, options.allocator),
        reporter_(options.progress, budget_, nullptr),
        pool_(threads, &reporter_) {}

  Result<Evaluation> run();

 private:
  Status open();
  Result<int64_t> windows_per_batch() const;
  Status embed(Runner& runner, std::span<const int32_t> ids);
  Status run_blocks(Runner& runner, std::span<const int32_t> ids, double share);
  Status final_norm(Runner& runner);
  Status score(std::span<Runner> runners, std::span<const int32_t> ids, double share);
  Result<Matrix> logits(const Runner& runner, const Matrix& head, int64_t first, int64_t count, backend::Buffer& to);
  Status load_head(const ModelSource& source, int64_t first, int64_t count, backend::Buffer& to);
  Status report(const char* stage, double fraction) { return reporter_.report(Phase::kEvaluate, stage, fraction); }
  int models() const { return reference_ ? 2 : 1; }

  const EvaluateOptions& options_;
  const BudgetChoice choice_;
  MemoryBudget budget_;
  Reporter reporter_;
  ThreadPool pool_;
  std::unique_ptr<ModelSource> model_;
  std::unique_ptr<ModelSource> reference_;
  std::unique_ptr<backend::Device> device_;
  calibration::TokenRows rows_;
  double done_ = 0;  // share of the whole work

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
                             &reporter_));
  return {};
}

// As many windows at a time as fit beside the weights of a block, the head slice and the scratch.
Result<int64_t> Evaluator::windows_per_batch() const {
  uint64_t fixed = 0;
  uint64_t per_window = 0;
  int64_t max_k = 0;
  int64_t max_n = kSliceRows;
  for (const ModelSource* source : {model_.get(), reference_.get()}) {
    if (source == nullptr) continue;
    const model::ModelConfig& config = source->config();
    const int64_t chunk = std::max(Chunking::of(rows_.rows, rows_.length).chunk_tokens(), kScoreTokens);
    const uint64_t block =
        DeviceBlock::device_bytes(source->block_plan(), config) + model::BlockForward::scratch_bytes(config, chunk);
    const uint64_t head = float_bytes(kSliceRows * (config.width + kScoreTokens));
    fixed = std::max(fixed, std::max(block, 2 * head));
    per_window += float_bytes(rows_.length * config.width) + static_cast<uint64_t>(rows_.length) * sizeof(TokenScore);
    for (const model::LinearPlan& linear : source->block_plan().linears) {
      max_k = std::max(max_k, linear.cols);
      max_n = std::max(max_n, linear.rows);
    }
  }
  SCROOGE_ASSIGN_OR_RETURN(const backend::Backend* const backend, backend::find_backend(options_.device));
  if (backend->scratch_bytes != nullptr) {
    fixed += backend->scratch_bytes(pool_.threads(), max_k, max_n, rows_.length);
  }
  if (choice_.bytes == MemoryBudget::kUnlimited) return rows_.rows;
  if (choice_.bytes < fixed + per_window) {
    return error(StatusCode::kBudgetExceeded, "memory: this evaluation needs at least ",
                 format_bytes(fixed + per_window), " (", fixed + per_window, " bytes), the budget is ", choice_.text(),
                 "; raise --memory or give a shorter --context");
  }
  return std::min<int64_t>(rows_.rows, static_cast<int64_t>((choice_.bytes - fixed) / per_window));
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

Status Evaluator::load_head(const ModelSource& source, int64_t first, int64_t count, backend::Buffer& to) {
  const auto floats = static_cast<size_t>(count * source.config().width);
  if (to.host_data() != nullptr) {
    return source.read_rows(source.head_name(), first, count, {reinterpret_cast<float*>(to.host_data()), floats});
  }
  std::vector<float> rows(floats);
  SCROOGE_RETURN_IF_ERROR(source.read_rows(source.head_name(), first, count, rows));
  return device_->upload(to, 0, std::as_bytes(std::span(rows)));
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
  std::vector<std::vector<float>> fetched(runners.size());
  const double start = done_;
  for (int64_t first = 0; first < vocabulary; first += kSliceRows) {
    const int64_t rows = std::min(kSliceRows, vocabulary - first);
    for (size_t m = 0; m < runners.size(); ++m) {
      SCROOGE_RETURN_IF_ERROR(load_head(*runners[m].source, first, rows, *heads[m]));
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
          fetched[m].resize(floats);
          SCROOGE_RETURN_IF_ERROR(device_->download(*y.buffer, 0, std::as_writable_bytes(std::span(fetched[m]))));
          views[m] = fetched[m];
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

Result<Evaluation> Evaluator::run() {
  SCROOGE_RETURN_IF_ERROR(open());
  SCROOGE_RETURN_IF_ERROR(report("open", 0));
  SCROOGE_ASSIGN_OR_RETURN(const int64_t batch, windows_per_batch());
  SCROOGE_ASSIGN_OR_RETURN(device_, backend::create_device(options_.device, {pool_.threads(), &budget_, &reporter_}));
  for (int64_t window = 0; window < rows_.rows; window += batch) {
    const int64_t windows = std::min(batch, rows_.rows - window);
    const auto ids = std::span<const int32_t>(rows_.ids).subspan(static_cast<size_t>(window * rows_.length),
                                                                 static_cast<size_t>(windows * rows_.length));
    // The head counts about as much as a fifth of the blocks; only the progress bar depends on it.
    const double share = static_cast<double>(windows) / static_cast<double>(rows_.rows);
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
  result.seconds = reporter_.elapsed();
  return result;
}

}  // namespace

Result<Evaluation> evaluate(const EvaluateOptions& options) {
  if (options.context < 2) return error(StatusCode::kInvalidArgument, "context: a window needs at least 2 tokens");
  const int threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return Evaluator(options, choose_budget(options.memory, options.device_memory), threads).run();
}

}  // namespace scrooge::pipeline
