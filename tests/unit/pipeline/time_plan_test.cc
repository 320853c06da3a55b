// SPDX-License-Identifier: Apache-2.0
// What the estimate of time says about settings. Seconds themselves are a machine's; the real model's test compares
// them with a job's (tests/cli/README.md).
#include "src/pipeline/time_plan.h"

#include <gtest/gtest.h>

#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class TimePlanTest : public JobTest {
 protected:
  TimePlan plan(const QuantizeOptions& o) {
    const auto job = QuantizeJob::prepare(o);
    EXPECT_TRUE(job.ok()) << job.status().message();
    return job.ok() ? (*job)->time_plan() : TimePlan();
  }
  QuantizeOptions usual() { return options("tiny_llama", "out.scrooge"); }
};

TEST_F(TimePlanTest, EachPartHasItsLine) {
  const TimePlan whole = plan(usual());
  for (const char* part : {"forward passes", "statistics", "scale search", "clip search", "rounding to nearest",
                           "second-order rounding", "descent on the codes", "scales refitted", "error correction",
                           "held-out check", "reading weights", "writing"}) {
    EXPECT_GT(whole.seconds_of(part), 0) << part;
  }
  EXPECT_EQ(whole.seconds_of("moving what is not held"), 0);
  EXPECT_GT(whole.seconds(), whole.fast_seconds);
  EXPECT_GT(whole.fast_seconds, 0);
}

TEST_F(TimePlanTest, WhatIsLeftOutCostsNothing) {
  const TimePlan whole = plan(usual());
  QuantizeOptions o = usual();
  o.correct = 0;
  const TimePlan uncorrected = plan(o);
  EXPECT_EQ(uncorrected.seconds_of("error correction"), 0);
  EXPECT_LT(uncorrected.seconds(), whole.seconds());
  EXPECT_EQ(uncorrected.seconds_of("second-order rounding"), whole.seconds_of("second-order rounding"));
  EXPECT_EQ(uncorrected.fast_seconds, whole.fast_seconds);
  o.rounding = "nearest";
  EXPECT_EQ(plan(o).seconds_of("second-order rounding"), 0);
  o.refine = 0;
  o.refit = 0;
  EXPECT_DOUBLE_EQ(plan(o).seconds(), plan(o).fast_seconds);
  o.clip = false;
  EXPECT_EQ(plan(o).seconds_of("clip search"), 0);
  o.selection.held_out = 0;
  EXPECT_EQ(plan(o).seconds_of("held-out check"), 0);
}

TEST_F(TimePlanTest, EffortsAndTokensCostMore) {
  double before = 0;
  for (const Effort effort : {Effort::kFast, Effort::kDefault, Effort::kMax}) {
    QuantizeOptions o = usual();
    o.effort = effort;
    EXPECT_GT(plan(o).seconds(), before);
    before = plan(o).seconds();
  }
  // Passes and sums grow with the text, the search does not.
  QuantizeOptions twice = usual();
  twice.length *= 2;
  EXPECT_NEAR(plan(twice).seconds_of("statistics"), 2 * plan(usual()).seconds_of("statistics"),
              1e-6 * plan(twice).seconds());
  EXPECT_DOUBLE_EQ(plan(twice).seconds_of("scale search"), plan(usual()).seconds_of("scale search"));
}

TEST_F(TimePlanTest, WithoutCalibrationThereIsNothingToCompare) {
  QuantizeOptions o = usual();
  o.method = Method::kRtn;
  const TimePlan rounded = plan(o);
  EXPECT_GT(rounded.seconds(), 0);
  EXPECT_EQ(rounded.fast_seconds, 0);
  EXPECT_EQ(rounded.seconds_of("forward passes"), 0);
}

TEST_F(TimePlanTest, TheHostIsTimedOnceAndThreadsShareTheWork) {
  const auto device = choose_device("cpu");
  ASSERT_TRUE(device.ok());
  const DeviceRates one = device_rates(*device, 1);
  EXPECT_TRUE(one.measured);
  EXPECT_GT(one.exact, 1e7);
  EXPECT_GE(one.fast, one.exact);
  EXPECT_EQ(device_rates(*device, 1).exact, one.exact);
  EXPECT_GE(device_rates(*device, 4).exact, one.exact);
}

TEST_F(TimePlanTest, JsonSaysSecondsAndTheirRatio) {
  const auto job = QuantizeJob::prepare(usual());
  ASSERT_TRUE(job.ok());
  const auto json = JsonDocument::parse((*job)->plan_json(), "plan", StatusCode::kInternal);
  ASSERT_TRUE(json.ok());
  const double seconds = *json->root().get("estimated_seconds")->as_double();
  const double fast = *json->root().get("estimated_seconds_fast")->as_double();
  EXPECT_NEAR(*json->root().get("estimated_ratio")->as_double(), seconds / fast, 1e-9 * seconds / fast);
  const auto items = *json->root().get("time_items")->as_array();
  double sum = 0;
  for (const JsonValue& item : items) sum += *item.get("seconds")->as_double();
  EXPECT_NEAR(sum, seconds, 1e-9 * seconds);
}

}  // namespace
}  // namespace scrooge::pipeline
