// SPDX-License-Identifier: Apache-2.0
// Interrupted jobs: what stays, what goes on, and that the bytes are those of an undisturbed run.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

constexpr int kNever = 1000;

class ResumeTest : public JobTest {
 protected:
  QuantizeOptions options(const std::string& output) const {
    QuantizeOptions o = JobTest::options("tiny_llama", output);
    o.threads = 1;
    return o;
  }
  static bool exists(const std::string& file) { return std::filesystem::exists(file); }
  static bool left_over(const std::string& output) {
    return exists(output + ".partial") || exists(output + ".journal") || exists(DurableStates::name_of(output));
  }

  // Cancelled at the first report behind `reports` of them; `phase` is that of the last one.
  static Status run(QuantizeOptions o, int reports = kNever, std::string* report = nullptr, Phase* phase = nullptr) {
    int seen = 0;
    o.progress = [&seen, reports, phase](const Progress& progress) {
      if (phase != nullptr) *phase = progress.phase;
      return seen++ < reports;
    };
    auto job = QuantizeJob::prepare(std::move(o));
    if (!job.ok()) return job.status();
    const Status status = (*job)->convert();
    if (report != nullptr) *report = (*job)->report_json();
    return status;
  }
  // Cancelled once so many blocks are finished.
  static Status run_blocks(QuantizeOptions o, uint32_t blocks) {
    o.progress = [blocks](const Progress& p) { return p.phase != Phase::kBlockDone || p.block + 1 < blocks; };
    auto job = QuantizeJob::prepare(std::move(o));
    return job.ok() ? (*job)->convert() : job.status();
  }
  // To the end; whether a finished block ran again.
  static Status run_watching(QuantizeOptions o, std::set<uint32_t>& replayed) {
    o.progress = [&replayed](const Progress& progress) {
      if (std::string_view(progress.stage) == "resume") replayed.insert(progress.block);
      return true;
    };
    auto job = QuantizeJob::prepare(std::move(o));
    return job.ok() ? (*job)->convert() : job.status();
  }
  std::string undisturbed(QuantizeOptions o) const {
    o.output = path("undisturbed.scrooge");
    const Status status = run(o);
    EXPECT_TRUE(status.ok()) << status.message();
    return bytes(o.output);
  }
};

TEST_F(ResumeTest, CancelledAtEveryReportTheSameCommandFinishesWithTheSameBytes) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  Status status = run(o, 0);
  int reports = 0;
  for (; !status.ok(); status = run(o, ++reports)) {
    ASSERT_EQ(status.code(), StatusCode::kCancelled) << status.message();
    EXPECT_FALSE(exists(o.output));
    ASSERT_LT(reports, kNever);
  }
  EXPECT_GT(reports, 20);
  EXPECT_EQ(bytes(o.output), expected);
  EXPECT_FALSE(left_over(o.output));
}

TEST_F(ResumeTest, EveryPropagationAndMethodGoesOn) {
  for (const Propagate propagate : {Propagate::kLinear, Propagate::kBlock, Propagate::kNone}) {
    for (const Method method : {Method::kAwq, Method::kRtn}) {
      for (const bool symmetric : {false, true}) {
        QuantizeOptions o = options("model.scrooge");
        o.propagate = propagate;
        o.method = method;
        o.spec.symmetric = symmetric;
        const std::string expected = undisturbed(o);
        ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
        ASSERT_TRUE(left_over(o.output));
        std::string report;
        const Status status = run(o, kNever, &report);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_NE(report.find("\"resumed_blocks\":1"), std::string::npos);
        EXPECT_EQ(bytes(o.output), expected);
      }
    }
  }
}

TEST_F(ResumeTest, NothingStaysBeforeTheFirstBlockIsFinished) {
  const QuantizeOptions o = options("model.scrooge");
  ASSERT_EQ(run(o, 5).code(), StatusCode::kCancelled);
  EXPECT_FALSE(left_over(o.output));
}

TEST_F(ResumeTest, OtherOptionsAreRefusedByNameAndLoseNothing) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  QuantizeOptions other = o;
  other.grid = 10;
  other.samples = 8;
  const Status refused = run(other);
  EXPECT_EQ(refused.code(), StatusCode::kFingerprintMismatch);
  for (const char* word : {"grid: was 20, is 10", "samples: was 16, is 8", "--fresh"}) {
    EXPECT_NE(refused.message().find(word), std::string_view::npos) << refused.message();
  }
  ASSERT_TRUE(run(o).ok());
  EXPECT_EQ(bytes(o.output), expected);
}

TEST_F(ResumeTest, AnAttemptThatCannotEvenStartLosesNothing) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  int allocations = 0;
  for (int fail = 0; fail < 30; ++fail) {
    QuantizeOptions broken = o;
    broken.allocator.allocate = [&allocations, fail](size_t bytes, size_t alignment) -> void* {
      return allocations++ >= fail ? nullptr
                                   : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    };
    broken.allocator.release = [](void* pointer, size_t) { std::free(pointer); };
    allocations = 0;
    const Status status = run(broken);
    if (status.ok()) break;
    EXPECT_EQ(status.code(), StatusCode::kOutOfMemory) << status.message();
    ASSERT_TRUE(exists(o.output + ".partial")) << fail;
  }
  std::string report;
  ASSERT_TRUE(run(o, kNever, &report).ok());
  EXPECT_EQ(bytes(o.output), expected);
}

TEST_F(ResumeTest, FreshStartsOver) {
  const QuantizeOptions o = options("model.scrooge");
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  QuantizeOptions other = o;
  other.grid = 10;
  other.fresh = true;
  const std::string expected = undisturbed(other);
  std::string report;
  ASSERT_TRUE(run(other, kNever, &report).ok());
  EXPECT_NE(report.find("\"resumed_blocks\":0"), std::string::npos);
  EXPECT_EQ(bytes(o.output), expected);
}

TEST_F(ResumeTest, ThreadsBudgetAndSpillMayChangeInBetween) {
  QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  o.threads = 2;
  o.memory = uint64_t{1} << 30;
  o.spill = folder_.path();
  ASSERT_TRUE(run(o).ok());
  EXPECT_EQ(bytes(o.output), expected);
}

TEST_F(ResumeTest, ADamagedSegmentIsMadeAgain) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  std::string partial = bytes(o.output + ".partial");
  // The last byte that is not padding lies in the block.
  partial[partial.find_last_not_of('\0')] ^= 1;
  std::ofstream(o.output + ".partial", std::ios::binary | std::ios::trunc) << partial;
  const Status status = run(o);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(bytes(o.output), expected);
}

TEST_F(ResumeTest, AJournalCutAnywhereStillGivesTheSameBytes) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  const std::string journal = bytes(o.output + ".journal");
  const std::string partial = bytes(o.output + ".partial");
  for (size_t size = 0; size < journal.size(); size += 1 + journal.size() / 12) {
    std::ofstream(o.output + ".journal", std::ios::binary | std::ios::trunc) << journal.substr(0, size);
    std::ofstream(o.output + ".partial", std::ios::binary | std::ios::trunc) << partial;
    std::filesystem::remove(o.output);
    const Status status = run(o);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(bytes(o.output), expected) << size;
  }
}

TEST_F(ResumeTest, AJournalWithoutItsFileStartsOver) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  std::filesystem::remove(o.output + ".partial");
  ASSERT_TRUE(run(o).ok());
  EXPECT_EQ(bytes(o.output), expected);
}

// Cancelled anywhere with the states kept: the same bytes, at most one finished block runs again, nothing is left.
TEST_F(ResumeTest, KeptStatesAreGoneOnFromAndLeaveNothing) {
  for (const double correct : {0.0, 0.5}) {
    QuantizeOptions o = options("model.scrooge");
    o.correct = correct;
    const std::string expected = undisturbed(o);
    o.states = StatesPolicy::kKeep;
    int gone_on = 0;
    for (int reports = 0;; reports += 5) {
      SCOPED_TRACE(concat("cancelled at report ", reports, ", correct ", correct));
      ASSERT_LT(reports, kNever);
      std::filesystem::remove(o.output);
      Phase phase = Phase::kPrepare;
      const Status stopped = run(o, reports, nullptr, &phase);
      if (stopped.ok()) break;
      ASSERT_EQ(stopped.code(), StatusCode::kCancelled) << stopped.message();
      // Behind the last block nothing goes on from states. On a slow machine there are reports.
      const bool kept = exists(DurableStates::name_of(o.output));
      EXPECT_EQ(kept, left_over(o.output) && phase != Phase::kFinish);
      // On such a one it may have been cancelled between the end of the first block and that of its states, too.
      const bool saved = kept && bytes(DurableStates::name_of(o.output)).starts_with("SCRGSTT1");
      gone_on += saved ? 1 : 0;
      std::set<uint32_t> replayed;
      const Status status = run_watching(o, replayed);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(bytes(o.output), expected);
      // The last one does where it was cancelled between the end of that block and that of its states.
      EXPECT_LE(replayed.size(), saved ? 1u : 2u);
      EXPECT_FALSE(left_over(o.output));
    }
    EXPECT_GT(gone_on, 0);
  }
}

// A second process with the same command waits, and then has nothing to do.
TEST_F(ResumeTest, AJobThatAnotherProcessDidMeanwhileIsNotDoneAgain) {
  const QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  QuantizeOptions second = o;
  std::atomic<bool> waiting{false};
  std::atomic<int> blocks{0};
  second.progress = [&](const Progress& progress) {
    if (std::string_view(progress.stage) == "wait") waiting = true;
    if (progress.phase == Phase::kBlock) ++blocks;
    return true;
  };
  std::thread other;
  std::string report;
  Status other_status;
  QuantizeOptions first = o;
  first.progress = [&](const Progress& progress) {
    if (progress.phase != Phase::kBlockDone || other.joinable()) return true;
    other = std::thread([&] {
      auto job = QuantizeJob::prepare(second);
      other_status = job.ok() ? (*job)->convert() : job.status();
      if (job.ok()) report = (*job)->report_json();
    });
    for (int i = 0; i < 1000 && !waiting; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return true;
  };
  auto job = QuantizeJob::prepare(first);
  ASSERT_TRUE(job.ok());
  const Status status = (*job)->convert();
  ASSERT_TRUE(other.joinable());
  other.join();
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_TRUE(other_status.ok()) << other_status.message();
  EXPECT_TRUE(waiting);
  EXPECT_EQ(blocks, 0);
  EXPECT_EQ(bytes(o.output), expected);
  EXPECT_FALSE(left_over(o.output));
  EXPECT_NE(report.find("\"resumed_blocks\":2"), std::string::npos) << report;
}

TEST_F(ResumeTest, DamagedOrForeignStatesAreNotGoneOnFrom) {
  QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  o.states = StatesPolicy::kKeep;
  const std::string states = DurableStates::name_of(o.output);
  using Damage = void (*)(std::string&);
  const Damage damages[] = {[](std::string& s) { s[100] = static_cast<char>(s[100] ^ 1); },  // the states
                            [](std::string& s) { s[8] = static_cast<char>(s[8] ^ 1); },      // the block
                            [](std::string& s) { s[16] = static_cast<char>(s[16] ^ 1); },    // the job
                            [](std::string& s) { s.resize(80); }, [](std::string& s) { s.clear(); }};
  for (const Damage damage : damages) {
    SCOPED_TRACE(&damage - damages);
    std::filesystem::remove(o.output);
    ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
    std::string content = bytes(states);
    ASSERT_GT(content.size(), 200u);
    damage(content);
    std::ofstream(states, std::ios::binary | std::ios::trunc) << content;
    std::set<uint32_t> replayed;
    const Status status = run_watching(o, replayed);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_FALSE(replayed.empty());
    EXPECT_EQ(bytes(o.output), expected);
  }
}

TEST_F(ResumeTest, StatesThatAreNotWantedAnyMoreGo) {
  QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  o.states = StatesPolicy::kKeep;
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  ASSERT_TRUE(exists(DurableStates::name_of(o.output)));
  o.states = StatesPolicy::kReplay;
  std::set<uint32_t> replayed;
  const Status status = run_watching(o, replayed);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_FALSE(replayed.empty());
  EXPECT_EQ(bytes(o.output), expected);
  EXPECT_FALSE(left_over(o.output));
}

TEST_F(ResumeTest, SpilledStatesGiveTheSameBytesInLessMemory) {
  QuantizeOptions o = options("model.scrooge");
  const std::string expected = undisturbed(o);
  auto in_memory = QuantizeJob::prepare(o);
  ASSERT_TRUE(in_memory.ok());
  const uint64_t minimum = (*in_memory)->plan().memory.minimum_bytes;
  o.memory = minimum - 1;
  auto refused = QuantizeJob::prepare(o);
  ASSERT_EQ(refused.status().code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(refused.status().message().find("--spill"), std::string_view::npos);
  o.spill = folder_.path();
  auto spilled = QuantizeJob::prepare(o);
  ASSERT_TRUE(spilled.ok()) << spilled.status().message();
  const uint64_t least = (*spilled)->plan().memory.minimum_bytes;
  EXPECT_LT(least, minimum);
  EXPECT_GT((*spilled)->plan().memory.spill_bytes, 0u);
  for (const uint64_t budget : {least, (least + minimum) / 2, minimum - 1}) {
    o.memory = budget;
    o.fresh = true;
    const Status status = run(o);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(bytes(o.output), expected);
  }
  o.memory = least - 1;
  EXPECT_EQ(run(o).code(), StatusCode::kBudgetExceeded);
  // No spill file is left behind.
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().string().find("spill"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace scrooge::pipeline
