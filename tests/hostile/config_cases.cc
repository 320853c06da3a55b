// SPDX-License-Identifier: Apache-2.0
// config.json beside the weights of a real tiny model: missing, wrong, contradicting and unsupported fields.
#include <map>

#include "src/pipeline/model_source.h"
#include "tests/hostile/hostile_case.h"

namespace scrooge::hostile {
namespace {

constexpr std::string_view kFile = "config.json";
constexpr StatusCode kBad = StatusCode::kBadConfig;

using Fields = std::map<std::string, std::string>;  // JSON text by key

Fields good_fields() {
  return {{"architectures", R"(["LlamaForCausalLM"])"},
          {"num_hidden_layers", "2"},
          {"hidden_size", "64"},
          {"num_attention_heads", "4"},
          {"num_key_value_heads", "2"},
          {"head_dim", "16"},
          {"intermediate_size", "96"},
          {"vocab_size", "384"},
          {"rms_norm_eps", "1e-5"},
          {"rope_theta", "10000.0"},
          {"hidden_act", "\"silu\""},
          {"tie_word_embeddings", "true"}};
}

std::string to_json(const Fields& fields) {
  std::string text = "{";
  for (const auto& [key, value] : fields) text += concat(text.size() == 1 ? "" : ",", "\"", key, "\":", value);
  return text + "}";
}

class Table {
 public:
  void raw(std::string name, std::string content, std::string mention = "", StatusCode code = kBad) {
    cases_.push_back(file_case(std::move(name), kFile, std::move(content), code, std::move(mention)));
  }
  // The field set to each of the values, or taken out where a value is empty.
  void field(const std::string& key, std::initializer_list<std::string_view> values, StatusCode code = kBad,
             std::string mention = "") {
    if (mention.empty()) mention = key;
    for (const std::string_view value : values) {
      Fields fields = good_fields();
      if (value.empty()) {
        fields.erase(key);
      } else {
        fields[key] = value;
      }
      raw(value.empty() ? concat("no ", key) : concat(key, " ", value.substr(0, 60)), to_json(fields), mention, code);
    }
  }
  void fields(std::string name, const Fields& changes, std::string mention, StatusCode code = kBad) {
    Fields all = good_fields();
    for (const auto& [key, value] : changes) all[key] = value;
    raw(std::move(name), to_json(all), std::move(mention), code);
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  std::vector<Case> cases_;
};

void add_syntax(Table& table) {
  table.raw("empty", "", "JSON");
  table.raw("spaces", std::string(100'000, ' '), "JSON");
  table.raw("array", "[]", "object");
  table.raw("number", "1", "object");
  table.raw("null", "null", "object");
  table.raw("truncated", to_json(good_fields()).substr(0, 60), "JSON");
  table.raw("trailing garbage", to_json(good_fields()) + "x", "JSON");
  table.raw("two objects", to_json(good_fields()) + to_json(good_fields()), "JSON");
  table.raw("not UTF-8", "{\"\xff\":1}", "JSON");
  table.raw("NUL after", to_json(good_fields()) + std::string(1, '\0'), "JSON");
  table.raw("comment", "// a model\n" + to_json(good_fields()), "JSON");
  table.raw("million brackets", std::string(1'000'000, '['), "JSON");
  table.raw("nesting of 65", concat("{\"x\":", std::string(65, '['), std::string(65, ']'), "}"), "JSON");
  table.raw("NaN", "{\"rope_theta\":NaN}", "JSON");
  table.raw("Infinity", "{\"rope_theta\":Infinity}", "JSON");
  table.raw("empty object", "{}", "architectures");
}

void add_sizes(Table& table) {
  table.field("num_hidden_layers", {"", "0", "-1", "1000000000", "2.0", "\"2\"", "null", "[2]", "9223372036854775808"});
  table.field("hidden_size", {"", "0", "-64", "2147483648", "64.5", "\"64\"", "1e3", "18446744073709551615"});
  table.field("num_attention_heads", {"", "0", "-4", "4294967296", "true", "3"});
  table.field("num_key_value_heads", {"0", "-2", "3", "8", "\"2\"", "2.0"});
  table.field("head_dim", {"0", "-16", "2097152", "\"16\""});
  table.field("head_dim", {"15"}, kBad, "odd");
  table.field("intermediate_size", {"", "0", "-96", "2097152", "96.0", "\"96\""});
  table.field("vocab_size", {"", "0", "-384", "4194305", "\"384\""});
  table.field("max_position_embeddings", {"-1", "\"512\"", "1.5", "2199023255552"});
  table.fields("width not divisible by heads", {{"head_dim", "null"}, {"num_attention_heads", "6"}}, "hidden_size");
  table.fields("heads times head_dim too large", {{"num_attention_heads", "1048576"}, {"head_dim", "1048576"}},
               "head_dim");
}

void add_numbers(Table& table) {
  table.field("rms_norm_eps", {"0", "-1e-5", "\"1e-5\"", "[]"});
  table.field("rope_theta", {"0", "-10000", "\"NaN\"", "\"10000\"", "false"});
  table.field("rope_theta", {"1e999", "-1e999"}, kBad, "JSON");
  table.field("rope_theta", {"1e-300", "1e300"});
  table.field("rms_norm_eps", {"1e300"});
  table.field("tie_word_embeddings", {"\"true\"", "1", "[]"});
  table.field("attention_bias", {"\"no\"", "0"});
  table.field("hidden_act", {"1", "[\"silu\"]"});
}

void add_rope_scaling(Table& table) {
  table.field("rope_scaling", {"{}", "{\"factor\":2.0}"}, kBad, "rope_type");
  table.field("rope_scaling", {R"("linear")", R"({"rope_type":1,"factor":2})", R"({"rope_type":"linear"})",
                               R"({"rope_type":"linear","factor":0})", R"({"rope_type":"linear","factor":-2})",
                               R"({"rope_type":"linear","factor":"2"})", R"({"rope_type":"linear","factor":1e-257})",
                               R"({"rope_type":"llama3","low_freq_factor":1})",
                               R"({"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4})",
                               R"({"rope_type":"llama3","factor":8,"low_freq_factor":0,"high_freq_factor":4})",
                               R"({"rope_type":"llama3","factor":8,"original_max_position_embeddings":-1})"});
  table.field("rope_scaling",
              {R"({"rope_type":"yarn","factor":4})", R"({"type":"dynamic","factor":4})", R"({"rope_type":"LINEAR"})"},
              StatusCode::kUnsupported);
}

void add_unsupported(Table& table) {
  constexpr StatusCode kNo = StatusCode::kUnsupported;
  table.field("quantization_config", {R"({"quant_method":"awq","bits":4})", "{}"}, kNo);
  table.field("hidden_act", {"\"mish\"", "\"\""}, kNo);
  table.field("mlp_bias", {"true"}, kNo);
  table.field("use_sliding_window", {"true"}, kNo);
  table.field("mlp_bias", {"\"true\""});
  table.field("use_sliding_window", {"\"true\""});
  constexpr StatusCode kUnknown = StatusCode::kUnknownArchitecture;
  table.field("architectures", {R"(["MambaForCausalLM"])", R"(["llamaforcausallm"])", R"([""])"}, kUnknown,
              "architecture");
  table.field("architectures", {"", "[]", "[1]", "\"LlamaForCausalLM\"", "{}"});
  Fields by_type = good_fields();
  by_type.erase("architectures");
  by_type["model_type"] = "\"gpt_neox\"";
  table.raw("unknown model_type", to_json(by_type), "gpt_neox", kUnknown);
  by_type["model_type"] = "3";
  table.raw("model_type is a number", to_json(by_type), "model_type");
}

// Well-formed, but another model than the weights are.
void add_contradictions(Table& table) {
  constexpr StatusCode kMissing = StatusCode::kMissingTensor;
  constexpr StatusCode kShape = StatusCode::kWrongShape;
  table.fields("a layer more than there are", {{"num_hidden_layers", "3"}}, "model.layers.2.", kMissing);
  table.fields("a head that is not there", {{"tie_word_embeddings", "false"}}, "lm_head.weight", kMissing);
  table.fields("biases that are not there", {{"attention_bias", "true"}}, "bias", kMissing);
  table.fields("the biases of another family", {{"architectures", R"(["Qwen2ForCausalLM"])"}}, "bias", kMissing);
  table.fields("vocabulary above the table's", {{"vocab_size", "385"}}, "embed_tokens", kShape);
  table.fields("vocabulary below the table's", {{"vocab_size", "383"}}, "embed_tokens", kShape);
  table.fields("other width", {{"hidden_size", "128"}}, "embed_tokens", kShape);
  table.fields("other feed-forward width", {{"intermediate_size", "128"}}, "mlp.", kShape);
  table.fields("other head width", {{"head_dim", "32"}}, "q_proj", kShape);
  table.fields("other number of kv heads", {{"num_key_value_heads", "4"}}, "k_proj", kShape);
}

}  // namespace

Format config_format() {
  return {"config", "model",
          [](const Place& place) {
            place.borrow("tiny_llama/model.safetensors", "model.safetensors");
            place.write(kFile, to_json(good_fields()));
          },
          [](const std::string& folder) { return pipeline::ModelSource::open(folder, {}).status(); },
          [] {
            Table table;
            add_syntax(table);
            add_sizes(table);
            add_numbers(table);
            add_rope_scaling(table);
            add_unsupported(table);
            add_contradictions(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
