// SPDX-License-Identifier: Apache-2.0
// The whole job on the tiny models: what is written, that it runs, and that it is the same every time.
#include "src/pipeline/quantize_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "src/container/model_reader.h"
#include "src/container/verify.h"
#include "src/pipeline/evaluate.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class QuantizeJobTest : public JobTest {
 protected:
  static Status run(QuantizeOptions o) {
    auto job = QuantizeJob::prepare(std::move(o));
    if (!job.ok()) return job.status();
    return (*job)->convert();
  }
  static double kl(const std::string& model, const std::string& reference) {
    EvaluateOptions o;
    o.model = model;
    o.reference = reference;
    o.text = golden("tiny_text.txt");
    o.context = 128;
    o.max_windows = 16;
    o.threads = 2;
    const auto result = evaluate(o);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? result->kl : 1e9;
  }
  size_t files_in_folder() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
};

TEST_F(QuantizeJobTest, AwqBeatsRoundToNearestOnEveryModel) {
  for (const char* model : {"tiny_llama", "tiny_qwen2", "tiny_llama.gguf"}) {
    QuantizeOptions awq = options(model, "awq.scrooge");
    awq.spec.bits = 3;
    QuantizeOptions rtn = awq;
    rtn.output = folder_.path() + "/rtn.scrooge";
    rtn.method = Method::kRtn;
    const Status a = run(awq);
    ASSERT_TRUE(a.ok()) << a.message();
    ASSERT_TRUE(run(rtn).ok());
    ASSERT_TRUE(container::verify(awq.output).ok());
    EXPECT_LT(kl(awq.output, awq.checkpoint), kl(rtn.output, rtn.checkpoint)) << model;
  }
}

TEST_F(QuantizeJobTest, EveryPropagationAndSchemeGivesAFileThatRuns) {
  for (const Propagate propagate : {Propagate::kLinear, Propagate::kBlock, Propagate::kNone}) {
    for (const bool symmetric : {false, true}) {
      for (const int64_t group : {0, 24, 128}) {
        QuantizeOptions o = options("tiny_llama", "file.scrooge");
        o.propagate = propagate;
        o.spec.bits = 8;
        o.spec.symmetric = symmetric;
        o.spec.group = group;
        o.spec.scale_dtype = symmetric ? DType::kBF16 : DType::kF16;
        const Status status = run(o);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_LT(kl(o.output, o.checkpoint), 0.01);
      }
    }
  }
}

TEST_F(QuantizeJobTest, BytesAreTheSameForEveryThreadCountAndRun) {
  QuantizeOptions o = options("tiny_qwen2", "one.scrooge");
  o.threads = 1;
  ASSERT_TRUE(run(o).ok());
  const std::string first = bytes(o.output);
  for (const int threads : {1, 2, 3}) {
    QuantizeOptions again = options("tiny_qwen2", "again.scrooge");
    again.threads = threads;
    ASSERT_TRUE(run(again).ok());
    EXPECT_EQ(bytes(again.output), first) << threads;
  }
}

TEST_F(QuantizeJobTest, FolderAndGgufOfTheSameModelGiveTheSameCodes) {
  const QuantizeOptions a = options("tiny_llama", "folder.scrooge");
  const QuantizeOptions b = options("tiny_llama.gguf", "gguf.scrooge");
  ASSERT_TRUE(run(a).ok());
  ASSERT_TRUE(run(b).ok());
  const auto first = container::ModelReader::open(a.output);
  const auto second = container::ModelReader::open(b.output);
  ASSERT_TRUE(first.ok() && second.ok());
  int compared = 0;
  for (const container::TensorRecord& tensor : first->tensors()) {
    if (tensor.description.kind != container::TensorKind::kQuantized) continue;
    const auto* other = second->find(tensor.description.name);
    ASSERT_NE(other, nullptr);
    const auto codes = first->plane(tensor, container::PlaneKind::kCodes);
    const auto other_codes = second->plane(*other, container::PlaneKind::kCodes);
    EXPECT_TRUE(std::equal(codes.begin(), codes.end(), other_codes.begin(), other_codes.end()))
        << tensor.description.name;
    ++compared;
  }
  EXPECT_EQ(compared, 14);
}

TEST_F(QuantizeJobTest, PlanCoversWhatIsUsedAndTheMinimumIsEnough) {
  auto planned = QuantizeJob::prepare(options("tiny_llama", "unlimited.scrooge"));
  ASSERT_TRUE(planned.ok());
  const uint64_t minimum = (*planned)->plan().memory.minimum_bytes;
  ASSERT_TRUE((*planned)->convert().ok());
  // Texts in the index may be shorter than planned, never longer.
  const uint64_t size = std::filesystem::file_size(folder_.path() + "/unlimited.scrooge");
  EXPECT_LE(size, (*planned)->plan().output_bytes);
  EXPECT_GE(size + (16 << 10), (*planned)->plan().output_bytes);
  EXPECT_NE((*planned)->report_json().find(concat("\"output_bytes\":", size)), std::string::npos);

  QuantizeOptions tight = options("tiny_llama", "tight.scrooge");
  tight.memory = minimum;
  const Status status = run(tight);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(bytes(tight.output), bytes(folder_.path() + "/unlimited.scrooge"));
  tight.memory = minimum - 1;
  const Status refused = run(tight);
  EXPECT_EQ(refused.code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(refused.message().find(concat(minimum)), std::string_view::npos);
}

TEST_F(QuantizeJobTest, FailuresLeaveTheOldOutputAsItWas) {
  QuantizeOptions o = options("tiny_llama", "kept.scrooge");
  ASSERT_TRUE(run(o).ok());
  const std::string before = bytes(o.output);
  QuantizeOptions cancelled = options("tiny_llama", "kept.scrooge");
  cancelled.progress = [](const Progress& p) { return p.phase != Phase::kBlockDone; };
  EXPECT_EQ(run(cancelled).code(), StatusCode::kCancelled);
  EXPECT_EQ(bytes(o.output), before);
  // What is finished waits for the same command (resume_test.cc).
  EXPECT_EQ(files_in_folder(), 3u);
  cancelled.fresh = true;
  cancelled.progress = [](const Progress& p) { return p.phase != Phase::kBlock; };
  EXPECT_EQ(run(cancelled).code(), StatusCode::kCancelled);
  EXPECT_EQ(bytes(o.output), before);
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(QuantizeJobTest, BadInputIsNamedBeforeAnyWork) {
  const auto code = [&](const std::function<void(QuantizeOptions&)>& change) {
    QuantizeOptions o = options("tiny_llama", "bad.scrooge");
    change(o);
    const Status status = QuantizeJob::prepare(std::move(o)).status();
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/bad.scrooge"));
    return status.code();
  };
  EXPECT_EQ(code([](auto& o) { o.checkpoint += "-missing"; }), StatusCode::kNotFound);
  EXPECT_EQ(code([](auto& o) { o.calibration_text = ""; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& o) { o.calibration_text += "-missing"; }), StatusCode::kNotFound);
  EXPECT_EQ(code([](auto& o) { o.length = 100000; }), StatusCode::kBadText);
  EXPECT_EQ(code([](auto& o) { o.spec.bits = 5; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& o) { o.spec.group = 7; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& o) { o.output = "/nowhere/at/all.scrooge"; }), StatusCode::kNotFound);
  EXPECT_EQ(code([](auto& o) { o.output = o.calibration_text; }), StatusCode::kInputIsOutput);
  EXPECT_EQ(code([](auto& o) { o.output = o.checkpoint + "/config.json"; }), StatusCode::kInputIsOutput);
  EXPECT_EQ(code([](auto& o) { o.device = "abacus"; }), StatusCode::kUnavailable);
  EXPECT_EQ(code([](auto& o) {
              o.reproducible = true;
              o.device = "reference";
            }),
            StatusCode::kInvalidArgument);
}

TEST_F(QuantizeJobTest, ReproducibleFilesSaySoAndAreAsGood) {
  QuantizeOptions fast = options("tiny_llama", "fast.scrooge");
  fast.selection.held_out = 0;  // so few tokens are all wanted, or the last bits of one decide
  QuantizeOptions same = fast;
  same.output = path("same.scrooge");
  same.reproducible = true;
  ASSERT_TRUE(run(fast).ok());
  ASSERT_TRUE(run(same).ok());
  const auto file = container::ModelReader::open(same.output);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto& attributes = file->metadata().info.attributes;
  EXPECT_TRUE(std::any_of(attributes.begin(), attributes.end(), [](const auto& attribute) {
    return attribute.key == "device" && attribute.value == "cpu-reproducible";
  }));
  EXPECT_NEAR(kl(same.output, same.checkpoint) / kl(fast.output, fast.checkpoint), 1, 0.1);
}

TEST_F(QuantizeJobTest, ScaledFileIsNotACheckpoint) {
  QuantizeOptions o = options("tiny_llama", "a.scrooge");
  ASSERT_TRUE(run(o).ok());
  o.checkpoint = o.output;
  o.output += ".again";
  EXPECT_EQ(QuantizeJob::prepare(o).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace scrooge::pipeline
