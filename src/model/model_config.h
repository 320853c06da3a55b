// SPDX-License-Identifier: Apache-2.0
// What a decoder model is made of, read from a Hugging Face style config.json. Every field is checked here once; the
// rest of the code relies on it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/backend/op_params.h"
#include "src/base/result.h"

namespace scrooge::model {

struct RopeScaling {
  enum class Kind { kNone, kLinear, kLlama3 };
  Kind kind = Kind::kNone;
  double factor = 1;
  double low_freq_factor = 1;  // llama3 only, as are the next two
  double high_freq_factor = 4;
  double original_context = 8192;
};

struct ModelConfig {
  std::string family;  // "llama" or "qwen2"
  int64_t blocks = 0;
  int64_t width = 0;     // d
  int64_t heads = 0;     // H
  int64_t kv_heads = 0;  // Hkv, divides H
  int64_t head_width = 0;
  int64_t feed_forward = 0;  // F
  int64_t vocabulary = 0;
  int64_t max_positions = 0;  // 0 when the config does not say
  double norm_epsilon = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tied_head = false;  // the head is the embedding table
  bool qkv_bias = false;
  bool o_bias = false;
  backend::Activation activation = backend::Activation::kSilu;

  int64_t q_width() const { return heads * head_width; }
  int64_t kv_width() const { return kv_heads * head_width; }
};

// `name` stands in messages ("config.json"). kUnknownArchitecture names the architecture found; kBadConfig names the
// field; kUnsupported for known fields with values that change the computation in ways not handled here.
Result<ModelConfig> parse_model_config(std::string_view json, const std::string& name);

// Inverse frequencies of the rotary embedding, head_width / 2 of them, with the config's scaling applied.
// Formulas: linear divides every frequency by `factor`; llama3 as in the Llama 3.1 reference code (low frequencies
// divided by `factor`, high ones kept, a smooth ramp between the two wavelengths original_context /
// {low,high}_freq_factor).
std::vector<float> rope_inverse_frequencies(const ModelConfig& config);

}  // namespace scrooge::model
