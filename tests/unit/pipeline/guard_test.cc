// SPDX-License-Identifier: Apache-2.0
// The guards in a whole job: what is held out, what a failure on it does, and where all of it is said.
#include <gtest/gtest.h>

#include <algorithm>

#include "src/container/model_reader.h"
#include "src/container/verify.h"
#include "src/pipeline/model_source.h"
#include "tests/support/byte_writer.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class GuardTest : public JobTest {
 protected:
  struct Result {
    std::string report;
    std::string warnings;
    JobPlan plan;
  };

  Result run(QuantizeOptions o) {
    Result result;
    o.log = [&](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) result.warnings += concat(text, "\n");
    };
    auto job = QuantizeJob::prepare(std::move(o));
    EXPECT_TRUE(job.ok()) << job.status().message();
    if (!job.ok()) return result;
    const Status done = (*job)->convert();
    EXPECT_TRUE(done.ok()) << done.message();
    result.report = (*job)->report_json();
    result.plan = (*job)->plan();
    return result;
  }
  std::string warnings_of(QuantizeOptions o) {
    std::string warnings;
    o.log = [&](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) warnings += concat(text, "\n");
    };
    const auto job = QuantizeJob::prepare(std::move(o));
    EXPECT_TRUE(job.ok()) << job.status().message();
    return warnings;
  }
  container::ModelInfo info_of(const std::string& file) {
    EXPECT_TRUE(container::verify(file).ok());
    const auto reader = container::ModelReader::open(file);
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    return reader.ok() ? reader->metadata().info : container::ModelInfo();
  }
  static std::vector<std::byte> codes(const container::ModelReader& reader, const std::string& tensor) {
    const container::TensorRecord* const record = reader.find(tensor);
    EXPECT_NE(record, nullptr) << tensor;
    if (record == nullptr) return {};
    const auto plane = reader.plane(*record, container::PlaneKind::kCodes);
    return {plane.begin(), plane.end()};
  }

  // Rows of one token over and over, but for those that will be held out, which are of all kinds.
  std::string adversarial_ids(const QuantizeOptions& o) const {
    const auto source = ModelSource::open(o.checkpoint, {});
    EXPECT_TRUE(source.ok());
    const int64_t vocabulary = (*source)->config().vocabulary;
    const auto chunking = calibration::chunking_for(o.samples, o.length, o.selection.held_out);
    const calibration::TokenSelection selection(chunking, o.selection);
    EXPECT_TRUE(selection.any_held_out());
    std::string text;
    for (int64_t t = 0; t < o.samples * o.length; ++t) {
      const bool held_out = selection.held_out(t / (chunking.sequence * chunking.sequences_per_chunk));
      text += concat(held_out ? (t * 37 + 11) % vocabulary : 7, "\n");
    }
    return text;
  }
};

TEST_F(GuardTest, WhatFailsOnHeldOutTokensIsRoundedToNearestAndTheFileSaysSo) {
  for (const Propagate propagate : {Propagate::kLinear, Propagate::kBlock}) {
    QuantizeOptions o = options("tiny_llama", "guarded.scrooge");
    o.samples = 20;
    o.spec.bits = 3;
    o.propagate = propagate;
    o.fresh = true;
    o.calibration_text.clear();
    o.calibration_ids = path("ids");
    test::write_file(o.calibration_ids, adversarial_ids(o));
    const Result result = run(o);
    EXPECT_NE(result.warnings.find("overfitting"), std::string::npos) << result.warnings;
    const auto report = JsonDocument::parse(result.report, "report", StatusCode::kInternal);
    ASSERT_TRUE(report.ok());
    const JsonValue root = report->root();
    EXPECT_EQ(*root.get("held_out_tokens")->as_int(), 128);
    EXPECT_EQ(*root.get("statistics_tokens")->as_int(), 20 * 64 - 128);
    EXPECT_GT(*root.get("overfit_linears")->as_int(), 0);
    EXPECT_GE(*root.get("nearest_linears")->as_int(), *root.get("overfit_linears")->as_int());
    if (propagate == Propagate::kLinear) {
      EXPECT_GT(*root.get("overfit_corrections")->as_int(), 0);
    }

    // The file: the stage is not scaled, its codes are those of plain round-to-nearest.
    QuantizeOptions plain = o;
    plain.output = path("plain.scrooge");
    plain.method = Method::kRtn;
    plain.calibration_ids.clear();
    (void)run(plain);
    const auto guarded_file = container::ModelReader::open(o.output);
    const auto plain_file = container::ModelReader::open(plain.output);
    ASSERT_TRUE(guarded_file.ok() && plain_file.ok());
    const container::ModelInfo info = info_of(o.output);
    EXPECT_EQ(info.tokens.held_out, 128u);
    EXPECT_EQ(info.tokens.statistics, 20u * 64 - 128);
    std::vector<const container::LinearReport*> linears;
    for (const container::BlockReport& block : info.blocks) {
      for (const container::LinearReport& linear : block.linears) linears.push_back(&linear);
    }
    const auto entries = *root.get("linears")->as_array();
    ASSERT_EQ(entries.size(), linears.size());
    int64_t nearest = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(*entries[i].get("name")->as_string(), linears[i]->name);
      EXPECT_EQ(*entries[i].get("rounding")->as_string(), linears[i]->rounding);
      if (!*entries[i].get("rounded_to_nearest")->as_bool()) continue;
      ++nearest;
      EXPECT_TRUE(linears[i]->fell_back);
      EXPECT_EQ(linears[i]->rounding, "nearest");
      EXPECT_EQ(linears[i]->loss, linears[i]->loss_rtn);
      EXPECT_EQ(*entries[i].get("held_out_loss")->as_double(), *entries[i].get("held_out_loss_rtn")->as_double());
      EXPECT_EQ(codes(*guarded_file, linears[i]->name), codes(*plain_file, linears[i]->name)) << linears[i]->name;
    }
    EXPECT_EQ(nearest, *root.get("nearest_linears")->as_int());
    EXPECT_GT(nearest, 0);
  }
}

TEST_F(GuardTest, AFileSaysHowItWasRoundedAndDamped) {
  const QuantizeOptions o = options("tiny_llama", "default.scrooge");
  const Result result = run(o);
  EXPECT_EQ(result.warnings, "");
  const container::ModelInfo info = info_of(o.output);
  EXPECT_EQ(info.tokens.held_out, result.plan.held_out_tokens);
  EXPECT_EQ(info.tokens.held_out, 128u);
  EXPECT_EQ(info.tokens.held_out + info.tokens.statistics, info.tokens.used);
  for (const container::BlockReport& block : info.blocks) {
    EXPECT_EQ(block.tokens, info.tokens.statistics);
    for (const container::ScaleSetReport& set : block.scale_sets) EXPECT_EQ(set.damping, 0.01) << set.name;
    for (const container::LinearReport& linear : block.linears) EXPECT_EQ(linear.rounding, "gptq") << linear.name;
  }
  const auto effort = std::find_if(info.attributes.begin(), info.attributes.end(),
                                   [](const container::Attribute& attribute) { return attribute.key == "effort"; });
  ASSERT_NE(effort, info.attributes.end());
  EXPECT_EQ(effort->value, "default");

  QuantizeOptions fast = options("tiny_llama", "fast.scrooge");
  fast.effort = Effort::kFast;
  fast.selection.outliers = 5;
  (void)run(fast);
  const container::ModelInfo of_fast = info_of(fast.output);
  EXPECT_LT(of_fast.tokens.statistics, info.tokens.statistics);
  for (const container::BlockReport& block : of_fast.blocks) {
    EXPECT_GE(block.tokens, of_fast.tokens.statistics);
    for (const container::ScaleSetReport& set : block.scale_sets) EXPECT_EQ(set.damping, 0);
    for (const container::LinearReport& linear : block.linears) EXPECT_EQ(linear.rounding, "nearest");
  }
}

TEST_F(GuardTest, WarnsWhereNothingOrFarFromWhatIsAskedCanBeHeldOut) {
  QuantizeOptions o = options("tiny_llama", "out.scrooge");
  o.samples = 4;
  EXPECT_NE(warnings_of(o).find("held-out: of 4 rows of 64 tokens none"), std::string::npos) << warnings_of(o);
  o.selection.held_out = 0;
  EXPECT_EQ(warnings_of(o), "");
  o.selection.held_out = 25;
  EXPECT_EQ(warnings_of(o), "");
  o.samples = 5;
  o.selection.held_out = 10;
  EXPECT_NE(warnings_of(o).find("no nearer to 10 percent than 20.0"), std::string::npos) << warnings_of(o);
  o.samples = 16;
  EXPECT_EQ(warnings_of(o), "");
}

TEST_F(GuardTest, ASeedIsOfRandomSampling) {
  QuantizeOptions o = options("tiny_llama", "out.scrooge");
  o.seed = 7;
  for (const auto sampling : {calibration::Sampling::kFirst, calibration::Sampling::kEven}) {
    o.sampling = sampling;
    const auto job = QuantizeJob::prepare(o);
    EXPECT_EQ(job.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(job.status().message().find("seed: 7"), std::string_view::npos) << job.status().message();
  }
  o.sampling = calibration::Sampling::kRandom;
  EXPECT_TRUE(QuantizeJob::prepare(o).ok());
}

}  // namespace
}  // namespace scrooge::pipeline
