// SPDX-License-Identifier: Apache-2.0
#include "src/model/model_config.h"

#include <cmath>
#include <numbers>
#include <optional>

#include "src/base/json.h"
#include "src/base/portable_math.h"
#include "src/model/families/family.h"

namespace scrooge::model {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxBlocks = 4096;
constexpr int64_t kMaxVocabulary = int64_t{1} << 22;
constexpr double kSmallestNumber = 1e-12;
constexpr double kLargestNumber = 1e15;

Result<int64_t> required_int(const JsonValue& root, std::string_view key, int64_t low, int64_t high) {
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue field, root.get(key));
  return field.as_int_in(low, high);
}

Result<int64_t> optional_int(const JsonValue& root, std::string_view key, int64_t low, int64_t high, int64_t fallback) {
  if (const auto field = root.find(key)) return field->as_int_in(low, high);
  return fallback;
}

// A positive number of which powers, quotients and products with others of its kind stay far from the ends of f32.
Result<double> positive(const JsonValue& field) {
  SCROOGE_ASSIGN_OR_RETURN(const double value, field.as_double());
  if (!(value >= kSmallestNumber && value <= kLargestNumber)) {
    return field.fail(concat(value, " is outside ", kSmallestNumber, " to ", kLargestNumber));
  }
  return value;
}

Result<double> optional_positive(const JsonValue& root, std::string_view key, double fallback) {
  const auto field = root.find(key);
  return field ? positive(*field) : fallback;
}

Result<bool> optional_bool(const JsonValue& root, std::string_view key, bool fallback) {
  if (const auto field = root.find(key)) return field->as_bool();
  return fallback;
}

Result<RopeScaling> parse_rope_scaling(const JsonValue& field) {
  RopeScaling scaling;
  auto kind = field.find("rope_type");
  if (!kind) kind = field.find("type");
  if (!kind) return field.fail("field \"rope_type\" is missing");
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, kind->as_string());
  if (name == "default") return scaling;
  if (name == "linear") {
    scaling.kind = RopeScaling::Kind::kLinear;
  } else if (name == "llama3") {
    scaling.kind = RopeScaling::Kind::kLlama3;
    SCROOGE_ASSIGN_OR_RETURN(scaling.low_freq_factor, optional_positive(field, "low_freq_factor", 1));
    SCROOGE_ASSIGN_OR_RETURN(scaling.high_freq_factor, optional_positive(field, "high_freq_factor", 4));
    SCROOGE_ASSIGN_OR_RETURN(scaling.original_context,
                             optional_positive(field, "original_max_position_embeddings", 8192));
    if (!(scaling.high_freq_factor > scaling.low_freq_factor)) {
      return field.fail("high_freq_factor must be above low_freq_factor");
    }
  } else {
    return error(StatusCode::kUnsupported, kind->where(), ": rotary scaling \"", printable(name),
                 "\" is not supported; known are default, linear and llama3");
  }
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue factor, field.get("factor"));
  SCROOGE_ASSIGN_OR_RETURN(scaling.factor, positive(factor));
  return scaling;
}

// The class name where the config has one, as published checkpoints do; else the model type.
Result<const Family*> family_of(const JsonValue& root, const std::string& name) {
  const Family* family = nullptr;
  std::string_view found;
  if (const auto list = root.find("architectures")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<JsonValue> names, list->as_array());
    if (names.empty()) return list->fail("the list is empty; name the model's architecture");
    SCROOGE_ASSIGN_OR_RETURN(found, names.front().as_string());
    family = find_family(found);
  } else if (const auto type = root.find("model_type")) {
    SCROOGE_ASSIGN_OR_RETURN(found, type->as_string());
    family = find_family_by_type(found);
  } else {
    return root.fail("field \"architectures\" is missing; name the model's class there");
  }
  if (family == nullptr) {
    return error(StatusCode::kUnknownArchitecture, name, ": architecture \"", printable(found),
                 "\" is not known; this version knows ", known_architectures());
  }
  return family;
}

Status parse_sizes(const JsonValue& root, ModelConfig& config) {
  SCROOGE_ASSIGN_OR_RETURN(config.blocks, required_int(root, "num_hidden_layers", 1, kMaxBlocks));
  SCROOGE_ASSIGN_OR_RETURN(config.width, required_int(root, "hidden_size", 1, kMaxWidth));
  SCROOGE_ASSIGN_OR_RETURN(config.heads, required_int(root, "num_attention_heads", 1, kMaxWidth));
  SCROOGE_ASSIGN_OR_RETURN(config.kv_heads, optional_int(root, "num_key_value_heads", 1, kMaxWidth, config.heads));
  SCROOGE_ASSIGN_OR_RETURN(config.feed_forward, required_int(root, "intermediate_size", 1, kMaxWidth));
  SCROOGE_ASSIGN_OR_RETURN(config.vocabulary, required_int(root, "vocab_size", 1, kMaxVocabulary));
  SCROOGE_ASSIGN_OR_RETURN(config.max_positions, optional_int(root, "max_position_embeddings", 0, int64_t{1} << 40, 0));
  if (config.heads % config.kv_heads != 0) {
    return root.fail(
        concat("num_attention_heads ", config.heads, " is not a multiple of num_key_value_heads ", config.kv_heads));
  }
  if (const auto field = root.find("head_dim")) {
    SCROOGE_ASSIGN_OR_RETURN(config.head_width, field->as_int_in(1, kMaxWidth));
  } else {
    if (config.width % config.heads != 0) {
      return root.fail(concat("hidden_size ", config.width, " is not a multiple of num_attention_heads ", config.heads,
                              " and head_dim is not given"));
    }
    config.head_width = config.width / config.heads;
  }
  if (config.head_width % 2 != 0) return root.fail(concat("head width ", config.head_width, " is odd"));
  if (config.q_width() > kMaxWidth) return root.fail("num_attention_heads times head_dim is too large");
  return {};
}

Status parse_activation(const JsonValue& root, ModelConfig& config) {
  const auto field = root.find("hidden_act");
  if (!field) return {};
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, field->as_string());
  if (name == "silu" || name == "swish")
    config.activation = backend::Activation::kSilu;
  else if (name == "gelu_pytorch_tanh" || name == "gelu_new")
    config.activation = backend::Activation::kGeluTanh;
  else if (name == "gelu")
    config.activation = backend::Activation::kGeluErf;
  else if (name == "relu")
    config.activation = backend::Activation::kRelu;
  else
    return error(StatusCode::kUnsupported, field->where(), ": activation \"", printable(name), "\" is not supported");
  return {};
}

}  // namespace

Result<ModelConfig> parse_model_config(std::string_view json, const std::string& name) {
  SCROOGE_ASSIGN_OR_RETURN(const JsonDocument document,
                           JsonDocument::parse(json, name, StatusCode::kBadConfig, {16ull << 20, 64}));
  const JsonValue root = document.root();
  if (!root.is_object()) return root.fail("expected an object");
  if (const auto quantized = root.find("quantization_config")) {
    return error(StatusCode::kUnsupported, quantized->where(),
                 ": the checkpoint is already quantized; give the full-precision checkpoint");
  }
  ModelConfig config;
  SCROOGE_ASSIGN_OR_RETURN(const Family* const family, family_of(root, name));
  config.family = family->name;
  SCROOGE_RETURN_IF_ERROR(parse_sizes(root, config));
  SCROOGE_RETURN_IF_ERROR(parse_activation(root, config));
  SCROOGE_ASSIGN_OR_RETURN(config.norm_epsilon, optional_positive(root, "rms_norm_eps", 1e-6));
  SCROOGE_ASSIGN_OR_RETURN(config.rope_theta, optional_positive(root, "rope_theta", 10000));
  SCROOGE_ASSIGN_OR_RETURN(config.tied_head, optional_bool(root, "tie_word_embeddings", false));
  if (const auto scaling = root.find("rope_scaling")) {
    SCROOGE_ASSIGN_OR_RETURN(config.rope_scaling, parse_rope_scaling(*scaling));
  }
  if (const auto window = root.find("use_sliding_window")) {
    SCROOGE_ASSIGN_OR_RETURN(const bool sliding, window->as_bool());
    if (sliding) return error(StatusCode::kUnsupported, window->where(), ": sliding-window attention is not supported");
  }
  SCROOGE_RETURN_IF_ERROR(family->read_config(root, config));
  return config;
}

std::vector<float> rope_inverse_frequencies(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  std::vector<float> frequencies;
  for (int64_t i = 0; i < config.head_width / 2; ++i) {
    double frequency =
        1.0 / portable_power(config.rope_theta, static_cast<double>(2 * i) / static_cast<double>(config.head_width));
    if (scaling.kind == RopeScaling::Kind::kLinear) frequency /= scaling.factor;
    if (scaling.kind == RopeScaling::Kind::kLlama3) {
      const double wavelength = 2 * std::numbers::pi / frequency;
      const double turns = scaling.original_context / wavelength;
      if (turns < scaling.low_freq_factor) {
        frequency /= scaling.factor;
      } else if (turns <= scaling.high_freq_factor) {
        const double smooth = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
        frequency = (1 - smooth) * frequency / scaling.factor + smooth * frequency;
      }
    }
    frequencies.push_back(static_cast<float>(frequency));
  }
  return frequencies;
}

}  // namespace scrooge::model
