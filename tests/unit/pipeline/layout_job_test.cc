// SPDX-License-Identifier: Apache-2.0
// Jobs that write a device layout: the bytes of a repacked canonical output, whatever the budget, the threads and the
// interruptions.
#include <gtest/gtest.h>

#include <filesystem>

#include "src/container/repack.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class LayoutJobTest : public JobTest {
 protected:
  static Status run(const QuantizeOptions& o) {
    auto job = QuantizeJob::prepare(o);
    if (!job.ok()) return job.status();
    const Status status = (*job)->convert();
    if (!status.ok()) return status;
    EXPECT_NE((*job)->report_json().find(concat("\"layout\":\"", o.layout, "\"")), std::string::npos);
    EXPECT_EQ((*job)->plan().output_bytes, std::filesystem::file_size(o.output));
    return {};
  }
  // Cancelled behind the first block.
  static Status run_one_block(QuantizeOptions o) {
    o.progress = [](const Progress& p) { return p.phase != Phase::kBlockDone; };
    auto job = QuantizeJob::prepare(std::move(o));
    return job.ok() ? (*job)->convert() : job.status();
  }
};

TEST_F(LayoutJobTest, EveryLayoutIsTheRepackedCanonicalOneAndGoesOnToTheSameBytes) {
  for (const bool symmetric : {false, true}) {
    QuantizeOptions o = options("tiny_llama", "canonical.scrooge");
    o.spec.symmetric = symmetric;
    o.layout = "canonical";
    Status status = run(o);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::string canonical = o.output;
    for (const char* layout : {"interleaved4", "interleaved8", "awq"}) {
      SCOPED_TRACE(concat(layout, symmetric ? " symmetric" : ""));
      ASSERT_TRUE(container::repack(canonical, path("repacked"), layout).ok());
      o.layout = layout;
      o.output = path("model.scrooge");
      o.threads = 1;
      std::filesystem::remove(o.output);
      ASSERT_EQ(run_one_block(o).code(), StatusCode::kCancelled);
      QuantizeOptions other = o;
      other.layout = "canonical";
      status = run(other);
      EXPECT_EQ(status.code(), StatusCode::kFingerprintMismatch);
      EXPECT_NE(status.message().find("layout: was"), std::string_view::npos) << status.message();
      o.states = StatesPolicy::kReplay;  // the finished block is read back
      o.threads = 2;
      auto planned = QuantizeJob::prepare(o);
      ASSERT_TRUE(planned.ok());
      o.memory = (*planned)->plan().memory.minimum_bytes;
      status = run(o);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(bytes(o.output), bytes(path("repacked")));
    }
  }
}

TEST_F(LayoutJobTest, SavedCalibrationsDoNotDependOnTheLayout) {
  QuantizeOptions o = options("tiny_llama", "model.scrooge");
  o.effort = Effort::kFast;
  std::string expected;
  for (const char* layout : {"canonical", "interleaved8"}) {
    o.layout = layout;
    o.save_calibration = path("saved");
    ASSERT_TRUE(run(o).ok());
    const std::string saved = bytes(o.save_calibration);
    EXPECT_TRUE(expected.empty() || saved == expected);
    expected = saved;
  }
  const std::string output = bytes(o.output);
  o.save_calibration.clear();
  o.calibration_text.clear();
  o.from_calibration = path("saved");
  o.output = path("again.scrooge");
  const Status status = run(o);
  ASSERT_TRUE(status.ok()) << status.message();
  const auto reader = container::ModelReader::open(o.output);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(container::layout_name(reader->metadata().info.layout), "interleaved8");
}

TEST_F(LayoutJobTest, PricesTheOrderAndRefusesWhatItCannotHold) {
  QuantizeOptions o = options("tiny_llama", "model.scrooge");
  o.layout = "awq";
  const auto job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_GT(OutputFile::layout_bytes((*ModelSource::open(o.checkpoint, {}))->block_plan(),
                                     {o.spec, *container::find_layout("awq", o.spec), true}),
            0u);
  EXPECT_NE((*job)->plan_json().find("\"layout\":\"awq\""), std::string::npos);
  o.spec.bits = 3;
  const Status bits = QuantizeJob::prepare(o).status();
  EXPECT_EQ(bits.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(bits.message().find("interleaved"), std::string_view::npos) << bits.message();
  o.layout = "tiles";
  EXPECT_EQ(QuantizeJob::prepare(o).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace scrooge::pipeline
