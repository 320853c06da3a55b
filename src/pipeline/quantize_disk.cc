// SPDX-License-Identifier: Apache-2.0
// What a quantization job needs of disks, and whether they have it.
#include "src/base/atomic_file.h"
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

std::vector<DiskNeed> QuantizeJob::disk_needs() const {
  const QuantizeOptions& o = options_;
  std::vector<DiskNeed> needs;
  if (!o.output.empty()) {
    const std::string folder = folder_of(o.output);
    needs.push_back({"output", "--output", folder, plan_.output_bytes, AtomicFile::partial_name(o.output)});
    if (!o.save_calibration.empty()) {
      needs.push_back({"calibration results", "--save-calibration", folder_of(o.save_calibration), calibration_bytes_,
                       AtomicFile::partial_name(o.save_calibration)});
    }
  }
  if (!o.spill.empty()) needs.push_back({"spill files", "--spill", o.spill, plan_.memory.spill_bytes});
  if (!o.output.empty() && plan_.states_bytes > 0) {
    needs.push_back({"kept hidden states", "--output", folder_of(o.output),
                     DurableStates::file_bytes(plan_.states_bytes), DurableStates::name_of(o.output),
                     o.states != StatesPolicy::kKeep});
  }
  return needs;
}

Status QuantizeJob::plan_disks() {
  SCROOGE_ASSIGN_OR_RETURN(plan_.disks, plan_disk(disk_needs()));
  return {};
}

// Once more before the work: between prepare and convert others may have written. The plan, whose texts callers hold,
// stays as it is.
Status QuantizeJob::check_disks() {
  SCROOGE_ASSIGN_OR_RETURN(const std::vector<DiskPlan> now, plan_disk(disk_needs()));
  return check_disk(now);
}

}  // namespace scrooge::pipeline
