// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "src/cli/json_object.h"
#include "src/cli/progress_text.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

TEST(ParseSize, ReadsBytesAndBinaryUnits) {
  EXPECT_EQ(parse_size("65536"), 65536u);
  EXPECT_EQ(parse_size("64B"), 64u);
  EXPECT_EQ(parse_size("512MiB"), uint64_t{512} << 20);
  EXPECT_EQ(parse_size("1.5GiB"), uint64_t{3} << 29);
  EXPECT_EQ(parse_size("2 tib"), uint64_t{2} << 40);
  EXPECT_EQ(parse_size("0.5B"), 0u);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MiB", "-1", "1.5", "1.", "1.MiB", "1e9", "10MB", "10XB", "0x10", "1 2",
                           "9223372036854775809", "99999999999TiB", " 1"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(FormatSize, KeepsThreeDigits) {
  EXPECT_EQ(format_size(812), "812 B");
  EXPECT_EQ(format_size(1536), "1.50 KiB");
  EXPECT_EQ(format_size(uint64_t{410} << 20), "410 MiB");
  EXPECT_EQ(format_size(uint64_t{12} << 30), "12.0 GiB");
}

TEST(FormatDuration, ChoosesTheUnit) {
  EXPECT_EQ(format_duration(0.42), "0.42 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(247), "4:07");
  EXPECT_EQ(format_duration(3765), "1:02:45");
  EXPECT_EQ(format_duration(std::nan("")), "?");
  EXPECT_EQ(format_clock(4.8), "0:05");
}

TEST(FormatCount, GroupsThousands) {
  EXPECT_EQ(format_count(7), "7");
  EXPECT_EQ(format_count(65536), "65,536");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

TEST(JsonString, EscapesAndReplacesWhatIsNoUtf8) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(json_string("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
  EXPECT_EQ(json_string("\xff|\xc3|\xed\xa0\x80"), "\"\\ufffd|\\ufffd|\\ufffd\\ufffd\\ufffd\"");
}

TEST(JsonObject, KeepsOrderAndWritesNullForNoNumber) {
  JsonObject object;
  object.add("b", uint64_t{1})
      .add("a", 0.5)
      .add("n", std::numeric_limits<double>::infinity())
      .add("s", "x")
      .add("t", true);
  EXPECT_EQ(object.text(), R"({"b":1,"a":0.5,"n":null,"s":"x","t":true})");
}

scrooge_progress sample_progress() {
  scrooge_progress progress{};
  progress.phase = SCROOGE_PHASE_BLOCK;
  progress.block = 2;
  progress.blocks = 32;
  progress.fraction = 0.41;
  progress.eta_seconds = 83;
  progress.tokens_per_second = 1234;
  progress.memory_after = uint64_t{410} << 20;
  progress.memory_peak = uint64_t{512} << 20;
  progress.stage = "qkv";
  return progress;
}

TEST(LiveLine, NeverExceedsTheWidth) {
  const scrooge_progress progress = sample_progress();
  for (std::size_t width = 1; width < 200; ++width) EXPECT_LE(live_line(progress, width).size(), width);
}

TEST(LiveLine, ShowsEverythingOnAnOrdinaryTerminal) {
  const std::string line = live_line(sample_progress(), 79);
  for (const char* part : {"block  3/32 qkv", " 41%", "ETA 1:23", "1,234 tok/s", "410 MiB, peak 512 MiB"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST(LiveLine, SurvivesSenselessFigures) {
  scrooge_progress progress = sample_progress();
  progress.fraction = std::nan("");
  progress.eta_seconds = -1;
  progress.stage = nullptr;
  EXPECT_NE(live_line(progress, 79).find("  0%"), std::string::npos);
  progress.fraction = 7;
  EXPECT_NE(live_line(progress, 79).find("100%"), std::string::npos);
}

TEST(BlockLine, ShowsTheMemoryOfADeviceThatHasItsOwn) {
  scrooge_progress progress = sample_progress();
  EXPECT_EQ(block_line(progress).find("device"), std::string::npos);
  progress.device_memory_before = uint64_t{1} << 20;
  progress.device_memory_after = uint64_t{2} << 20;
  progress.device_memory_peak = uint64_t{3} << 20;
  EXPECT_NE(block_line(progress).find("device 1.00 MiB -> 2.00 MiB, peak 3.00 MiB"), std::string::npos)
      << block_line(progress);
  EXPECT_NE(live_line(progress, 120).find("device 2.00 MiB, peak 3.00 MiB"), std::string::npos)
      << live_line(progress, 120);
}

TEST(BlockLine, ComparesWithRoundToNearest) {
  scrooge_progress progress = sample_progress();
  progress.loss = 0.31;
  progress.loss_rtn = 0.5;
  EXPECT_NE(block_line(progress).find("loss 0.620x round-to-nearest"), std::string::npos);
  progress.loss_rtn = 0;
  EXPECT_EQ(block_line(progress).find("loss"), std::string::npos);
}

}  // namespace
}  // namespace scrooge::cli
