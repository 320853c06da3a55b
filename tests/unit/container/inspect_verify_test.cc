// SPDX-License-Identifier: Apache-2.0
#include "src/base/json.h"
#include "src/container/inspect.h"
#include "src/container/verify.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

TEST_F(ModelTest, VerifyCountsWhatItChecked) {
  ASSERT_TRUE(write_sample(path()).ok());
  uint64_t last = 0;
  const auto summary = verify(path(), [&](uint64_t done, uint64_t total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    return true;
  });
  ASSERT_TRUE(summary.ok()) << summary.status().message();
  EXPECT_EQ(summary->tensors, 3u);
  EXPECT_EQ(summary->quantized_tensors, 1u);
  EXPECT_EQ(summary->planes, 5u);
  EXPECT_EQ(summary->raw_segments, 1u);
  EXPECT_EQ(summary->bytes_checked, std::filesystem::file_size(path()));
  EXPECT_EQ(last, summary->bytes_checked);
  // 40 columns: 20 bytes of codes, 3 scales of 2 bytes, 3 zeros of 4 bits in 2 bytes.
  EXPECT_DOUBLE_EQ(summary->bits_per_weight, 8.0 * (20 + 6 + 2) / 40);
}

TEST_F(ModelTest, VerifyCanBeCancelled) {
  ASSERT_TRUE(write_sample(path()).ok());
  const auto summary = verify(path(), [](uint64_t, uint64_t) { return false; });
  EXPECT_EQ(summary.status().code(), StatusCode::kCancelled);
}

TEST_F(ModelTest, InspectionIsJsonWithEverything) {
  ASSERT_TRUE(write_sample(path()).ok());
  const auto reader = ModelReader::open(path());
  ASSERT_TRUE(reader.ok());
  const auto document = JsonDocument::parse(inspect_json(*reader), "inspect", StatusCode::kInternal);
  ASSERT_TRUE(document.ok()) << document.status().message();
  const JsonValue root = document->root();
  EXPECT_EQ(*root.get("tag")->as_string(), "awq_w4_g16");
  EXPECT_EQ(*root.get("scheme")->get("group")->as_int(), 16);
  EXPECT_EQ(*root.get("attributes")->get("note")->as_string(), "caf\xc3\xa9");
  EXPECT_EQ(root.get("tensors")->as_array()->size(), 3u);
  EXPECT_EQ(root.get("segments")->as_array()->size(), 2u);
  EXPECT_EQ(root.get("blocks")->as_array()->size(), 1u);
  EXPECT_EQ(*root.get("tokens")->get("dropped")->as_int(), 24);
}

TEST_F(ModelTest, InspectionAsTextIsAscii) {
  ASSERT_TRUE(write_sample(path()).ok());
  const auto reader = ModelReader::open(path());
  ASSERT_TRUE(reader.ok());
  const std::string text = inspect_text(*reader);
  for (const char* part :
       {"awq_w4_g16", "b0.q: quantized 3 x 40", "w4 g16 asymmetric", "scales qkv <- norm1", "config.json"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

}  // namespace
}  // namespace scrooge::container
