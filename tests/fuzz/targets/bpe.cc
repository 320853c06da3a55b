// SPDX-License-Identifier: Apache-2.0
// Any text through real tokenizers: ids stay inside the vocabulary, byte-level ones give the text back, and parts of a
// text give the ids of the whole.
#include <fstream>
#include <iterator>
#include <memory>

#include "src/tokenizer/bpe_model.h"
#include "src/tokenizer/tokenizer.h"
#include "src/tokenizer/unicode.h"
#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {
namespace {

using tokenizer::Tokenizer;

struct Model {
  std::unique_ptr<Tokenizer> tokenizer;
  bool lossless;  // has all bytes, and changes nothing of the text before it is cut
};

const std::vector<Model>& models() {
  static const std::vector<Model> all = [] {
    std::vector<Model> made;
    const std::pair<const char*, bool> kFiles[] = {
        {"gpt2", true},        {"llama3", true}, {"smollm", true},         {"qwen2", false},          {"llama2", false},
        {"digit_runs", false}, {"split", false}, {"unknown_fused", false}, {"metaspace_first", false}};
    for (const auto& [name, lossless] : kFiles) {
      std::ifstream file(concat(SCROOGE_SOURCE_DIR "/tests/golden/tokenizer_", name, ".json"));
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      auto tokenizer = Tokenizer::from_json(text, {}, name);
      require(tokenizer.ok(), "a golden tokenizer is read");
      made.push_back({std::move(*tokenizer), lossless});
    }
    return made;
  }();
  return all;
}

}  // namespace

const InputKind kInputKind = InputKind::kText;

std::vector<std::string> seeds() {
  const std::string texts[] = {"Hello, World's 1234567 numbers!\r\n\tand  spaces   ",
                               "caf\xc3\xa9 e\xcc\x81 \xf0\x9f\x98\x80\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd "
                               "\xe4\xb8\xad\xe6\x96\x87 <|endoftext|> </s>",
                               literal("\xff\xfe\x00\xed\xa0\x80 \xe2\x96\x81 <0x0A>")};
  std::vector<std::string> inputs;
  for (char model = 0; model < 9; ++model) inputs.push_back(std::string(1, model) + texts[model % 3]);
  return inputs;
}

void run(std::string_view input) {
  Reader reader(input);
  const Model& model = models()[reader.byte() % models().size()];
  const std::string_view text = reader.rest();
  const auto ids = model.tokenizer->encode(text);
  if (!ids.ok()) return;
  for (const size_t end : {text.size() / 2, text.size()}) {
    const size_t cut = model.tokenizer->cuts().last_in(text.substr(0, end));
    if (cut == 0) continue;
    tokenizer::BpeScratch words;
    auto parts = model.tokenizer->encode_part(text.substr(0, cut), false, words);
    const auto rest = model.tokenizer->encode_part(text.substr(cut), true, words);
    require(parts.ok() && rest.ok(), "the parts of a text are texts");
    parts->insert(parts->end(), rest->begin(), rest->end());
    require(*parts == *ids, "a text cut where it may be gives the same ids");
  }
  for (const int32_t id : *ids) {
    require(id >= 0 && id < model.tokenizer->vocabulary_size(), "ids are inside the vocabulary");
  }
  const auto back = model.tokenizer->decode(*ids);
  require(back.ok(), "what was encoded can be decoded");
  if (model.lossless && tokenizer::valid_utf8_prefix(text) == text.size()) {
    require(*back == text, "a byte-level tokenizer gives the text back");
  }
  const auto again = model.tokenizer->encode(text);
  require(again.ok() && *again == *ids, "encoding twice gives the same ids");
}

}  // namespace scrooge::fuzz
