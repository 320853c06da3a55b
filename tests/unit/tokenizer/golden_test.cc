// SPDX-License-Identifier: Apache-2.0
// Identical ids to Hugging Face `tokenizers`, for every supported family. The files come from
// tests/golden/make_tokenizer_golden.py.
#include <gtest/gtest.h>

#include "src/base/file_map.h"
#include "src/base/json.h"
#include "src/tokenizer/tokenizer.h"

namespace scrooge::tokenizer {
namespace {

constexpr std::string_view kFolder = SCROOGE_SOURCE_DIR "/tests/golden/tokenizer_";

std::string read(std::string_view name) {
  auto text = read_small_file(concat(kFolder, name, ".json"), 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status().message();
  return text.ok() ? std::move(*text) : std::string();
}

JsonValue parse(const std::string& text) {
  auto document = JsonDocument::parse(text, "golden", StatusCode::kInternal);
  EXPECT_TRUE(document.ok()) << document.status().message();
  return document->root();
}

// By value: a range-for over a dereferenced temporary result would dangle.
std::vector<JsonValue> elements(const JsonValue& value) { return *value.as_array(); }
std::vector<std::pair<std::string_view, JsonValue>> members(const JsonValue& value) { return *value.as_object(); }
JsonValue member_of(const JsonValue& value, std::string_view key) { return *value.get(key); }

std::string unhex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return out;
}

const JsonValue& expected() {
  static const JsonValue value = parse(read("expected"));
  return value;
}

const std::vector<std::string>& inputs() {
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> out;
    for (const JsonValue& hex : elements(member_of(expected(), "inputs_hex"))) out.push_back(unhex(*hex.as_string()));
    return out;
  }();
  return texts;
}

void expect_golden_ids(const Tokenizer& tokenizer, std::string_view family) {
  const auto rows = elements(member_of(expected(), family));
  ASSERT_EQ(rows.size(), inputs().size());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<int32_t> ids;
    for (const JsonValue& id : elements(rows[i])) ids.push_back(static_cast<int32_t>(*id.as_int()));
    const auto actual = tokenizer.encode(inputs()[i]);
    ASSERT_TRUE(actual.ok()) << actual.status().message();
    EXPECT_EQ(*actual, ids) << family << ", text " << i << ": " << printable(inputs()[i]);
  }
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, EncodesAsHuggingFace) {
  const auto tokenizer = Tokenizer::from_json(read(GetParam()), "", "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  expect_golden_ids(**tokenizer, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Families, Golden,
                         testing::Values("gpt2", "gpt2_prefix", "smollm", "digit_runs", "llama3", "qwen2", "gpt4o",
                                         "llama2", "metaspace_first", "metaspace_always", "metaspace_never",
                                         "unknown_fused", "unknown_single"),
                         [](const auto& instance) { return std::string(instance.param); });

void append_json(JsonWriter& writer, const JsonValue& value) {
  if (value.is_object()) {
    writer.begin_object();
    for (const auto& [key, member] : members(value)) {
      writer.key(key);
      append_json(writer, member);
    }
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (const JsonValue& entry : elements(value)) append_json(writer, entry);
    writer.end_array();
  } else if (value.is_string()) {
    writer.value(*value.as_string());
  } else if (value.kind() == JsonValue::Kind::kBool) {
    writer.value(*value.as_bool());
  } else if (value.is_null()) {
    writer.null();
  } else {
    writer.value(*value.as_int());
  }
}

TEST(GoldenSplit, EveryBehaviorSplitsAsHuggingFace) {
  const JsonValue shared = parse(read("split"));
  const auto variants = members(member_of(shared, "variants"));
  ASSERT_EQ(variants.size(), 10u);
  for (const auto& [name, pre_tokenizer] : variants) {
    JsonWriter writer;
    writer.begin_object();
    for (const auto& [key, member] : members(shared)) {
      if (key == "variants") continue;
      writer.key(key);
      append_json(writer, key == "pre_tokenizer" ? pre_tokenizer : member);
    }
    writer.end_object();
    const auto tokenizer = Tokenizer::from_json(writer.text(), "", "tokenizer.json");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
    expect_golden_ids(**tokenizer, name);
  }
}

// The GGUF form of a family's vocabulary, with the flags a GGUF file cannot hold left out.
GgufVocabulary gguf_form(std::string_view family, std::string_view model, std::string_view pre) {
  const JsonValue root = parse(read(family));
  GgufVocabulary vocabulary;
  vocabulary.model = std::string(model);
  vocabulary.pre = std::string(pre);
  const auto put = [&](std::string_view text, int64_t id, int32_t type) {
    const auto index = static_cast<size_t>(id);
    if (vocabulary.tokens.size() <= index) {
      vocabulary.tokens.resize(index + 1);
      vocabulary.types.resize(index + 1, 1);
    }
    vocabulary.tokens[index] = std::string(text);
    vocabulary.types[index] = type;
  };
  const JsonValue model_field = *root.get("model");
  for (const auto& [text, id] : members(member_of(model_field, "vocab")))
    put(text, *id.as_int(), text.starts_with("<0x") ? 6 : 1);
  for (const JsonValue& token : elements(member_of(root, "added_tokens"))) {
    put(*member_of(token, "content").as_string(), *member_of(token, "id").as_int(),
        *member_of(token, "special").as_bool() ? 3 : 4);
  }
  for (const JsonValue& merge : elements(member_of(model_field, "merges"))) {
    if (merge.is_string()) {
      vocabulary.merges.emplace_back(*merge.as_string());
    } else {
      const auto pair = elements(merge);
      vocabulary.merges.push_back(concat(*pair[0].as_string(), " ", *pair[1].as_string()));
    }
  }
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) vocabulary.scores.push_back(-static_cast<float>(id));
  return vocabulary;
}

// Texts in which the stripping, single-word and normalized flags of the added tokens make no difference.
bool needs_token_flags(const std::string& text) {
  for (const char* token : {"<mask>", "<new>", "tok",
                            "na\xc3\xaf"
                            "f",
                            "nai\xcc\x88"
                            "f",
                            "spam"}) {
    if (text.find(token) != std::string::npos) return true;
  }
  return false;
}

void expect_same_as_json(std::string_view family, std::string_view model, std::string_view pre) {
  const auto from_json = Tokenizer::from_json(read(family), "", "tokenizer.json");
  const auto from_gguf = Tokenizer::from_gguf(gguf_form(family, model, pre), "model.gguf");
  ASSERT_TRUE(from_json.ok()) << from_json.status().message();
  ASSERT_TRUE(from_gguf.ok()) << from_gguf.status().message();
  EXPECT_EQ((*from_json)->vocabulary_size(), (*from_gguf)->vocabulary_size());
  size_t compared = 0;
  for (const std::string& text : inputs()) {
    if (needs_token_flags(text)) continue;
    EXPECT_EQ(*(*from_json)->encode(text), *(*from_gguf)->encode(text)) << family << ": " << printable(text);
    ++compared;
  }
  EXPECT_GT(compared, 60u);
}

TEST(GoldenGguf, Gpt2FormGivesTheSameIds) { expect_same_as_json("gpt2", "gpt2", "gpt-2"); }
TEST(GoldenGguf, SmolLmFormGivesTheSameIds) { expect_same_as_json("smollm", "gpt2", "smollm"); }
TEST(GoldenGguf, Llama3FormGivesTheSameIds) { expect_same_as_json("llama3", "gpt2", "llama-bpe"); }
TEST(GoldenGguf, Qwen2FormGivesTheSameIds) { expect_same_as_json("qwen2", "gpt2", "qwen2"); }
TEST(GoldenGguf, ScoredFormGivesTheSameIds) { expect_same_as_json("llama2", "llama", "default"); }

TEST(GoldenDecode, ByteLevelTextComesBack) {
  const auto tokenizer = Tokenizer::from_json(read("smollm"), "", "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok());
  for (const std::string& text : inputs()) {
    // Tokens that swallow spaces do not give them back.
    if (needs_token_flags(text) || text.find('\xff') != std::string::npos) continue;
    const auto ids = *(*tokenizer)->encode(text);
    const auto back = (*tokenizer)->decode(ids);
    ASSERT_TRUE(back.ok());
    // Malformed bytes come back as U+FFFD.
    if (back->find("\xef\xbf\xbd") == std::string::npos) {
      EXPECT_EQ(*back, text);
    }
  }
}

TEST(GoldenDecode, SpaceMarksAndByteTokensComeBackAsBytes) {
  const auto tokenizer = Tokenizer::from_json(read("llama2"), "", "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok());
  const auto ids = *(*tokenizer)->encode("a  b \xf0\x9f\x98\x80\n");
  EXPECT_EQ(*(*tokenizer)->decode(ids), " a  b \xf0\x9f\x98\x80\n");
}

TEST(GoldenBos, TheTemplateDecidesWhetherBosIsAdded) {
  const auto llama3 = Tokenizer::from_json(read("llama3"), "", "tokenizer.json");
  ASSERT_TRUE(llama3.ok());
  EXPECT_TRUE((*llama3)->adds_bos());
  ASSERT_TRUE((*llama3)->bos());
  EXPECT_EQ((*llama3)->token_text(*(*llama3)->bos()), "<s>");

  const auto smollm = Tokenizer::from_json(read("smollm"), R"({"bos_token": {"content": "<s>"}})", "tokenizer.json");
  ASSERT_TRUE(smollm.ok());
  EXPECT_FALSE((*smollm)->adds_bos());
  EXPECT_TRUE((*smollm)->bos());
}

TEST(GoldenBos, ConfigDecidesWhereThereIsNoTemplate) {
  const auto tokenizer = Tokenizer::from_json(
      read("llama2"), R"({"bos_token": "<s>", "add_bos_token": true, "tokenizer_class": "LlamaTokenizer"})",
      "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_TRUE((*tokenizer)->adds_bos());
  const auto off = Tokenizer::from_json(
      read("llama3"), R"({"bos_token": "<s>", "add_bos_token": false, "tokenizer_class": "LlamaTokenizerFast"})",
      "tokenizer.json");
  ASSERT_TRUE(off.ok());
  EXPECT_FALSE((*off)->adds_bos());
}

}  // namespace
}  // namespace scrooge::tokenizer
