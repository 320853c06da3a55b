// SPDX-License-Identifier: Apache-2.0
// Every malformed file of the corpus is refused with its status, by name, and nothing crashes or hangs.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <set>

#include "tests/hostile/hostile_case.h"
#include "tests/support/temp_folder.h"

namespace scrooge::hostile {

// In the names of the tests.
void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

namespace {

namespace fs = std::filesystem;

Status open_case(const Format& format, const std::function<void(const Place&)>& make) {
  const test::TempFolder folder;
  // One level down, so that a file outside the model's folder is still the test's own.
  const Place place(folder / "model");
  fs::create_directory(place.folder());
  if (format.prepare) format.prepare(place);
  make(place);
  return format.open(place.folder());
}

class Corpus : public testing::TestWithParam<Format> {};

TEST_P(Corpus, OpensWhatIsUndamaged) {
  const Status status = open_case(GetParam(), [](const Place&) {});
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_P(Corpus, RefusesEveryFileWithItsStatus) {
  const Format& format = GetParam();
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Case> cases = format.cases();
  for (const Case& one : cases) {
    SCOPED_TRACE(concat(format.name, ": ", one.name));
    const Status status = open_case(format, one.make);
    EXPECT_EQ(status_code_name(status.code()), status_code_name(one.code)) << status.message();
    EXPECT_NE(status.message().find(one.mention), std::string_view::npos) << one.mention << "\n" << status.message();
    EXPECT_NE(status.message().find(format.mention), std::string_view::npos) << status.message();
    EXPECT_LT(status.message().size(), 2000u);
  }
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  std::printf("hostile corpus: %s: %zu files, %.0f ms\n", format.name.c_str(), cases.size(), spent.count());
}

std::string name_of(const testing::TestParamInfo<Format>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Hostile, Corpus, testing::ValuesIn(all_formats()), name_of);

TEST(CorpusSize, IsAtLeast300DifferentCases) {
  std::set<std::string> names;
  size_t count = 0;
  std::string line;
  for (const Format& format : all_formats()) {
    const std::vector<Case> cases = format.cases();
    for (const Case& one : cases) {
      names.insert(concat(format.name, ": ", one.name));
      EXPECT_NE(one.code, StatusCode::kOk) << one.name;
    }
    count += cases.size();
    line += concat(line.empty() ? "" : ", ", format.name, " ", cases.size());
  }
  std::printf("hostile corpus: %zu files: %s\n", count, line.c_str());
  EXPECT_EQ(names.size(), count);
  EXPECT_GE(count, 300u);
}

}  // namespace
}  // namespace scrooge::hostile
