// SPDX-License-Identifier: Apache-2.0
// tokenizer.json and, after a NUL, tokenizer_config.json: what is accepted encodes and decodes any text.
#include "src/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/byte_writer.h"

namespace scrooge::fuzz {
namespace {

std::string bpe(std::string_view steps, std::string_view more = "") {
  return concat("{", steps,
                R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"\u2581":3,"<0x41>":4,"\u0120":5,"<unk>":6},)"
                R"("merges":["a b"])",
                more, "}}");
}

}  // namespace

const InputKind kInputKind = InputKind::kJson;

std::vector<std::string> seeds() {
  const std::string config =
      R"({"bos_token":{"content":"<s>"},"add_bos_token":true,"tokenizer_class":"LlamaTokenizer"})";
  return {
      bpe(R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"use_regex":true},)"),
      bpe(R"("added_tokens":[{"id":7,"content":"<s>","special":true,"lstrip":true,"rstrip":true,"single_word":true}],)"
          R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Prepend","prepend":"\u2581"},)"
          R"({"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]},)",
          R"(,"byte_fallback":true,"fuse_unk":true,"unk_token":"<unk>","ignore_merges":true)") +
          std::string(1, '\0') + config,
      bpe(R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\s"},)"
          R"("behavior":"MergedWithNext","invert":true},{"type":"Digits","individual_digits":true},)"
          R"({"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first","split":true}]},)"
          R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}}],)"
          R"("special_tokens":{"<s>":{"ids":[6]}}},)")};
}

void run(std::string_view input) {
  const size_t cut = std::min(input.find('\0'), input.size());
  const std::string_view config = input.substr(std::min(cut + 1, input.size()));
  const auto tokenizer = tokenizer::Tokenizer::from_json(input.substr(0, cut), config, "input");
  if (!tokenizer.ok()) {
    require(!tokenizer.status().message().empty(), "an error has a message");
    return;
  }
  const int32_t size = (*tokenizer)->vocabulary_size();
  for (const std::string_view text : {"ab a  b 12\n\xff\xe2\x96\x81 <s>ab<s>", "", "\xf0\x9f\x98\x80\xcc\x81 A"}) {
    const auto ids = (*tokenizer)->encode(text);
    if (!ids.ok()) continue;
    for (const int32_t id : *ids) require(id >= 0 && id < size, "ids are inside the vocabulary");
    require((*tokenizer)->decode(*ids).ok(), "what was encoded can be decoded");
  }
  if ((*tokenizer)->adds_bos()) require((*tokenizer)->bos().has_value(), "a bos that is added exists");
}

}  // namespace scrooge::fuzz
