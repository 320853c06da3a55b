// SPDX-License-Identifier: Apache-2.0
// scrooge tokenize: text to token ids and back.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <scrooge/scrooge.hpp>
#include <vector>

#include "src/cli/commands.h"
#include "src/cli/exit_code.h"
#include "src/cli/json_object.h"
#include "src/cli/text_file.h"

namespace scrooge::cli {
namespace {

constexpr const char* kStandardInput = "standard input";

struct TokenizeArguments {
  std::string model;
  std::string text;
  std::string file;
  std::string ids;
  const CLI::Option* text_option = nullptr;
  const CLI::Option* ids_option = nullptr;
  bool json = false;
};

// Ids separated by white space or commas; nullopt when something else is among them.
std::optional<std::vector<int32_t>> parse_ids(std::string_view text) {
  constexpr std::string_view kSeparators = " \t\r\n,";
  std::vector<int32_t> ids;
  for (std::size_t at = text.find_first_not_of(kSeparators); at != std::string_view::npos;) {
    int64_t id = 0;
    std::size_t end = at;
    for (; end < text.size() && text[end] >= '0' && text[end] <= '9' && id <= INT32_MAX; ++end) {
      id = id * 10 + (text[end] - '0');
    }
    const bool ended = end == text.size() || kSeparators.find(text[end]) != std::string_view::npos;
    if (end == at || !ended || id > INT32_MAX) return std::nullopt;
    ids.push_back(static_cast<int32_t>(id));
    at = text.find_first_not_of(kSeparators, end);
  }
  return ids;
}

int run_decode(const TokenizeArguments& arguments, const Tokenizer& tokenizer) {
  Expected<std::string> given = arguments.ids == "-" ? read_stream(stdin, kStandardInput) : arguments.ids;
  if (!given) return report_error(given.error());
  const std::optional<std::vector<int32_t>> ids = parse_ids(*given);
  if (!ids) return report_usage("--decode takes token ids separated by spaces or commas", "tokenize");
  const Expected<std::string> text = tokenizer.decode(*ids);
  if (!text) return report_error(text.error());
  if (arguments.json) {
    std::printf("%s\n", JsonObject().add("text", *text).text().c_str());
  } else {
    std::fwrite(text->data(), 1, text->size(), stdout);
    std::fputc('\n', stdout);
  }
  return kExitOk;
}

int run_encode(const TokenizeArguments& arguments, const Tokenizer& tokenizer) {
  Expected<std::string> text = !arguments.file.empty() ? read_text_file(arguments.file)
                               : arguments.text == "-" ? read_stream(stdin, kStandardInput)
                                                       : arguments.text;
  if (!text) return report_error(text.error());
  const Expected<std::vector<int32_t>> ids = tokenizer.encode(*text);
  if (!ids) return report_error(ids.error());
  std::vector<std::string> words;
  words.reserve(ids->size());
  for (const int32_t id : *ids) words.push_back(std::to_string(id));
  if (arguments.json) {
    JsonObject object;
    object.add("count", static_cast<uint64_t>(words.size())).add_raw("ids", json_list(words));
    std::printf("%s\n", object.text().c_str());
    return kExitOk;
  }
  for (std::size_t i = 0; i < words.size(); ++i) std::printf("%s%s", i == 0 ? "" : " ", words[i].c_str());
  std::printf("\n");
  return kExitOk;
}

int run_tokenize(const TokenizeArguments& arguments) {
  const bool decode = arguments.ids_option->count() > 0;
  if (!decode && arguments.file.empty() && arguments.text_option->count() == 0) {
    return report_usage("nothing to tokenize: give TEXT, --file FILE, or - for standard input", "tokenize");
  }
  const Expected<Tokenizer> tokenizer = Tokenizer::open(arguments.model);
  if (!tokenizer) return report_error(tokenizer.error());
  return decode ? run_decode(arguments, *tokenizer) : run_encode(arguments, *tokenizer);
}

}  // namespace

Command add_tokenize_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("tokenize", "Text to token ids, and back");
  auto arguments = std::make_shared<TokenizeArguments>();
  app->add_option("model", arguments->model, "A checkpoint, a tokenizer.json or a .scrooge file")
      ->required()
      ->type_name("MODEL");
  CLI::Option* text = app->add_option("text", arguments->text, "The text; - for standard input")->type_name("TEXT");
  CLI::Option* file =
      app->add_option("--file", arguments->file, "Read the text from FILE")->type_name("FILE")->excludes(text);
  arguments->text_option = text;
  arguments->ids_option = app->add_option("--decode", arguments->ids, "Ids back to text; - for standard input")
                              ->type_name("IDS")
                              ->excludes(text)
                              ->excludes(file);
  app->add_flag("--json", arguments->json, "As JSON");
  app->footer(
      "No special token is added.\n\n"
      "Examples:\n"
      "  scrooge tokenize Qwen3-4B 'Bah, humbug!'\n"
      "  scrooge tokenize Qwen3-4B --file wiki.txt > wiki.ids\n"
      "  scrooge tokenize qwen3.scrooge --decode '45432 11 1299'");
  return {app, [arguments] { return run_tokenize(*arguments); }};
}

}  // namespace scrooge::cli
