// SPDX-License-Identifier: Apache-2.0
// faults_soak SECONDS [SEED]: toy jobs that are killed and made to fail again and again at random, each attempt with
// other threads, another budget and other spilling than the last, until one comes through; then its bytes are compared.
// The seed is printed: the same one makes the same faults. Exit code 1 at the first job that ended otherwise than it
// should.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/faults.h"
#include "tests/faults/toy_job.h"

namespace scrooge::faults {
namespace {

class Soak {
 public:
  explicit Soak(uint64_t seed) : random_(seed) {}

  // One job from its beginning to its end; false when something is wrong.
  bool run_job() {
    ToyJob& job = jobs_[pick(std::size(jobs_))];
    job.reset();
    for (;;) {
      ++attempts_;
      job.set_resources(random_resources(job));
      if (pick(6) == 0) break;
      const Outcome outcome = disturbed(job);
      if (outcome.signal != 0 && outcome.signal != SIGKILL) return complain(outcome.text());
      if (outcome.signal == 0 && !outcome.succeeded()) {
        ++errors_;
        if (const auto clean = ToyJob::fails_cleanly(outcome); !clean) return complain(clean.message());
      }
      kills_ += outcome.signal == SIGKILL ? 1 : 0;
      if (const auto whole = job.output_is_whole(); !whole) return complain(whole.message());
      if (outcome.succeeded()) break;
    }
    ++jobs_done_;
    job.set_resources({"--threads", std::to_string(1 + pick(3)), "--memory", "1GiB"});
    const auto finished = job.finishes();
    return finished || complain(finished.message());
  }

  void print() const {
    std::printf("%lu jobs, %lu attempts, %lu kills, %lu errors\n", jobs_done_, attempts_, kills_, errors_);
    std::fflush(stdout);
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  Outcome disturbed(ToyJob& job) {
    if (pick(2) == 0) {
      const auto longest = static_cast<uint64_t>(job.duration().count()) * 2;
      last_ = "killed after a while";
      return job.run_killed(std::chrono::microseconds(1 + pick(longest)));
    }
    const std::string actions[] = {"kill-before",       "kill-after",           "kill-half",          "short",
                                   std::to_string(EIO), std::to_string(ENOSPC), std::to_string(EINTR)};
    const size_t kind = pick(kFileCalls);
    FileFault fault{kFileCallNames[kind], 1 + pick(std::max(1ul, job.calls(kFileCallNames[kind]))),
                    actions[pick(std::size(actions))]};
    // A call that is always interrupted never ends.
    fault.always = fault.action != std::to_string(EINTR) && pick(4) == 0;
    last_ = fault.text();
    return job.run(fault);
  }

  std::vector<std::string> random_resources(const ToyJob& job) {
    std::vector<std::string> options{"--threads", std::to_string(1 + pick(3))};
    if (pick(2) == 0) options.insert(options.end(), {"--spill", job.folder()});
    // From too little for some, through what takes spilling, to enough.
    const char* const budgets[] = {"1MiB", "1500KiB", "2MiB", "2500KiB", "3MiB", "4MiB", "1GiB"};
    options.insert(options.end(), {"--memory", budgets[pick(std::size(budgets))]});
    return options;
  }

  bool complain(const std::string& text) const {
    std::printf("FAILED after %lu jobs; the last fault: %s\n%s\n", jobs_done_, last_.c_str(), text.c_str());
    return false;
  }

  std::mt19937_64 random_;
  ToyJob jobs_[4]{ToyJob(Variant::kMemory), ToyJob(Variant::kSpill), ToyJob(Variant::kSave), ToyJob(Variant::kFolder)};
  std::string last_ = "none";
  unsigned long jobs_done_ = 0;
  unsigned long attempts_ = 0;
  unsigned long kills_ = 0;
  unsigned long errors_ = 0;
};

int run(long seconds, uint64_t seed) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const auto start = std::chrono::steady_clock::now();
  auto told = start;
  Soak soak(seed);
  for (;;) {
    if (!soak.run_job()) return 1;
    const auto now = std::chrono::steady_clock::now();
    if (now - told > std::chrono::minutes(1)) {
      soak.print();
      told = now;
    }
    if (now - start > std::chrono::seconds(seconds)) break;
  }
  soak.print();
  return 0;
}

}  // namespace
}  // namespace scrooge::faults

int main(int argc, char** argv) {
  const long seconds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (argc > 3 || seconds <= 0) {
    std::fprintf(stderr, "usage: %s SECONDS [SEED]\n", argv[0]);
    return 2;
  }
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device()();
  return scrooge::faults::run(seconds, seed);
}
