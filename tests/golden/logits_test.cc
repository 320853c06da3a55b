// SPDX-License-Identifier: Apache-2.0
// Logits of the tiny models against Hugging Face transformers in f32 (make_tiny_models.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "src/backend/backend_list.h"
#include "src/base/file_map.h"
#include "src/base/json.h"
#include "src/pipeline/device_block.h"

namespace scrooge::pipeline {
namespace {

using backend::Matrix;
using backend::Precision;

const std::string kFolder = SCROOGE_SOURCE_DIR "/tests/golden/";

std::vector<std::vector<int32_t>> golden_sequences() {
  const auto text = read_small_file(kFolder + "tiny_ids.json", 1 << 20);
  const auto document = JsonDocument::parse(*text, "tiny_ids.json", StatusCode::kBadText);
  const auto sequences = document->root().get("sequences");
  std::vector<std::vector<int32_t>> result;
  const auto list = sequences->as_array();
  for (const JsonValue& sequence : *list) {
    std::vector<int32_t> ids;
    const auto elements = sequence.as_array();
    for (const JsonValue& id : *elements) ids.push_back(static_cast<int32_t>(*id.as_int()));
    result.push_back(std::move(ids));
  }
  return result;
}

// Runs a model on one sequence; rows of logits.
std::vector<float> run(const ModelSource& source, backend::Device& device, std::span<const int32_t> ids) {
  const model::ModelConfig& config = source.config();
  const auto tokens = static_cast<int64_t>(ids.size());
  const auto allocate = [&](int64_t floats) {
    auto buffer = device.allocate(static_cast<uint64_t>(floats) * sizeof(float), "test");
    EXPECT_TRUE(buffer.ok());
    return std::move(*buffer);
  };
  const auto upload = [&](backend::Buffer& to, std::span<const float> values) {
    EXPECT_TRUE(device.upload(to, 0, std::as_bytes(values)).ok());
  };
  std::vector<float> rows(static_cast<size_t>(tokens * config.width));
  for (size_t t = 0; t < ids.size(); ++t) {
    const auto row = std::span(rows).subspan(t * static_cast<size_t>(config.width), static_cast<size_t>(config.width));
    EXPECT_TRUE(source.read_rows(model::kEmbeddingName, ids[t], 1, row).ok());
  }
  const auto hidden = allocate(tokens * config.width);
  upload(*hidden, rows);
  const Matrix h{hidden.get(), 0, tokens, config.width, config.width, DType::kF32};
  const auto forward = model::BlockForward::create(device, config, source.inv_freq(), tokens);
  auto block = DeviceBlock::create(device, source.block_plan(), config, "test");
  EXPECT_TRUE(forward.ok() && block.ok());
  for (int64_t b = 0; b < config.blocks; ++b) {
    EXPECT_TRUE(block->load(source, b).ok());
    const Status status = (*forward)->run(source.block_plan(), block->weights(), h, tokens, Precision::kExact);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  std::vector<float> gamma(static_cast<size_t>(config.width));
  EXPECT_TRUE(source.read_rows(model::kFinalNormName, 0, 1, gamma).ok());
  const auto norm = allocate(config.width);
  upload(*norm, gamma);
  EXPECT_TRUE((*forward)->normalize(h, {norm.get(), 0, config.width, DType::kF32}, h).ok());
  std::vector<float> head_rows(static_cast<size_t>(config.vocabulary * config.width));
  EXPECT_TRUE(source.read_rows(source.head_name(), 0, config.vocabulary, head_rows).ok());
  const auto head = allocate(config.vocabulary * config.width);
  upload(*head, head_rows);
  const auto out = allocate(tokens * config.vocabulary);
  const Matrix w{head.get(), 0, config.vocabulary, config.width, config.width, DType::kF32};
  const Matrix y{out.get(), 0, tokens, config.vocabulary, config.vocabulary, DType::kF32};
  EXPECT_TRUE(device.gemm({h, w, y, {}, 0, Precision::kExact}).ok());
  std::vector<float> logits(static_cast<size_t>(tokens * config.vocabulary));
  EXPECT_TRUE(device.download(*out, 0, std::as_writable_bytes(std::span(logits))).ok());
  return logits;
}

class Logits : public testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(Logits, AgreeWithTransformers) {
  const auto [backend_name, model_name, golden_name] = GetParam();
  MemoryBudget budget;
  const auto device = backend::create_device(backend_name, {2, &budget});
  ASSERT_TRUE(device.ok()) << device.status().message();
  const auto source = ModelSource::open(kFolder + model_name, {});
  ASSERT_TRUE(source.ok()) << source.status().message();
  const auto golden = read_small_file(kFolder + golden_name, 1 << 22);
  ASSERT_TRUE(golden.ok());
  const auto* expected = reinterpret_cast<const float*>(golden->data());
  size_t at = 0;
  for (const std::vector<int32_t>& ids : golden_sequences()) {
    const std::vector<float> logits = run(**source, **device, ids);
    ASSERT_LE((at + logits.size()) * sizeof(float), golden->size());
    for (size_t i = 0; i < logits.size(); ++i) {
      // Both sides are f32 sums in another order over a few blocks of width 64.
      ASSERT_NEAR(logits[i], expected[at + i], 2e-4f * (1 + std::fabs(expected[at + i]))) << "logit " << at + i;
    }
    at += logits.size();
  }
  EXPECT_EQ(at * sizeof(float), golden->size());
}

INSTANTIATE_TEST_SUITE_P(TinyModels, Logits,
                         testing::Combine(testing::Values("cpu", "cpu-eigen", "reference"),
                                          testing::Values("tiny_llama", "tiny_llama.gguf"),
                                          testing::Values("tiny_llama_logits.f32")));
INSTANTIATE_TEST_SUITE_P(TinyQwen2, Logits,
                         testing::Combine(testing::Values("cpu", "cpu-eigen", "reference"),
                                          testing::Values("tiny_qwen2"), testing::Values("tiny_qwen2_logits.f32")));

}  // namespace
}  // namespace scrooge::pipeline
