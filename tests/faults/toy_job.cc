// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/toy_job.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/faults/faults.h"
#include "tests/faults/toy_files.h"

namespace scrooge::faults {
namespace {

namespace fs = std::filesystem;

// The smallest --memory, from the message that refuses less.
std::string smallest_budget(const std::string& message) {
  const size_t end = message.find(" bytes)");
  if (end == std::string::npos) return {};
  const size_t begin = message.rfind('(', end) + 1;
  return message.substr(begin, end - begin);
}

// Whole records of a journal: u64 payload bytes, payload up to a multiple of 8, u64 checksum. 0 for any other file.
size_t journal_records(const std::string& bytes) {
  constexpr std::string_view kMagic = "SCRGJRN1";
  if (bytes.compare(0, kMagic.size(), kMagic) != 0) return 0;
  size_t records = 0;
  for (size_t at = kMagic.size(); at + 16 <= bytes.size(); ++records) {
    uint64_t size = 0;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    at += 16 + (size + 7) / 8 * 8;
    if (size == 0 || at > bytes.size()) break;
  }
  return records;
}

}  // namespace

std::string_view variant_name(Variant variant) {
  switch (variant) {
    case Variant::kMemory: return "memory";
    case Variant::kSpill: return "spill";
    case Variant::kSave: return "save";
    case Variant::kFolder: return "folder";
  }
  return "unknown";
}

std::string FileFault::text() const {
  return std::string(kind) + " " + std::to_string(at) + (always ? " and later: " : ": ") + action;
}

ToyJob::ToyJob(Variant variant) {
  fs::create_directory(folder_ / "out");
  const std::string text = folder_ / "text.txt";
  std::string model = folder_ / "model.gguf";
  if (variant == Variant::kFolder) {
    model = folder_ / "model";
    fs::copy(SCROOGE_SOURCE_DIR "/tests/golden/tiny_llama", model);
  } else {
    write_whole(model, toy_model());
    // The model's pieces are a, b and ab.
    write_whole(text, toy_text());
  }
  command_ = {
      SCROOGE_FAULTS_COMMAND,     "quantize", model, "--output", output(), "--quiet", "--threads", "1", "--report",
      folder_ / "out/report.json"};
  const auto add = [this](std::initializer_list<std::string> options) { command_.insert(command_.end(), options); };
  switch (variant) {
    case Variant::kSave: add({"--save-calibration", calibration()}); [[fallthrough]];
    case Variant::kMemory:
      // The reference device starts at once; that of the processor makes its code first.
      add({"--calibration", text, "--samples", "2", "--length", "16", "--group", "8", "--device", "reference"});
      add({"--held-out", "0"});  // too few tokens to hold any out, which would be a line of warning
      break;
    case Variant::kSpill:
      // More than one chunk of 512 tokens.
      add({"--calibration", text, "--samples", "9", "--length", "64", "--group", "8", "--grid", "3"});
      add({"--spill", folder_.path(), "--memory", "1"});
      command_.back() = smallest_budget(run_with({}).errors);
      break;
    case Variant::kFolder: add({"--method", "rtn", "--group", "16"}); break;
  }

  for (int attempt = 0; attempt < 2; ++attempt) {  // the second with warm caches, for its time
    reset();
    const std::string counts = folder_ / "counts";
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = run_with({"SCROOGE_FAULT_COUNTS=" + counts});
    duration_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    EXPECT_TRUE(outcome.succeeded()) << outcome.text();
    std::ifstream file(counts);
    std::string name;
    unsigned long number = 0;
    while (file >> name >> number) calls_[name] = number;
  }
  expected_ = read_whole(output());
  if (variant == Variant::kSave) expected_calibration_ = read_whole(calibration());
  // At the rename the journal is whole: the toy model has two blocks.
  std::mt19937_64 random(1);
  reset();
  (void)run_cut({"rename", 1, "kill-before"}, Loss::kAll, random);
  front_records_ = synced_records_ - 2;
}

unsigned long ToyJob::calls(std::string_view kind) const {
  const auto found = calls_.find(kind);
  return found == calls_.end() ? 0 : found->second;
}

void ToyJob::reset() {
  fs::remove_all(folder_ / "out");
  fs::create_directory(folder_ / "out");
  write_whole(output(), kOldOutput);
}

Outcome ToyJob::run_with(const std::vector<std::string>& environment, std::chrono::microseconds kill_after) {
  std::vector<std::string> arguments(command_);
  arguments.insert(arguments.end(), resources_.begin(), resources_.end());
  std::vector<std::string> variables(environment);
  const bool preloads = std::any_of(variables.begin(), variables.end(),
                                    [](const std::string& variable) { return variable.rfind("LD_PRELOAD=", 0) == 0; });
  if (!preloads) variables.emplace_back("LD_PRELOAD=" SCROOGE_FAULTS_FILE_SHIM);
  variables.push_back("SCROOGE_FAULT_FOLDER=" + folder_.path());
  variables.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0");
  return run_child(arguments, variables, folder_ / "errors", kill_after);
}

std::vector<std::string> ToyJob::environment_of(const FileFault& fault) {
  return {"SCROOGE_FAULT_KIND=" + std::string(fault.kind), "SCROOGE_FAULT_AT=" + std::to_string(fault.at),
          "SCROOGE_FAULT_ACTION=" + fault.action, std::string("SCROOGE_FAULT_ALWAYS=") + (fault.always ? "1" : "0")};
}

Outcome ToyJob::run(const FileFault& fault) { return run_with(environment_of(fault)); }

Outcome ToyJob::run_cut(const FileFault& fault, Loss loss, std::mt19937_64& random) {
  const std::string shadow = folder_ / "disk";
  fs::remove_all(shadow);
  fs::create_directory(shadow);
  std::vector<std::string> environment = environment_of(fault);
  environment.push_back("SCROOGE_FAULT_DISK=" + shadow);
  environment.push_back("SCROOGE_FAULT_DISK_OF=" + (folder_ / "out"));
  Outcome outcome = run_with(environment);
  synced_records_ = 0;
  for (const auto& entry : fs::directory_iterator(shadow)) {
    synced_records_ = std::max(synced_records_, journal_records(read_whole(entry.path())));
  }
  cut_power(folder_ / "out", shadow, loss, random);
  return outcome;
}

bool ToyJob::must_go_on() const { return synced_records_ > front_records_ && read_whole(output()) != expected_; }

Outcome ToyJob::run_refused(unsigned long at, bool always) {
  return run_with({"LD_PRELOAD=" SCROOGE_FAULTS_ALLOCATION_SHIM ":" SCROOGE_FAULTS_FILE_SHIM,
                   "SCROOGE_REFUSE_AT=" + std::to_string(at),
                   std::string("SCROOGE_REFUSE_ALWAYS=") + (always ? "1" : "0"),
                   "SCROOGE_REFUSE_COUNT=" + (folder_ / "allocations")});
}

unsigned long ToyJob::count_allocations() {
  reset();
  EXPECT_TRUE(run_refused(0, false).succeeded());
  return std::strtoul(read_whole(folder_ / "allocations").c_str(), nullptr, 10);
}

testing::AssertionResult ToyJob::output_is_whole(bool may_be_old) const {
  const std::string now = read_whole(output());
  if (now == expected_ || (may_be_old && now == kOldOutput)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the output is " << (now == kOldOutput ? "the old one" : "damaged") << ", "
                                     << now.size() << " bytes of " << expected_.size();
}

testing::AssertionResult ToyJob::finishes() {
  const Outcome outcome = run();
  if (!outcome.succeeded()) return testing::AssertionFailure() << "run again: " << outcome.text();
  if (const auto whole = output_is_whole(false); !whole) return whole;
  if (!expected_calibration_.empty() && read_whole(calibration()) != expected_calibration_) {
    return testing::AssertionFailure() << "the saved calibration is another one";
  }
  for (const auto& entry : fs::directory_iterator(folder_ / "out")) {
    const std::string name = entry.path().filename().string();
    // A report that was killed half-way has a random name.
    if (name == "calibration" && !expected_calibration_.empty()) continue;
    if (name == "model.scrooge" || name.rfind("report.json", 0) == 0) continue;
    return testing::AssertionFailure() << "left behind: " << name;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult ToyJob::fails_cleanly(const Outcome& outcome) {
  const bool told = (outcome.exit_code == 3 || outcome.exit_code == 4) && outcome.errors.rfind("scrooge: ", 0) == 0 &&
                    std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1;
  if (told) return testing::AssertionSuccess();
  return testing::AssertionFailure() << outcome.text();
}

}  // namespace scrooge::faults
