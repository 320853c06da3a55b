// SPDX-License-Identifier: Apache-2.0
// What version 1.2 brought: how a calibration was guarded. A file that says nothing of it stays of an older version.
#include <functional>

#include "src/container/inspect.h"
#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

ModelInfo guarded_info() {
  ModelInfo info = sample_info();
  info.tokens.held_out = 96;
  info.tokens.statistics = 904;
  info.blocks[0].scale_sets[0].damping = 0.1;
  info.blocks[0].linears[0].rounding = "gptq";
  return info;
}

TEST_F(ModelTest, GuardFieldsComeBackAndRaiseTheMinorVersion) {
  ASSERT_TRUE(write_sample(path(), guarded_info()).ok());
  const auto reader = ModelReader::open(path(), OpenLevel::kChecksums);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(reader->metadata().version_minor, 2);
  EXPECT_EQ(reader->superblock().version_minor, 2);
  EXPECT_EQ(reader->metadata().info, guarded_info());
}

TEST_F(ModelTest, EachGuardFieldAloneNeedsTheVersionAndNoneDoesNot) {
  const auto minor_with = [&](const std::function<void(ModelInfo&)>& change) {
    ModelInfo info = sample_info();
    change(info);
    EXPECT_TRUE(write_sample(path("one"), info).ok());
    const auto reader = ModelReader::open(path("one"));
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader->metadata().info, info);
    return reader.ok() ? reader->metadata().version_minor : -1;
  };
  EXPECT_EQ(minor_with([](ModelInfo&) {}), 0);
  EXPECT_EQ(minor_with([](ModelInfo& info) { info.tokens.held_out = 1; }), 2);
  EXPECT_EQ(minor_with([](ModelInfo& info) { info.tokens.statistics = 1; }), 2);
  EXPECT_EQ(minor_with([](ModelInfo& info) { info.blocks[0].scale_sets[0].damping = 0.01; }), 2);
  EXPECT_EQ(minor_with([](ModelInfo& info) { info.blocks[0].linears[0].rounding = "nearest"; }), 2);
}

TEST_F(ModelTest, InspectionSaysWhatAFallBackWas) {
  const auto text_of = [&](bool fell_back, const char* rounding, double loss) {
    ModelInfo info = guarded_info();
    LinearReport& linear = info.blocks[0].linears[0];
    linear.fell_back = fell_back;
    linear.rounding = rounding;
    linear.loss = loss;
    EXPECT_TRUE(write_sample(path("text"), info).ok());
    const auto reader = ModelReader::open(path("text"));
    EXPECT_TRUE(reader.ok());
    return reader.ok() ? inspect_text(*reader) : std::string();
  };
  const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  const std::string kept = text_of(false, "gptq", 1.25);
  EXPECT_TRUE(has(kept, "loss 3 -> 1.25, rounding gptq\n")) << kept;
  EXPECT_TRUE(has(kept, "-> 1.5, damping 0.1\n")) << kept;
  EXPECT_TRUE(has(kept, "; 904 in the statistics, 96 held out\n")) << kept;
  EXPECT_TRUE(has(text_of(true, "gptq", 1.25), ", rounding gptq, its stage fell back to unscaled weights\n"));
  EXPECT_TRUE(has(text_of(true, "nearest", 3), ", rounding nearest, its stage fell back to round-to-nearest\n"));
  EXPECT_TRUE(has(text_of(true, "nearest", 2), ", rounding nearest, its stage fell back to unscaled weights\n"));
  EXPECT_TRUE(has(text_of(true, "", 3), ", its stage fell back\n"));  // a file of an older version
}

}  // namespace
}  // namespace scrooge::container
