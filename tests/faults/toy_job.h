// SPDX-License-Identifier: Apache-2.0
// A job of two blocks that takes some hundredths of a second, its undisturbed result, and what must hold of its folder
// whatever happened to it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/child.h"
#include "tests/faults/disk.h"
#include "tests/support/temp_folder.h"

namespace scrooge::faults {

enum class Variant {
  kMemory,  // AWQ of a GGUF file, everything in memory, on the reference device
  kSpill,   // the same on the processor's device, with the hidden states in spill files
  kSave,    // kMemory, and the calibration results saved beside the output
  kFolder,  // round-to-nearest of a safetensors folder, whose files are opened another way
};
inline constexpr Variant kVariants[] = {Variant::kMemory, Variant::kSpill, Variant::kSave, Variant::kFolder};
std::string_view variant_name(Variant variant);

// What a shim is told, as its environment; nothing for the default.
struct FileFault {
  std::string_view kind;    // of faults.h, or "all"
  unsigned long at = 0;     // from 1
  std::string action = {};  // of file_shim.cc
  bool always = false;

  std::string text() const;
};
class ToyJob {
 public:
  explicit ToyJob(Variant variant);

  // Undisturbed, in a folder of its own: the output.
  const std::string& expected() const { return expected_; }
  std::chrono::microseconds duration() const { return duration_; }
  // Calls of each kind, by its name in faults.h.
  unsigned long calls(std::string_view kind) const;

  // Puts an older output where the job writes, and nothing else.
  void reset();
  Outcome run() { return run_with({}); }
  Outcome run(const FileFault& fault);
  // The process killed there, and the power cut: of the output's folder stays what `loss` says.
  Outcome run_cut(const FileFault& fault, Loss loss, std::mt19937_64& random);
  // Whether a block's record was synced when the last cut came, so that the job has to go on from it: unless it was
  // done by then.
  bool must_go_on() const;
  // With an allocation refused, or that and all later ones.
  Outcome run_refused(unsigned long at, bool always);
  unsigned long count_allocations();
  Outcome run_killed(std::chrono::microseconds after) { return run_with({}, after); }
  // Replaces what may differ between attempts at one job: threads, budget, spilling.
  void set_resources(std::vector<std::string> options) { resources_ = std::move(options); }

  // The output is the old one or the expected one, nothing in between; `may_be_old` false: the expected one.
  testing::AssertionResult output_is_whole(bool may_be_old = true) const;
  // The same command again, without faults: the expected bytes, and nothing left beside them.
  testing::AssertionResult finishes();
  // Exit code and message of a failure that was told: no crash, no hang, one line that says what failed.
  static testing::AssertionResult fails_cleanly(const Outcome& outcome);

  const std::string& folder() const { return folder_.path(); }

 private:
  std::string output() const { return folder_ / "out/model.scrooge"; }
  std::string calibration() const { return folder_ / "out/calibration"; }
  static std::vector<std::string> environment_of(const FileFault& fault);
  Outcome run_with(const std::vector<std::string>& environment, std::chrono::microseconds kill_after = {});

  test::TempFolder folder_;
  std::vector<std::string> command_;
  std::vector<std::string> resources_;
  std::string expected_;
  std::string expected_calibration_;  // empty: none is saved
  std::map<std::string, unsigned long, std::less<>> calls_;
  size_t front_records_ = 0;  // of a whole journal, those before the blocks'
  size_t synced_records_ = 0;
  std::chrono::microseconds duration_{0};
};

}  // namespace scrooge::faults
