// SPDX-License-Identifier: Apache-2.0
// Perplexity of a model, and how far it is from a reference: mean KL divergence and agreement on the likeliest token.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "src/base/log.h"
#include "src/base/memory_budget.h"
#include "src/pipeline/budget_choice.h"
#include "src/pipeline/progress.h"

namespace scrooge::pipeline {

struct EvaluateOptions {
  std::string model;
  std::string reference;  // empty: none
  std::string text;
  std::string token_ids;
  int64_t context = 2048;
  int64_t max_windows = 0;  // 0: all
  int threads = 0;
  uint64_t memory = MemoryBudget::kUnlimited;  // kMemoryAvailable: what the machine has free
  uint64_t device_memory = 0;                  // as in QuantizeOptions, as is the next
  std::string device = "cpu";
  AllocatorHook allocator;
  ProgressSink progress;
  LogSink log;
};

struct Evaluation {
  double perplexity = 0;  // exp of the mean negative log-likelihood over `tokens`
  bool has_reference = false;
  double kl = 0;    // mean over `tokens` of KL(reference || model), nats
  double top1 = 0;  // share of `tokens` where both have the same likeliest token
  double reference_perplexity = 0;
  uint64_t tokens = 0;  // scored: a window of N tokens scores N - 1
  uint64_t tokens_dropped = 0;
  uint64_t peak_bytes = 0;
  uint64_t device_peak_bytes = 0;  // of a device with memory of its own
  double seconds = 0;
};

// Both models run exactly (f32), block by block, over as many windows at a time as the budgets let in. The text is cut
// with the model's tokenizer; a reference with another vocabulary size is kInvalidArgument. Where the device refuses
// memory all the same, half as many windows are tried; a lost device is made once more. Neither changes the result.
Result<Evaluation> evaluate(const EvaluateOptions& options);

}  // namespace scrooge::pipeline
