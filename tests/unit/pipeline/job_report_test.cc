// SPDX-License-Identifier: Apache-2.0
// The guards of the method, as the report of a whole job states them.
#include "src/pipeline/job_report.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/pipeline/model_fixture.h"

namespace scrooge::pipeline {
namespace {

using Case = std::tuple<const char*, Propagate, bool>;

class JobReportTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto [model, propagate, symmetric] = GetParam();
    QuantizeOptions options = quick_options(kGolden + model, folder_ / "out.scrooge");
    options.propagate = propagate;
    options.spec.symmetric = symmetric;
    options.spec.bits = 3;
    auto job = QuantizeJob::prepare(std::move(options));
    ASSERT_TRUE(job.ok()) << job.status().message();
    const Status status = (*job)->convert();
    ASSERT_TRUE(status.ok()) << status.message();
    auto report = JsonDocument::parse((*job)->report_json(), "report", StatusCode::kInternal);
    ASSERT_TRUE(report.ok()) << report.status().message();
    report_ = std::make_unique<JsonDocument>(std::move(*report));
  }
  std::vector<JsonValue> list(std::string_view name) const { return *report_->root().get(name)->as_array(); }
  static double number(const JsonValue& object, std::string_view name) { return *object.get(name)->as_double(); }

  test::TempFolder folder_;
  std::unique_ptr<JsonDocument> report_;
};

TEST_P(JobReportTest, FoldingLeavesEveryBlocksFunctionUnchanged) {
  const auto blocks = list("blocks");
  ASSERT_FALSE(blocks.empty());
  for (const JsonValue& block : blocks) {
    EXPECT_GT(number(block, "fold_error"), 0) << "nothing was folded, so nothing was checked";
    // fp16 scales of the rows of v and up are rounded once more.
    EXPECT_LT(number(block, "fold_error"), 1e-3);
  }
}

TEST_P(JobReportTest, NoLinearIsWorseThanRoundToNearest) {
  std::set<std::string, std::less<>> names;
  for (const JsonValue& linear : list("linears")) {
    names.emplace(*linear.get("name")->as_string());
    // The last digits of two sums over the same Gram matrix.
    EXPECT_LE(number(linear, "loss"), number(linear, "loss_rtn") * (1 + 1e-5)) << *linear.get("name")->as_string();
  }
  EXPECT_EQ(names.size(), 7 * list("blocks").size());
  EXPECT_LT(number(report_->root(), "loss"), number(report_->root(), "loss_rtn"));
}

INSTANTIATE_TEST_SUITE_P(Models, JobReportTest,
                         testing::Combine(testing::Values("tiny_llama", "tiny_qwen2"),
                                          testing::Values(Propagate::kLinear, Propagate::kBlock, Propagate::kNone),
                                          testing::Bool()));

}  // namespace
}  // namespace scrooge::pipeline
