// SPDX-License-Identifier: Apache-2.0
// tokenizer.json and tokenizer_config.json, opened through a model folder as a job would.
#include "src/pipeline/model_source.h"
#include "tests/hostile/hostile_case.h"

namespace scrooge::hostile {
namespace {

constexpr std::string_view kFile = "tokenizer.json";
constexpr StatusCode kBad = StatusCode::kBadTokenizer;
constexpr StatusCode kUnknown = StatusCode::kUnknownTokenizer;

std::string with_model(std::string_view vocab, std::string_view merges, std::string_view more = "") {
  return concat(R"({"model":{"type":"BPE","vocab":)", vocab, R"(,"merges":)", merges, more, "}}");
}

// A member of the top level beside a model of one token.
std::string with_member(std::string_view member) {
  return concat("{", member, R"(,"model":{"type":"BPE","vocab":{"a":0},"merges":[]}})");
}

std::string split_on(std::string_view pattern) {
  return with_member(
      concat(R"("pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":")", pattern, "\"}}"));
}

Case text(std::string name, std::string content, std::string mention = "", StatusCode code = kBad) {
  return file_case(std::move(name), kFile, std::move(content), code, std::move(mention));
}

void add_syntax(std::vector<Case>& cases) {
  cases.push_back({"missing", [](const Place& place) { place.write(kFile, ""); }, StatusCode::kMissingTokenizer, ""});
  cases.push_back(text("array", "[]", "model"));
  cases.push_back(text("empty object", "{}", "model"));
  cases.push_back(text("truncated", with_model(R"({"a":0})", "[]").substr(0, 30), "JSON"));
  cases.push_back(text("trailing garbage", with_model(R"({"a":0})", "[]") + "]", "JSON"));
  cases.push_back(text("not UTF-8", with_model("{\"\xff\":0}", "[]"), "JSON"));
  cases.push_back(text("million brackets", std::string(1'000'000, '['), "JSON"));
  cases.push_back(text("nesting of 33", concat("{\"x\":", std::string(33, '['), std::string(33, ']'), "}"), "JSON"));
  cases.push_back(text("a SentencePiece model", std::string("\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02", 16), "JSON"));
}

void add_model(std::vector<Case>& cases) {
  cases.push_back(text("model is a number", R"({"model":3})", "model"));
  cases.push_back(text("model is null", R"({"model":null})", "model"));
  for (const char* type : {"Unigram", "WordPiece", "WordLevel", "bpe"}) {
    cases.push_back(
        text(concat("model ", type), concat(R"({"model":{"type":")", type, R"(","vocab":{}}})"), type, kUnknown));
  }
  cases.push_back(text("type is a number", R"({"model":{"type":1,"vocab":{},"merges":[]}})", "model.type"));
  cases.push_back(text("no type and no merges", R"({"model":{"vocab":{}}})", "model", kUnknown));
  cases.push_back(text("no vocab", R"({"model":{"type":"BPE","merges":[]}})", "vocab"));
  cases.push_back(text("no merges", R"({"model":{"type":"BPE","vocab":{}}})", "merges"));
  cases.push_back(text("vocab is an array", with_model("[]", "[]"), "vocab"));
  for (const char* id : {"-1", "4194304", "2147483648", "9223372036854775808", "18446744073709551615", "1.5", "1e2",
                         "\"1\"", "null", "true"}) {
    cases.push_back(text(concat("token id ", id), with_model(concat(R"({"a":)", id, "}"), "[]"), "model.vocab.a"));
  }
  cases.push_back(text("id twice", with_model(R"({"a":1,"b":1})", "[]"), "model.vocab.b"));
  cases.push_back(text("token twice by escape", with_model(R"({"a":1,"\u0061":2})", "[]"), "twice"));
  cases.push_back(text("lone surrogate escape", with_model(R"({"\ud800":1})", "[]"), ""));
  cases.push_back(text("dropout", with_model(R"({"a":0})", "[]", R"(,"dropout":0.1)"), "dropout", kUnknown));
  cases.push_back(text("dropout is text", with_model(R"({"a":0})", "[]", R"(,"dropout":"x")"), "dropout"));
  cases.push_back(text("subword prefix", with_model(R"({"a":0})", "[]", R"(,"continuing_subword_prefix":"##")"),
                       "continuing_subword_prefix", kUnknown));
  cases.push_back(text("word suffix", with_model(R"({"a":0})", "[]", R"(,"end_of_word_suffix":"</w>")"),
                       "end_of_word_suffix", kUnknown));
  cases.push_back(
      text("byte_fallback is text", with_model(R"({"a":0})", "[]", R"(,"byte_fallback":"yes")"), "byte_fallback"));
  cases.push_back(text("unk_token is a number", with_model(R"({"a":0})", "[]", R"(,"unk_token":7)"), "unk_token"));
}

void add_merges(std::vector<Case>& cases) {
  const auto merge = [&](std::string name, std::string_view merges, std::string mention) {
    cases.push_back(text(std::move(name), with_model(R"({"a":0,"b":1,"aa":2})", merges), std::move(mention)));
  };
  merge("merges is an object", "{}", "model.merges");
  merge("merge into no token", R"(["a b"])", "\"ab\"");
  merge("merge of an unknown left", R"([["c","a"]])", "\"c\"");
  merge("merge of an unknown right", R"([["a","c"]])", "\"c\"");
  merge("merge without a space", R"(["aa"])", "model.merges[0]");
  merge("merge with two spaces", R"(["a a a"])", "model.merges[0]");
  merge("merge of nothing", R"([" "])", "model.merges[0]");
  merge("merge with an empty right", R"(["a "])", "model.merges[0]");
  merge("merge of one in a list", R"([["a"]])", "model.merges[0]");
  merge("merge of three in a list", R"([["a","a","a"]])", "model.merges[0]");
  merge("merge with a number", R"([["a",1]])", "model.merges[0]");
  merge("merge is a number", "[7]", "model.merges[0]");
  merge("merge is null", R"(["a a",null])", "model.merges[1]");
  std::string many = "[";
  for (int i = 0; i < 200'000; ++i) many += "\"a a\",";
  merge("200 k merges and a wrong one", many + "\"a b\"]", "model.merges[200000]");
}

void add_added_tokens(std::vector<Case>& cases) {
  const auto added = [&](std::string name, std::string_view entry, std::string mention) {
    cases.push_back(text(std::move(name), with_member(concat("\"added_tokens\":", entry)), std::move(mention)));
  };
  added("added tokens in an object", "{}", "added_tokens");
  added("added token is text", R"(["x"])", "added_tokens[0]");
  added("added token without content", R"([{"id":1}])", "content");
  added("added token without id", R"([{"content":"x"}])", "id");
  added("added token with another id than the vocabulary's", R"([{"id":5,"content":"a"}])", "added_tokens[0].id");
  added("added token that leaves a gap", R"([{"id":2,"content":"x"}])", "added_tokens[0].id");
  added("added token with a negative id", R"([{"id":-1,"content":"x"}])", "added_tokens[0].id");
  added("added token of 2^31", R"([{"id":2147483648,"content":"x"}])", "added_tokens[0].id");
  added("added token with a text id", R"([{"id":"1","content":"x"}])", "added_tokens[0].id");
  added("added twice", R"([{"id":1,"content":"x"},{"id":2,"content":"x"}])", "added twice");
  added("special is a number", R"([{"id":1,"content":"x","special":1}])", "special");
}

void add_steps(std::vector<Case>& cases) {
  const auto member = [&](std::string name, std::string_view text_of, std::string mention, StatusCode code = kBad) {
    cases.push_back(text(std::move(name), with_member(text_of), std::move(mention), code));
  };
  member("unknown normalizer", R"("normalizer":{"type":"Lowercase"})", "Lowercase", kUnknown);
  member("unknown normalizer inside", R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"}]})", "NFKC",
         kUnknown);
  member("normalizer without type", R"("normalizer":{})", "type");
  member("normalizer is text", R"("normalizer":"NFC")", "normalizer");
  member("replace of nothing", R"("normalizer":{"type":"Replace","pattern":{"String":""},"content":"x"})", "pattern");
  member("replace without pattern", R"("normalizer":{"type":"Replace","content":"x"})", "pattern");
  member("prepend without text", R"("normalizer":{"type":"Prepend"})", "prepend");
  member("sequence without a list", R"("normalizer":{"type":"Sequence"})", "normalizers");
  std::string deep;
  for (int i = 0; i < 10; ++i) deep += R"({"type":"Sequence","normalizers":[)";
  for (int i = 0; i < 10; ++i) deep += "]}";
  member("sequences nested too deep", concat("\"normalizer\":", deep), "deeper");
  member("unknown pre-tokenizer", R"("pre_tokenizer":{"type":"BertPreTokenizer"})", "BertPreTokenizer", kUnknown);
  member("a step after ByteLevel",
         R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]})", "Digits",
         kUnknown);
  member("metaspace mark of two characters", R"("pre_tokenizer":{"type":"Metaspace","replacement":"__"})",
         "replacement");
  member("metaspace mark of none", R"("pre_tokenizer":{"type":"Metaspace","replacement":""})", "replacement");
  member("metaspace scheme", R"("pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"x"})", "\"x\"",
         kUnknown);
  member("metaspace contradiction",
         R"("pre_tokenizer":{"type":"Metaspace","replacement":"_","add_prefix_space":false})", "add_prefix_space");
  member("split without pattern", R"("pre_tokenizer":{"type":"Split","behavior":"Isolated"})", "pattern");
  member("split sideways", R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"})",
         "Sideways", kUnknown);
  member("post-processor without type", R"("post_processor":{})", "type");
  member(
      "template that names no special token",
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}}],"special_tokens":{}})",
      "<s>");
  member("template with a negative id",
         R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s"}}],)"
         R"("special_tokens":{"s":{"ids":[-1]}}})",
         "ids[0]");
}

void add_patterns(std::vector<Case>& cases) {
  const auto pattern = [&](std::string name, std::string_view regex, std::string mention, StatusCode code = kBad) {
    cases.push_back(text(std::move(name), split_on(regex), std::move(mention), code));
  };
  pattern("pattern of nothing", "", "empty");
  pattern("pattern with an open group", "(a", "(a");
  pattern("pattern with an open class", "[a", "");
  pattern("pattern that repeats nothing", "*a", "");
  pattern("pattern with a backwards range", "[z-a]", "");
  pattern("pattern with an unknown property", "\\\\p{Nonsense}", "");
  pattern("pattern with a huge repeat", "a{1000000}", "");
  pattern("pattern nested 1000 deep", concat(std::string(1000, '('), "a", std::string(1000, ')')), "");
  pattern("pattern above 64 KiB", std::string(65'537, 'a'), "limit");
  pattern("pattern with class intersection", "[a&&b]", "intersection", kUnknown);
}

// The second file, with the first as it was.
void add_config(std::vector<Case>& cases) {
  const auto config = [&](std::string name, std::string content, std::string mention) {
    cases.push_back(file_case(std::move(name), "tokenizer_config.json", std::move(content), kBad, std::move(mention)));
  };
  config("config is not JSON", "{", "tokenizer_config.json");
  config("bos_token is a number", R"({"bos_token":1})", "bos_token");
  config("bos_token without content", R"({"bos_token":{"lstrip":false}})", "bos_token");
  config("add_bos_token is text", R"({"add_bos_token":"yes"})", "add_bos_token");
  config("tokenizer_class is a list", R"({"tokenizer_class":[]})", "tokenizer_class");
}

}  // namespace

Format tokenizer_format() {
  return {"tokenizer", "",
          [](const Place& place) {
            for (const std::string file : {"config.json", "model.safetensors", "tokenizer.json"}) {
              place.borrow("tiny_llama/" + file, file);
            }
          },
          [](const std::string& folder) -> Status {
            SCROOGE_ASSIGN_OR_RETURN(const auto source, pipeline::ModelSource::open(folder, {}));
            SCROOGE_ASSIGN_OR_RETURN(const auto tokenizer, source->tokenizer());
            return tokenizer->encode("a text of words, 123").status();
          },
          [] {
            std::vector<Case> cases;
            add_syntax(cases);
            add_model(cases);
            add_merges(cases);
            add_added_tokens(cases);
            add_steps(cases);
            add_patterns(cases);
            add_config(cases);
            return cases;
          }};
}

}  // namespace scrooge::hostile
