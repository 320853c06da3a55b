// SPDX-License-Identifier: Apache-2.0
// Well-formed GGUF whose model or vocabulary cannot be: the keys of architecture and tokenizer, and the tensor shapes.
#include "src/pipeline/model_source.h"
#include "tests/hostile/hostile_case.h"
#include "tests/support/tiny_gguf.h"

namespace scrooge::hostile {
namespace {

using test::ByteWriter;
using test::TinyGguf;

constexpr StatusCode kConfig = StatusCode::kBadConfig;
constexpr StatusCode kVocabulary = StatusCode::kBadTokenizer;

TinyGguf::Value u32(uint32_t number) { return {4, ByteWriter().put(number).bytes()}; }
TinyGguf::Value u64(uint64_t number) { return {10, ByteWriter().put(number).bytes()}; }
TinyGguf::Value i32(int32_t number) { return {5, ByteWriter().put(number).bytes()}; }
TinyGguf::Value f32(float number) { return {6, ByteWriter().put(number).bytes()}; }
TinyGguf::Value text(std::string_view content) { return {8, test::GgufWriter::string_bytes(content)}; }

class Table {
 public:
  void change(std::string name, const std::function<void(TinyGguf&)>& change, std::string mention, StatusCode code) {
    TinyGguf model;
    change(model);
    cases_.push_back(file_case(std::move(name), "model.gguf", model.finish(), code, std::move(mention)));
  }
  void set(std::string name, const std::string& key, TinyGguf::Value value, StatusCode code, std::string mention = "") {
    change(
        std::move(name), [&](TinyGguf& model) { model.values[key] = std::move(value); },
        mention.empty() ? key : std::move(mention), code);
  }
  void drop(const std::string& key, StatusCode code, std::string mention = "") {
    change(
        "no " + key, [&](TinyGguf& model) { model.values.erase(key); }, mention.empty() ? key : std::move(mention),
        code);
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  std::vector<Case> cases_;
};

void add_model(Table& table) {
  table.drop("general.architecture", kConfig);
  table.set("architecture unknown", "general.architecture", text("mamba"), StatusCode::kUnknownArchitecture, "mamba");
  table.set("architecture is a number", "general.architecture", u32(1), kConfig);
  table.set("architecture is not UTF-8", "general.architecture", text("\xff\xfe"), StatusCode::kUnknownArchitecture,
            "\\xff");
  for (const char* key : {"llama.block_count", "llama.embedding_length", "llama.attention.head_count",
                          "llama.feed_forward_length", "llama.attention.layer_norm_rms_epsilon"}) {
    table.drop(key, kConfig);
  }
  const std::pair<const char*, const char*> kCounts[] = {{"llama.block_count", "num_hidden_layers"},
                                                         {"llama.embedding_length", "hidden_size"},
                                                         {"llama.attention.head_count", "num_attention_heads"},
                                                         {"llama.attention.head_count_kv", "num_key_value_heads"},
                                                         {"llama.feed_forward_length", "intermediate_size"}};
  for (const auto& [key, field] : kCounts) {
    table.set(concat(key, " 0"), key, u32(0), kConfig, field);
    table.set(concat(key, " 2^32-1"), key, u32(~0u), kConfig, field);
    table.set(concat(key, " 2^64-1"), key, u64(~uint64_t{0}), kConfig, field);
    table.set(concat(key, " negative"), key, i32(-1), kConfig);
    table.set(concat(key, " is text"), key, text("8"), kConfig);
  }
  table.set("kv heads do not divide heads", "llama.attention.head_count_kv", u32(3), kConfig, "num_key_value_heads");
  table.set("head count per layer", "llama.attention.head_count", TinyGguf::i32s({2}), kConfig);
  table.set("epsilon 0", "llama.attention.layer_norm_rms_epsilon", f32(0), kConfig, "rms_norm_eps");
  table.set("epsilon NaN", "llama.attention.layer_norm_rms_epsilon", f32(__builtin_nanf("")), kConfig);
  table.set("rope base negative", "llama.rope.freq_base", f32(-1), kConfig, "rope_theta");
  table.set("rope scaling unknown", "llama.rope.scaling.type", text("yarn"), StatusCode::kUnsupported);
  table.set("rope scaling without factor", "llama.rope.scaling.type", text("linear"), kConfig,
            "llama.rope.scaling.factor");
}

void add_tensors(Table& table) {
  constexpr StatusCode kShape = StatusCode::kWrongShape;
  constexpr StatusCode kMissing = StatusCode::kMissingTensor;
  const auto reshape = [&](const std::string& tensor, const std::vector<uint64_t>& dimensions, StatusCode code) {
    std::string shape;
    for (const uint64_t dimension : dimensions) shape += concat(" ", dimension);
    table.change(
        concat(tensor, " of", shape), [&](TinyGguf& model) { model.tensors[tensor].dimensions = dimensions; }, "",
        code);
  };
  for (const char* tensor : {"token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.0.ffn_down.weight",
                             "blk.0.attn_norm.weight"}) {
    table.change(
        concat("no ", tensor), [&](TinyGguf& model) { model.tensors.erase(tensor); }, tensor, kMissing);
  }
  reshape("token_embd.weight", {32}, kMissing);
  reshape("token_embd.weight", {4, 8}, kShape);
  reshape("blk.0.attn_k.weight", {8, 8}, kShape);
  reshape("blk.0.attn_norm.weight", {4}, kShape);
  reshape("blk.0.ffn_up.weight", {8, 8, 2}, kShape);
  table.change(
      "a rope factor too many", [](TinyGguf& model) { model.tensors["rope_freqs.weight"].dimensions = {3}; },
      "rope_freqs.weight", kShape);
  table.change(
      "rope factors of 0",
      [](TinyGguf& model) {
        model.tensors["rope_freqs.weight"] = {{2}, true};
      },
      "rope_freqs.weight", kConfig);
  table.change(
      "a block too few", [](TinyGguf& model) { model.values["llama.block_count"] = u32(2); }, "blk.1.", kMissing);
}

void add_vocabulary(Table& table) {
  constexpr StatusCode kUnknown = StatusCode::kUnknownTokenizer;
  table.drop("tokenizer.ggml.model", StatusCode::kMissingTokenizer);
  table.drop("tokenizer.ggml.tokens", StatusCode::kMissingTokenizer, "tokens");
  table.drop("tokenizer.ggml.pre", kUnknown);
  table.drop("tokenizer.ggml.merges", kVocabulary);
  table.set("tokenizer model unknown", "tokenizer.ggml.model", text("bert"), kUnknown, "bert");
  table.set("tokenizer model is a number", "tokenizer.ggml.model", u32(1), kConfig);
  table.set("pre-tokenizer unknown", "tokenizer.ggml.pre", text("made-up"), kUnknown, "made-up");
  table.set("tokens are numbers", "tokenizer.ggml.tokens", TinyGguf::i32s({1, 2, 3, 4}), kConfig);
  table.set("no tokens", "tokenizer.ggml.tokens", TinyGguf::strings({}), kVocabulary);
  table.set("token twice", "tokenizer.ggml.tokens", TinyGguf::strings({"a", "b", "ab", "a"}), kVocabulary, "token 3");
  table.set("token not UTF-8", "tokenizer.ggml.tokens", TinyGguf::strings({"a", "b", "ab", "\xff"}), kVocabulary,
            "token 3");
  table.set("a type too few", "tokenizer.ggml.token_type", TinyGguf::i32s({1, 1, 1}), kVocabulary, "token_type");
  table.set("type 0", "tokenizer.ggml.token_type", TinyGguf::i32s({0, 1, 1, 1}), kVocabulary, "token_type");
  table.set("type 7", "tokenizer.ggml.token_type", TinyGguf::i32s({7, 1, 1, 1}), kVocabulary, "token_type");
  table.set("type -1", "tokenizer.ggml.token_type", TinyGguf::i32s({-1, 1, 1, 1}), kVocabulary, "token_type");
  ByteWriter wide;
  wide.put(11u).put(uint64_t{4});
  for (int i = 0; i < 4; ++i) wide.put((int64_t{1} << 32) + 1);
  table.set("type 2^32+1", "tokenizer.ggml.token_type", {9, wide.bytes()}, kVocabulary, "token_type");
  table.set("byte token that is none", "tokenizer.ggml.token_type", TinyGguf::i32s({6, 1, 1, 1}), kVocabulary,
            "byte token 0");
  table.set("merge into no token", "tokenizer.ggml.merges", TinyGguf::strings({"b a"}), kVocabulary, "\"ba\"");
  table.set("merge without a space", "tokenizer.ggml.merges", TinyGguf::strings({"ab"}), kVocabulary, "merges[0]");
  table.set("merge with two spaces", "tokenizer.ggml.merges", TinyGguf::strings({"a b "}), kVocabulary, "merges[0]");
  table.set("merges are numbers", "tokenizer.ggml.merges", TinyGguf::i32s({1}), kConfig);
  table.set("bos outside", "tokenizer.ggml.bos_token_id", u32(4), kVocabulary, "bos_token_id");
  table.set("bos 2^31", "tokenizer.ggml.bos_token_id", u32(1u << 31), kConfig, "bos_token_id");
  table.set("bos is text", "tokenizer.ggml.bos_token_id", text("3"), kConfig);
  table.set("eos outside", "tokenizer.ggml.eos_token_id", u32(0x7fffffff), kVocabulary, "eos_token_id");
  table.set("add_bos is a number", "tokenizer.ggml.add_bos_token", u32(1), kConfig);
  table.set("llama without scores", "tokenizer.ggml.model", text("llama"), kVocabulary, "scores");
  table.change(
      "scores are text",
      [](TinyGguf& model) {
        model.values["tokenizer.ggml.model"] = text("llama");
        model.values["tokenizer.ggml.scores"] = TinyGguf::strings({"1", "2", "3", "4"});
      },
      "tokenizer.ggml.scores", kConfig);
  table.change(
      "score NaN",
      [](TinyGguf& model) {
        model.values["tokenizer.ggml.model"] = text("llama");
        ByteWriter scores;
        scores.put(6u).put(uint64_t{4}).put(0.0f).put(__builtin_nanf("")).put(0.0f).put(0.0f);
        model.values["tokenizer.ggml.scores"] = {9, scores.bytes()};
      },
      "score of token 1", kVocabulary);
}

}  // namespace

Format gguf_model_format() {
  return {"gguf_model", "model.gguf", [](const Place& place) { place.write("model.gguf", TinyGguf().finish()); },
          [](const std::string& folder) -> Status {
            SCROOGE_ASSIGN_OR_RETURN(const auto source, pipeline::ModelSource::open(folder + "/model.gguf", {}));
            SCROOGE_ASSIGN_OR_RETURN(const auto tokenizer, source->tokenizer());
            return tokenizer->encode("ab ba").status();
          },
          [] {
            Table table;
            add_model(table);
            add_tensors(table);
            add_vocabulary(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
