// SPDX-License-Identifier: Apache-2.0
#include "src/base/status.h"

#include <gtest/gtest.h>

#include <string>

#include "src/base/result.h"

namespace scrooge {
namespace {

TEST(Status, OkIsEmpty) {
  const Status ok;
  EXPECT_TRUE(ok.ok());
  EXPECT_EQ(ok.code(), StatusCode::kOk);
  EXPECT_EQ(ok.message(), "");
  EXPECT_TRUE(ok.with_context("file").ok());
  EXPECT_TRUE(Status(StatusCode::kOk, "ignored").ok());
}

TEST(Status, ErrorJoinsItsParts) {
  const Status status = error(StatusCode::kNotFound, "a.json", ": field ", 3, " is missing");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "a.json: field 3 is missing");
}

TEST(Status, ContextGoesInFrontAndKeepsTheCode) {
  const Status status = error(StatusCode::kBadConfig, "width is 0").with_context("config.json");
  EXPECT_EQ(status.code(), StatusCode::kBadConfig);
  EXPECT_EQ(status.message(), "config.json: width is 0");
}

TEST(Status, CopiesAreIndependent) {
  Status first = error(StatusCode::kNoSpace, "full");
  const Status copy = first;
  first = Status();
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(copy.message(), "full");
  Status moved = std::move(first);
  EXPECT_TRUE(moved.ok());
  moved = copy;
  EXPECT_EQ(moved.code(), StatusCode::kNoSpace);
}

TEST(Status, EveryCodeHasItsOwnName) {
  EXPECT_EQ(status_code_name(StatusCode::kOk), "ok");
  EXPECT_EQ(status_code_name(StatusCode::kFingerprintMismatch), "fingerprint mismatch");
  EXPECT_EQ(status_code_name(static_cast<StatusCode>(999)), "unknown status");
}

Result<int> half_of(int value) {
  if (value % 2 != 0) return error(StatusCode::kInvalidArgument, value, " is odd");
  return value / 2;
}
Result<int> quarter_of(int value) {
  SCROOGE_ASSIGN_OR_RETURN(const int half, half_of(value));
  SCROOGE_ASSIGN_OR_RETURN(const int quarter, half_of(half));
  return quarter;
}

TEST(Result, CarriesTheValueOrTheFirstError) {
  const auto good = quarter_of(12);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 3);
  EXPECT_TRUE(good.status().ok());
  const auto bad = quarter_of(10);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().message(), "5 is odd");
}

TEST(Result, AnOkStatusIsNoResult) {
  const Result<int> result = Status();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace scrooge
