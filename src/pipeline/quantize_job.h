// SPDX-License-Identifier: Apache-2.0
// A quantization job in two phases: prepare opens, validates, tokenizes and plans; convert does the work.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/log.h"
#include "src/pipeline/budget_choice.h"
#include "src/pipeline/device_choice.h"
#include "src/pipeline/disk_plan.h"
#include "src/pipeline/durable_states.h"
#include "src/pipeline/job_report.h"
#include "src/pipeline/preset.h"
#include "src/pipeline/resumable_output.h"
#include "src/pipeline/saved_calibration.h"
#include "src/pipeline/time_plan.h"

namespace scrooge::pipeline {

enum class Method : int32_t { kAwq = 0, kRtn = 1 };

struct QuantizeOptions {
  std::string checkpoint;
  std::string output;
  std::string calibration_text;
  std::string calibration_ids;
  int64_t samples = 128;
  int64_t length = 512;
  QuantSpec spec;
  std::string layout;  // of the output, by name (container/tensor_layout.h); empty: canonical
  Method method = Method::kAwq;
  Propagate propagate = Propagate::kLinear;
  int64_t grid = 20;
  bool clip = true;
  Effort effort = Effort::kDefault;  // picks what the next four leave open
  std::string rounding;              // "nearest", "heuristic", "gptq"; empty: by effort
  double correct = -1;               // error correction, 0 to 1; negative: by effort
  int refine = -1;                   // sweeps of coordinate descent on the codes; negative: by effort
  int refit = -1;                    // sweeps of scale refitting; negative: by effort
  calibration::SelectionOptions selection;
  calibration::Sampling sampling = calibration::Sampling::kFirst;
  int threads = 0;  // 0: all processors of this process
  uint64_t seed = 0;
  uint64_t memory = MemoryBudget::kUnlimited;  // kMemoryAvailable: what the machine has free
  // Of a device with memory of its own the budget of its buffers; 0: what it has free. Of the others a second ceiling
  // on the host's; 0: none.
  uint64_t device_memory = 0;
  std::string device = "cpu";  // a name that choose_device() takes
  bool reproducible = false;  // the same bytes on every processor; device must be the cpu, and becomes the one for that
  std::string spill;          // folder for what does not fit into memory; empty: nothing is spilled
  bool fresh = false;         // do not go on where an earlier run of the same job stopped
  StatesPolicy states = StatesPolicy::kAuto;
  std::string save_calibration;  // file for what the calibration finds; empty: none
  // Such a file, to quantize from instead of calibrating: no text, no forward pass; scale search, clip search and what
  // the calibration ran on are as it says, and only `clip` and `rounding` (nearest, heuristic) still have a say.
  std::string from_calibration;
  AllocatorHook allocator;
  ProgressSink progress;
  LogSink log;
};

struct JobPlan {
  MemoryPlan memory;
  uint64_t output_bytes = 0;  // of the file, at most a segment's alignment too large
  uint64_t states_bytes = 0;  // of the hidden states that are kept behind every block (DurableStates); 0: none are
  uint64_t tokens = 0;
  uint64_t tokens_dropped = 0;
  uint64_t held_out_tokens = 0;    // of them, kept apart to check the result on
  uint64_t statistics_tokens = 0;  // that enter the statistics, before outliers are left out
  int64_t blocks = 0;
  double bits_per_weight = 0;  // of the block linears as stored
  BudgetOrigin budget_origin = BudgetOrigin::kUnlimited;
  BudgetChoice device_budget;  // of a device with memory of its own
  std::vector<DiskPlan> disks;
};

// One thread, but for cancel().
class QuantizeJob {
 public:
  // Writes nothing. Without an output path the job can only be planned, and the calibration text may be missing too
  // (the plan then assumes that all samples are full).
  static Result<std::unique_ptr<QuantizeJob>> prepare(QuantizeOptions options);
  ~QuantizeJob();

  const JobPlan& plan() const { return plan_; }
  // As given, but for what prepare settles: threads, the device's id, and memory, which is the budget.
  const QuantizeOptions& options() const { return options_; }
  const ChosenDevice& device() const { return device_; }
  // How long convert() will take, estimated; asked for, a host device may be timed for some milliseconds.
  TimePlan time_plan() const;
  std::string plan_json() const;
  // REQUIRES: an output path. Once only.
  Status convert();
  // From any thread or signal handler.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // After convert(): what its guards did.
  GuardCounts guards() const { return count_guards(blocks_); }
  // Likewise: tokens that entered the statistics, of the block with the fewest.
  uint64_t statistics_tokens() const { return token_accounting().statistics; }
  // Everything measured.
  std::string report_json() const;

 private:
  explicit QuantizeJob(QuantizeOptions options);
  Status validate();
  Status settle_device();
  void settle_budget();
  Status make_plan();
  Status choose_solver();
  Status choose_saved_solver();  // quantize_saved.cc, as the next
  Status open_saved();
  void warn_of_held_out() const;
  container::TokenAccounting token_accounting() const;
  // Tokens run through the model.
  bool calibrates() const { return options_.method == Method::kAwq && options_.from_calibration.empty(); }
  BlockQuantizerOptions quantizer_options() const;
  OutputFormat output_format() const { return {options_.spec, layout_, options_.method == Method::kAwq}; }
  MemoryPlan plan_memory() const;
  std::vector<PlanItem> counted_items() const;
  uint64_t rows_bytes() const;
  std::string cheaper_settings(uint64_t minimum, bool of_device);  // quantize_advice.cc
  std::vector<DiskNeed> disk_needs() const;                        // quantize_disk.cc
  Status plan_disks();
  Status check_disks();
  bool fits(const MemoryPlan& memory) const;
  MemoryPlan choose_residency();
  Status refuse(const MemoryPlan& memory);
  Result<std::string> fingerprint(const backend::Device& device, Reporter& reporter);
  // The memory of host and device while convert() runs; one and the same where the device's is the host's.
  struct Budgets {
    MemoryBudget& host;
    MemoryBudget& device;
  };
  // One attempt, with a device of its own; quantize_retry.cc has what may follow.
  Status run(const Budgets& budgets, Reporter& reporter);
  Result<bool> may_try_again(const Status& failure, const Budgets& budgets);
  void start_over();
  Status quantize_blocks(BlockQuantizer& quantizer, ResumableOutput& output, const Budgets& budgets,
                         Reporter& reporter);
  Status publish(ResumableOutput& output, Reporter& reporter);
  Status resume(BlockQuantizer& quantizer, const ResumableOutput& output, const Budgets& budgets, Reporter& reporter);
  // quantize_resume.cc
  Status read_records(const ResumableOutput& output);
  Status without_states(const Status& why);
  Status open_states(const std::string& fingerprint, backend::Device& device);
  void begin_block(int64_t block, const Budgets& budgets, Reporter& reporter);
  Result<int64_t> restore_states(BlockQuantizer& quantizer, Reporter& reporter);
  Status save_states(int64_t block, BlockQuantizer& quantizer, Reporter& reporter);
  void record(int64_t block, const BlockOutcome& outcome, Reporter& reporter);
  Result<container::ModelInfo> model_info() const;
  // quantize_saved.cc
  void describe_saved(container::ModelInfo& info) const;
  void restore_report(int64_t block, container::BlockReport& report) const;
  std::string token_digest() const;
  container::ModelInfo saving_info(container::ModelInfo info) const;
  void expect_reports(container::ModelInfo& info) const;

  QuantizeOptions options_;
  ChosenDevice device_;
  std::unique_ptr<ModelSource> source_;
  container::TensorLayout layout_;
  awq::SolveOptions solve_;
  calibration::TokenRows rows_;
  calibration::Chunking chunking_;
  JobPlan plan_;
  Residency residency_;
  std::unique_ptr<DurableStates> states_;  // null: finished blocks are run again
  std::vector<container::Source> sources_;
  std::optional<SavedCalibration> saved_;
  std::string saved_digest_ = std::string(64, '0');  // of it, once known
  uint64_t calibration_bytes_ = 0;                   // of the file to save
  int64_t resumed_blocks_ = 0;                       // that an earlier process or attempt had finished
  int64_t finished_before_ = -1;                     // that an earlier process had; negative while unknown
  int64_t kept_blocks_ = 0;                          // that a failed attempt leaves for the next one
  bool device_made_ = false;                         // in this attempt
  // What the device refused although the budget allowed it: plans stay below.
  uint64_t device_ceiling_ = MemoryBudget::kUnlimited;
  int device_losses_ = 0;
  int device_refusals_ = 0;
  std::atomic<bool> cancelled_{false};
  bool converted_ = false;

  std::vector<BlockFigures> blocks_;
  std::vector<container::BlockReport> reports_;
  uint64_t peak_bytes_ = 0;
  uint64_t device_peak_bytes_ = 0;
  uint64_t output_bytes_ = 0;
  double seconds_ = 0;
  double durable_seconds_ = 0;
};

}  // namespace scrooge::pipeline
