// SPDX-License-Identifier: Apache-2.0
// Jobs on a device with memory of its own: the bytes of the host's, within two budgets, whatever the device does.
#include "tests/support/apart_device.h"

#include <gtest/gtest.h>

#include "src/container/model_reader.h"
#include "src/pipeline/device_listing.h"
#include "src/pipeline/evaluate.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::backend {

std::span<const Backend> extra_backends() {
  static const Backend kApart[] = {test::apart_backend()};
  return kApart;
}

}  // namespace scrooge::backend

namespace scrooge::pipeline {
namespace {

using test::ApartState;

class ApartTest : public JobTest {
 protected:
  void SetUp() override { ApartState::get() = ApartState(); }
  void TearDown() override {
    EXPECT_EQ(ApartState::get().live_buffers, 0);
    ApartState::get() = ApartState();
  }
  static ApartState& state() { return ApartState::get(); }

  QuantizeOptions options(const std::string& output, const std::string& model = "tiny_llama") const {
    QuantizeOptions o = JobTest::options(model, output);
    o.threads = 1;
    o.device = "apart";
    o.log = [this](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) warnings_ += concat(text, "\n");
    };
    return o;
  }
  QuantizeOptions on_host(QuantizeOptions o) const {
    o.device = state().under;
    o.output = path("host.scrooge");
    o.device_memory = 0;
    o.memory = MemoryBudget::kUnlimited;
    o.spill.clear();
    return o;
  }
  Status run(const QuantizeOptions& o) {
    auto job = QuantizeJob::prepare(o);
    if (!job.ok()) return job.status();
    const Status status = (*job)->convert();
    report_ = (*job)->report_json();
    return status;
  }
  void expect_ok(const QuantizeOptions& o) {
    const Status status = run(o);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  // Everything but the index, which names the device.
  static std::string content(const std::string& file) {
    const auto model = container::ModelReader::open(file, container::OpenLevel::kChecksums);
    EXPECT_TRUE(model.ok()) << model.status().message();
    if (!model.ok()) return {};
    std::string all;
    const std::string whole = bytes(file);
    for (const container::TensorRecord& tensor : model->metadata().tensors) {
      all += tensor.description.name;
      for (const container::PlaneRecord& plane : tensor.planes) all += whole.substr(plane.offset, plane.size);
    }
    return all;
  }
  std::string host_content(const QuantizeOptions& o) {
    const QuantizeOptions host = on_host(o);
    expect_ok(host);
    return content(host.output);
  }
  uint64_t figure(const std::string& name) const {
    const size_t at = report_.find(concat("\"", name, "\":"));
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0 : std::stoull(report_.substr(at + name.size() + 3));
  }
  static JobPlan plan_of(const QuantizeOptions& o) {
    const auto job = QuantizeJob::prepare(o);
    EXPECT_TRUE(job.ok()) << job.status().message();
    return job.ok() ? (*job)->plan() : JobPlan();
  }

  mutable std::string warnings_;
  std::string report_;
};

TEST_F(ApartTest, ItIsListedAndRefusedWithTheReasonWhereItIsUnfit) {
  const auto listed = [] {
    for (ListedDevice& device : list_devices()) {
      if (device.id == "apart") return device;
    }
    return ListedDevice();
  };
  EXPECT_TRUE(listed().available);
  state().unfit = "divides wrongly";
  EXPECT_FALSE(listed().available);
  EXPECT_EQ(listed().info.unfit, "divides wrongly");
  const Status refused = QuantizeJob::prepare(options("apart.scrooge")).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_NE(refused.message().find("divides wrongly"), std::string_view::npos) << refused.message();
}

TEST_F(ApartTest, EveryMethodGivesTheBytesOfTheHost) {
  for (const char* model : {"tiny_llama", "tiny_qwen2"}) {
    for (const Propagate propagate : {Propagate::kLinear, Propagate::kBlock, Propagate::kNone}) {
      QuantizeOptions o = options("apart.scrooge", model);
      o.propagate = propagate;
      o.selection.outliers = propagate == Propagate::kLinear ? 5 : 0;
      o.samples = 40;  // chunks enough to hold one out
      expect_ok(o);
      EXPECT_EQ(content(o.output), host_content(o)) << model;
    }
    QuantizeOptions rtn = options("apart.scrooge", model);
    rtn.method = Method::kRtn;
    expect_ok(rtn);
    EXPECT_EQ(content(rtn.output), host_content(rtn));
  }
}

TEST_F(ApartTest, CalibrationResultsAreTheSameAndServeAgain) {
  QuantizeOptions o = options("apart.scrooge");
  o.save_calibration = path("apart.calibration");
  expect_ok(o);
  QuantizeOptions host = on_host(o);
  host.save_calibration = path("host.calibration");
  expect_ok(host);
  EXPECT_EQ(content(o.save_calibration), content(host.save_calibration));
  QuantizeOptions again = options("again.scrooge");
  again.calibration_text.clear();
  again.from_calibration = o.save_calibration;
  expect_ok(again);
  QuantizeOptions again_on_host = on_host(again);
  expect_ok(again_on_host);
  EXPECT_EQ(content(again.output), content(again_on_host.output));
}

TEST_F(ApartTest, ThePlanHasTwoMemoriesAndTheJobStaysInBoth) {
  QuantizeOptions o = options("apart.scrooge");
  const JobPlan plan = plan_of(o);
  EXPECT_EQ(plan.device_budget.origin, BudgetOrigin::kFree);
  EXPECT_LT(plan.device_budget.bytes, state().free_bytes);
  EXPECT_GT(plan.memory.sum(Pool::kDevice), 10 * plan.memory.sum(Pool::kHost));  // staging and ids are all it holds
  const QuantizeOptions host = on_host(o);
  EXPECT_EQ(plan_of(host).memory.sum(Pool::kDevice), 0u);
  const uint64_t ids = sizeof(int32_t) * plan.tokens;  // with the host in either case
  EXPECT_EQ(plan_of(host).memory.sum(), plan.memory.sum(Pool::kDevice) + ids);
  expect_ok(o);
  EXPECT_LE(figure("device_peak_bytes"), plan.memory.sum(Pool::kDevice));
  EXPECT_LE(figure("peak_bytes"), plan.memory.sum());
  EXPECT_GT(figure("device_memory_peak"), 0u);
  EXPECT_GE(figure("device_peak_bytes"), figure("device_memory_peak"));
}

TEST_F(ApartTest, WithLittleDeviceMemoryStatesStayWithTheHostOrOnDisk) {
  QuantizeOptions o = options("apart.scrooge");
  const std::string expected = host_content(o);
  o.device_memory = plan_of(o).memory.device_minimum_bytes;
  const JobPlan in_host = plan_of(o);
  EXPECT_LE(in_host.memory.sum(Pool::kDevice), o.device_memory);
  EXPECT_EQ(in_host.memory.spill_bytes, 0u);
  expect_ok(o);
  EXPECT_EQ(content(o.output), expected);
  EXPECT_LE(figure("device_peak_bytes"), o.device_memory);
  EXPECT_GE(figure("peak_bytes"), in_host.memory.sum() / 2);

  o.spill = folder_.path();
  o.memory = plan_of(o).memory.minimum_bytes;
  const JobPlan on_disk = plan_of(o);
  EXPECT_GT(on_disk.memory.spill_bytes, 0u);
  EXPECT_LT(on_disk.memory.sum(), in_host.memory.sum());
  expect_ok(o);
  EXPECT_EQ(content(o.output), expected);
  EXPECT_LE(figure("peak_bytes"), o.memory);
}

TEST_F(ApartTest, TheMemoryThatIsTooSmallIsNamedWithItsMinimum) {
  QuantizeOptions o = options("apart.scrooge");
  const uint64_t least = plan_of(o).memory.device_minimum_bytes;
  o.device_memory = least - 1;
  Status refused = QuantizeJob::prepare(o).status();
  EXPECT_EQ(refused.code(), StatusCode::kBudgetExceeded);
  for (const std::string& word : {std::string("device memory"), concat(least), std::string("--device-memory")}) {
    EXPECT_NE(refused.message().find(word), std::string_view::npos) << refused.message();
  }
  o.device_memory = least;
  o.memory = plan_of(o).memory.minimum_bytes - 1;
  refused = QuantizeJob::prepare(o).status();
  EXPECT_EQ(refused.code(), StatusCode::kBudgetExceeded);
  for (const char* word : {"memory: this job needs", "raise --memory", "raise --device-memory"}) {
    EXPECT_NE(refused.message().find(word), std::string_view::npos) << refused.message();
  }
}

TEST_F(ApartTest, AnIntegratedDeviceSharesTheBudgetOfTheHost) {
  state().integrated = true;
  QuantizeOptions o = options("apart.scrooge");
  const JobPlan plan = plan_of(o);
  EXPECT_EQ(plan.memory.sum(Pool::kDevice), 0u);
  EXPECT_GT(plan.memory.sum(), 0u);
  o.memory = plan.memory.minimum_bytes;
  expect_ok(o);
  EXPECT_LE(figure("peak_bytes"), o.memory);
  EXPECT_EQ(content(o.output), host_content(o));
  o.memory = MemoryBudget::kUnlimited;
  state().free_bytes = uint64_t{512} << 20;
  const auto job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok());
  EXPECT_EQ((*job)->plan().budget_origin, BudgetOrigin::kFree);
  EXPECT_LT((*job)->options().memory, state().free_bytes);
}

TEST_F(ApartTest, InterruptedItGoesOnAndGivesTheSameBytes) {
  for (const StatesPolicy states : {StatesPolicy::kReplay, StatesPolicy::kKeep}) {
    for (const bool tight : {false, true}) {
      QuantizeOptions o = options("apart.scrooge");
      const std::string expected = host_content(o);
      o.states = states;
      if (tight) o.device_memory = plan_of(o).memory.device_minimum_bytes;
      QuantizeOptions stopped = o;
      stopped.progress = [](const Progress& p) { return p.phase != Phase::kBlockDone; };
      ASSERT_EQ(run(stopped).code(), StatusCode::kCancelled);
      expect_ok(o);
      EXPECT_EQ(figure("resumed_blocks"), 1u);
      EXPECT_EQ(content(o.output), expected);
    }
  }
}

TEST_F(ApartTest, AJobBegunElsewhereIsRefusedAndStays) {
  QuantizeOptions o = options("apart.scrooge");
  QuantizeOptions stopped = o;
  stopped.progress = [](const Progress& p) { return p.phase != Phase::kBlockDone; };
  ASSERT_EQ(run(stopped).code(), StatusCode::kCancelled);
  const auto expect_refused = [&](const QuantizeOptions& other, const char* word) {
    const Status refused = run(other);
    EXPECT_EQ(refused.code(), StatusCode::kFingerprintMismatch) << refused.message();
    EXPECT_NE(refused.message().find(word), std::string_view::npos) << refused.message();
  };
  QuantizeOptions other = on_host(o);
  other.output = o.output;
  expect_refused(other, "arithmetic: was apart");
  state().driver = "test driver 2";
  expect_refused(o, "test driver 2");
  state().driver = ApartState().driver;
  expect_ok(o);
  EXPECT_EQ(figure("resumed_blocks"), 1u);
}

TEST_F(ApartTest, ALostDeviceIsMadeOnceMoreAndTheBlockDoneAgain) {
  QuantizeOptions o = options("apart.scrooge");
  const std::string expected = host_content(o);
  expect_ok(o);
  const int64_t calls = state().calls;
  ASSERT_GT(calls, 100);
  for (const StatesPolicy states : {StatesPolicy::kReplay, StatesPolicy::kKeep}) {
    for (int64_t part = 0; part < 9; ++part) {
      state() = ApartState();
      state().lost_after = {calls * part / 9};
      o.states = states;
      o.fresh = true;  // only the first attempt is to start over
      warnings_.clear();
      expect_ok(o);
      EXPECT_EQ(state().made, 2);
      EXPECT_EQ(figure("device_losses"), 1u);
      EXPECT_EQ(figure("resumed_blocks"), 0u);
      EXPECT_NE(warnings_.find("made once more"), std::string::npos) << warnings_;
      EXPECT_EQ(content(o.output), expected);
    }
  }
}

TEST_F(ApartTest, ASecondLossEndsTheJobAndTheNextRunGoesOn) {
  QuantizeOptions o = options("apart.scrooge");
  const std::string expected = host_content(o);
  expect_ok(o);
  const int64_t calls = state().calls;
  state() = ApartState();
  state().lost_after = {calls * 8 / 10, calls * 5 / 10};
  const Status lost = run(o);
  EXPECT_EQ(lost.code(), StatusCode::kUnavailable) << lost.message();
  for (const char* word : {"a second time", "blocks are kept"}) {
    EXPECT_NE(lost.message().find(word), std::string_view::npos) << lost.message();
  }
  EXPECT_EQ(content(o.output), expected);  // the older file
  expect_ok(o);
  EXPECT_GE(figure("resumed_blocks"), 1u);
  EXPECT_EQ(content(o.output), expected);
}

TEST_F(ApartTest, ADeviceThatStaysAwayIsAnErrorThatSaysSo) {
  const QuantizeOptions o = options("apart.scrooge");
  expect_ok(o);
  const int64_t calls = state().calls;
  state() = ApartState();
  state().lost_after = {calls * 8 / 10};
  QuantizeOptions watched = o;
  watched.log = [](LogLevel level, std::string_view) {
    if (level == LogLevel::kWarning) ApartState::get().cannot_make = true;
  };
  Status status = run(watched);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  for (const char* word : {"could not be made again", "blocks are kept"}) {
    EXPECT_NE(status.message().find(word), std::string_view::npos) << status.message();
  }
  state() = ApartState();
  state().cannot_make = true;
  status = run(o);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("the driver is gone"), std::string_view::npos) << status.message();
}

TEST_F(ApartTest, RefusedMemoryMeansLessOnTheDeviceAndTheSameBytes) {
  QuantizeOptions o = options("apart.scrooge");
  const std::string expected = host_content(o);
  // What is really held when memory is asked for: the bound of the backend's scratch is in the plan alone.
  state().most_used = 0;
  expect_ok(o);
  const uint64_t all = state().most_used;
  QuantizeOptions tight = o;
  tight.device_memory = plan_of(o).memory.device_minimum_bytes;
  state().most_used = 0;
  expect_ok(tight);
  const uint64_t least = state().most_used;
  ASSERT_LT(least, all);
  for (const uint64_t capacity : {all - 1, (all + least) / 2, least}) {
    state() = ApartState();
    state().capacity = capacity;
    warnings_.clear();
    expect_ok(o);
    EXPECT_GE(figure("device_refusals"), 1u) << capacity;
    EXPECT_NE(warnings_.find("refused"), std::string::npos) << warnings_;
    EXPECT_EQ(content(o.output), expected) << capacity;
  }
  state() = ApartState();
  state().capacity = least / 2;
  const Status status = run(o);
  EXPECT_EQ(status.code(), StatusCode::kOutOfMemory);
  for (const char* word : {"refused", "at least", "close other programs"}) {
    EXPECT_NE(status.message().find(word), std::string_view::npos) << status.message();
  }
}

TEST_F(ApartTest, WhereRowsAreIndependentHalfAChunkIsTriedFirst) {
  state().under = "reference";  // without scratch, so that what is planned is what is held
  state().independent_rows = true;
  QuantizeOptions o = options("apart.scrooge");
  o.samples = 8;
  o.length = 16;
  const std::string expected = host_content(o);
  expect_ok(o);
  state().capacity = state().most_used - 1;
  expect_ok(o);
  EXPECT_EQ(figure("device_refusals"), 1u) << warnings_;
  EXPECT_EQ(content(o.output), expected);
  EXPECT_NE(warnings_.find("(half a chunk at a time)"), std::string::npos) << warnings_;
  warnings_.clear();
  state().independent_rows = false;
  expect_ok(o);
  EXPECT_EQ(content(o.output), expected);
  EXPECT_EQ(warnings_.find("half"), std::string::npos) << warnings_;
}

TEST_F(ApartTest, AnyAllocationMayBeRefused) {
  QuantizeOptions o = options("apart.scrooge");
  const std::string expected = host_content(o);
  expect_ok(o);
  const int64_t allocations = state().allocations;
  for (int64_t i = 0; i < allocations; i += 3) {
    state() = ApartState();
    state().refuse_after = i;
    const Status status = run(o);
    if (!status.ok()) {
      // Before there was anything large there is nothing to hold less of.
      EXPECT_EQ(status.code(), StatusCode::kOutOfMemory) << status.message();
      continue;
    }
    EXPECT_EQ(figure("device_refusals"), 1u);
    EXPECT_EQ(content(o.output), expected) << i;
  }
}

EvaluateOptions evaluation(const std::string& model) {
  EvaluateOptions o;
  o.model = model;
  o.reference = SCROOGE_SOURCE_DIR "/tests/golden/tiny_llama";
  o.text = SCROOGE_SOURCE_DIR "/tests/golden/tiny_text.txt";
  o.context = 64;
  o.max_windows = 5;
  o.threads = 1;
  o.device = "apart";
  return o;
}

TEST_F(ApartTest, EvaluationGivesTheSameNumbersWhateverTheDeviceDoes) {
  QuantizeOptions rtn = options("rtn.scrooge");
  rtn.method = Method::kRtn;
  expect_ok(rtn);
  EvaluateOptions o = evaluation(rtn.output);
  o.device = state().under;
  const auto host = evaluate(o);
  ASSERT_TRUE(host.ok()) << host.status().message();
  const auto expect_same = [&](const EvaluateOptions& changed) {
    const auto apart = evaluate(changed);
    ASSERT_TRUE(apart.ok()) << apart.status().message();
    EXPECT_EQ(apart->perplexity, host->perplexity);
    EXPECT_EQ(apart->kl, host->kl);
    EXPECT_EQ(apart->top1, host->top1);
    EXPECT_GT(apart->device_peak_bytes, 0u);
  };
  o = evaluation(rtn.output);
  state() = ApartState();
  expect_same(o);
  const int64_t calls = state().calls;
  const uint64_t peak = evaluate(o)->device_peak_bytes;
  o.device_memory = 1 << 16;
  const std::string refused(evaluate(o).status().message());
  ASSERT_NE(refused.find("device memory: this evaluation needs at least"), std::string::npos) << refused;
  ASSERT_NE(refused.find("--device-memory"), std::string::npos) << refused;
  o.device_memory = std::stoull(refused.substr(refused.find('(') + 1));
  expect_same(o);  // with one window at a time
  o.device_memory = 0;
  state().capacity = peak - (64 << 10);
  warnings_.clear();
  o.log = [this](LogLevel, std::string_view text) { warnings_ += text; };
  expect_same(o);
  EXPECT_NE(warnings_.find("windows at a time"), std::string::npos) << warnings_;
  state() = ApartState();
  state().lost_after = {calls / 2};
  expect_same(o);
  state() = ApartState();
  state().lost_after = {calls / 2, calls / 3};
  EXPECT_EQ(evaluate(o).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace scrooge::pipeline
