// SPDX-License-Identifier: Apache-2.0
// Checkpoints that are damaged or incomplete, and files that must stand on their own: what the whole job says of them.
#include "src/pipeline/model_source.h"

#include <gtest/gtest.h>

#include "src/container/verify.h"
#include "tests/unit/pipeline/model_fixture.h"

namespace scrooge::pipeline {
namespace {

constexpr uint16_t kBf16NaN = 0x7fc0;
constexpr uint16_t kBf16Infinity = 0x7f80;

class ModelSourceTest : public testing::Test {
 protected:
  // The job's error, after checking that it left nothing behind.
  Status refusal(CheckpointCopy& checkpoint, Method method = Method::kAwq) {
    checkpoint.save();
    QuantizeOptions options = quick_options(checkpoint.path(), output_);
    options.method = method;
    const Status status = run_job(options);
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(std::filesystem::exists(output_));
    return status;
  }
  static void expect_names(const Status& status, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) {
      EXPECT_NE(status.message().find(part), std::string_view::npos) << "no '" << part << "' in: " << status.message();
    }
  }

  test::TempFolder folder_;
  const std::string output_ = folder_ / "out.scrooge";
  CheckpointCopy llama_{"tiny_llama", folder_ / "llama"};
};

TEST_F(ModelSourceTest, ACopyWrittenAnewGivesTheSameModel) {
  llama_.save();
  const auto copy = evaluate(quick_evaluation(llama_.path()));
  const auto original = evaluate(quick_evaluation(kGolden + "tiny_llama"));
  ASSERT_TRUE(copy.ok()) << copy.status().message();
  EXPECT_EQ(copy->perplexity, original->perplexity);
}

TEST_F(ModelSourceTest, NonFiniteWeightsAreNamedWithTensorAndCount) {
  StoredTensor& tensor = llama_.tensor("model.layers.1.mlp.up_proj.weight");
  tensor.set_u16(0, kBf16NaN);
  tensor.set_u16(77, kBf16Infinity);
  tensor.set_u16(6143, kBf16Infinity | 0x8000);
  for (const Method method : {Method::kAwq, Method::kRtn}) {
    const Status status = refusal(llama_, method);
    EXPECT_EQ(status.code(), StatusCode::kNonFinite);
    expect_names(status, {"model.layers.1.mlp.up_proj.weight", "3 of 6144"});
  }
}

TEST_F(ModelSourceTest, NonFiniteNormsAreNamedToo) {
  llama_.tensor("model.layers.0.post_attention_layernorm.weight").set_u16(63, kBf16NaN);
  const Status status = refusal(llama_);
  EXPECT_EQ(status.code(), StatusCode::kNonFinite);
  expect_names(status, {"model.layers.0.post_attention_layernorm.weight", "1 of 64"});
}

TEST_F(ModelSourceTest, WrongShapeIsNamedWithBothShapes) {
  llama_.tensor("model.layers.0.mlp.down_proj.weight").shape = {96, 64};
  const Status status = refusal(llama_);
  EXPECT_EQ(status.code(), StatusCode::kWrongShape);
  expect_names(status, {llama_.path(), "model.layers.0.mlp.down_proj.weight", "[96, 64]", "[64, 96]"});
}

TEST_F(ModelSourceTest, MissingTensorIsNamed) {
  llama_.remove("model.layers.1.self_attn.k_proj.weight");
  const Status status = refusal(llama_);
  EXPECT_EQ(status.code(), StatusCode::kMissingTensor);
  expect_names(status, {llama_.path(), "model.layers.1.self_attn.k_proj.weight"});
}

TEST_F(ModelSourceTest, UntiedHeadIsAskedFor) {
  std::string config = *read_small_file(llama_.path() + "/config.json", 1 << 20);
  const std::string_view tied = "\"tie_word_embeddings\": true";
  config.replace(config.find(tied), tied.size(), "\"tie_word_embeddings\": false");
  test::write_file(llama_.path() + "/config.json", config);
  const Status status = refusal(llama_);
  EXPECT_EQ(status.code(), StatusCode::kMissingTensor);
  expect_names(status, {"lm_head.weight"});
}

TEST_F(ModelSourceTest, WithoutATokenizerTokenIdsServe) {
  std::filesystem::remove(llama_.path() + "/tokenizer.json");
  const Status status = refusal(llama_);
  EXPECT_EQ(status.code(), StatusCode::kMissingTokenizer);
  expect_names(status, {llama_.path(), "token ids"});

  std::string ids;
  for (int i = 0; i < 600; ++i) ids += concat(i * 7 % 384, i % 9 == 0 ? ",\n" : " ");
  test::write_file(folder_ / "ids.txt", ids);
  QuantizeOptions options = quick_options(llama_.path(), output_);
  options.calibration_text.clear();
  options.calibration_ids = folder_ / "ids.txt";
  const Status done = run_job(options);
  ASSERT_TRUE(done.ok()) << done.message();

  EvaluateOptions evaluation = quick_evaluation(output_);
  EXPECT_EQ(evaluate(evaluation).status().code(), StatusCode::kMissingTokenizer);
  evaluation.text.clear();
  evaluation.token_ids = folder_ / "ids.txt";
  const auto result = evaluate(evaluation);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->tokens, 4u * 63);
}

TEST_F(ModelSourceTest, TokenIdsOutsideTheVocabularyAreRefused) {
  std::string ids;
  for (int i = 0; i < 600; ++i) ids += i == 500 ? "384 " : "1 ";
  test::write_file(folder_ / "ids.txt", ids);
  QuantizeOptions options = quick_options(llama_.path(), output_);
  options.calibration_text.clear();
  options.calibration_ids = folder_ / "ids.txt";
  const Status status = run_job(options);
  EXPECT_EQ(status.code(), StatusCode::kBadText);
  expect_names(status, {"ids.txt", "384"});
}

TEST_F(ModelSourceTest, AScroogeFileIsEnoughToEvaluate) {
  struct Case {
    std::string name;
    std::string source;
  };
  std::filesystem::copy(kGolden + "tiny_qwen2", folder_ / "qwen2");
  std::filesystem::copy(kGolden + "tiny_llama.gguf", folder_ / "llama.gguf");
  for (const Case& c :
       {Case{"llama", llama_.path()}, Case{"qwen2", folder_ / "qwen2"}, Case{"gguf", folder_ / "llama.gguf"}}) {
    QuantizeOptions options = quick_options(c.source, folder_ / (c.name + ".scrooge"));
    options.spec.bits = 8;
    const Status status = run_job(options);
    ASSERT_TRUE(status.ok()) << status.message();
    const auto original = evaluate(quick_evaluation(c.source));
    ASSERT_TRUE(original.ok());

    std::filesystem::remove_all(c.source);
    EXPECT_TRUE(container::verify(options.output).ok());
    const auto alone = evaluate(quick_evaluation(options.output));
    ASSERT_TRUE(alone.ok()) << c.name << ": " << alone.status().message();
    EXPECT_EQ(alone->tokens, original->tokens) << "the tokenizer inside cuts the text otherwise";
    EXPECT_NEAR(alone->perplexity, original->perplexity, 0.01 * original->perplexity) << c.name;
  }
}

TEST_F(ModelSourceTest, SourceRewrittenDuringTheJobIsNoticed) {
  llama_.save();
  QuantizeOptions options = quick_options(llama_.path(), output_);
  bool touched = false;
  options.progress = [&](const Progress& progress) {
    if (progress.phase == Phase::kBlockDone && !touched) {
      touched = true;
      llama_.save();
    }
    return true;
  };
  const Status status = run_job(options);
  EXPECT_EQ(status.code(), StatusCode::kSourceChanged) << status.message();
  EXPECT_FALSE(std::filesystem::exists(output_));
}

}  // namespace
}  // namespace scrooge::pipeline
