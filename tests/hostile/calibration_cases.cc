// SPDX-License-Identifier: Apache-2.0
// Calibration text and token ids, read with the tokenizer and vocabulary of a tiny model (384 tokens).
#include <sys/stat.h>

#include <filesystem>

#include "src/pipeline/text_tokens.h"
#include "tests/hostile/hostile_case.h"

namespace scrooge::hostile {
namespace {

namespace fs = std::filesystem;

constexpr StatusCode kBad = StatusCode::kBadText;
constexpr int64_t kLength = 8;

void place_model(const Place& place) {
  for (const std::string file : {"config.json", "model.safetensors", "tokenizer.json"}) {
    place.borrow("tiny_llama/" + file, file);
  }
}

Status read(const std::string& folder, const pipeline::TextOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(const auto source, pipeline::ModelSource::open(folder, {}));
  return read_token_rows(*source, options, MemoryBudget::kUnlimited).status();
}

// What is no file at all, for both formats.
void add_things(std::vector<Case>& cases, const std::string& file) {
  const auto instead = [&](std::string name, StatusCode code, const std::function<void(const std::string&)>& make) {
    cases.push_back({std::move(name),
                     [file, make](const Place& place) {
                       fs::remove(place.path(file));
                       make(place.path(file));
                     },
                     code, file});
  };
  instead("missing", StatusCode::kNotFound, [](const std::string&) {});
  instead("folder", StatusCode::kInvalidArgument, [](const std::string& path) { fs::create_directory(path); });
  instead("pipe", StatusCode::kInvalidArgument, [](const std::string& path) { (void)::mkfifo(path.c_str(), 0600); });
  instead("device", StatusCode::kInvalidArgument,
          [](const std::string& path) { fs::create_symlink("/dev/zero", path); });
  instead("dangling link", StatusCode::kNotFound, [](const std::string& path) { fs::create_symlink("gone", path); });
  instead("link to itself", StatusCode::kIoError, [file](const std::string& path) { fs::create_symlink(file, path); });
  instead("sparse file above 1 GiB", StatusCode::kInvalidArgument, [](const std::string& path) {
    test::write_file(path, "x");
    fs::resize_file(path, (uintmax_t{1} << 30) + 1);
  });
}

}  // namespace

Format calibration_text_format() {
  constexpr const char* kFile = "text.txt";
  return {"calibration_text", kFile,
          [](const Place& place) {
            place_model(place);
            // Bytes that are no UTF-8, NUL, a byte order mark and CR LF are text like any other.
            const std::string nul(1, '\0');
            place.write(kFile, "\xef\xbb\xbf plenty of \xff\xfe\xed\xa0\x80 text\r\n" + nul + " and more words");
          },
          [](const std::string& folder) {
            return read(folder, {.text = folder + "/" + kFile, .token_ids = {}, .length = kLength, .max_rows = 4});
          },
          [] {
            const auto text = [](std::string name, std::string content, std::string mention) {
              return file_case(std::move(name), kFile, std::move(content), kBad, std::move(mention));
            };
            std::vector<Case> cases = {
                text("empty", "", "empty"),
                text("one letter", "a", "fill one row"),
                text("a token too few", "q w e r", "fill one row"),
                text("one NUL", std::string(1, '\0'), "fill one row"),
                text("one byte that is no UTF-8", "\xff", "fill one row"),
                text("only a byte order mark", "\xef\xbb\xbf", "fill one row"),
                text("only special tokens, too few", "<|endoftext|><|endoftext|>", "fill one row"),
            };
            add_things(cases, kFile);
            return cases;
          }};
}

Format calibration_ids_format() {
  constexpr const char* kFile = "ids.txt";
  return {"calibration_ids", kFile,
          [](const Place& place) {
            place_model(place);
            place.write(kFile, "0 1 2 3,4,5\n6\t7\r\n383 8 9");
          },
          [](const std::string& folder) {
            return read(folder, {.text = {}, .token_ids = folder + "/" + kFile, .length = kLength, .max_rows = 4});
          },
          [] {
            const auto ids = [](std::string name, std::string content, std::string mention) {
              return file_case(std::move(name), kFile, std::move(content), kBad, std::move(mention));
            };
            const std::string row = "1 2 3 4 5 6 7 8 ";
            std::vector<Case> cases = {
                ids("empty", "", "fill one row"),
                ids("only separators", " ,,\n\t\r ", "fill one row"),
                ids("an id too few", "1 2 3 4 5 6 7", "fill one row"),
                ids("negative", row + "-1", "position 8"),
                ids("vocabulary size", row + "384", "384"),
                ids("2^31-1", row + "2147483647", "2147483647"),
                ids("2^31", row + "2147483648", "byte 16"),
                ids("-2^31", row + "-2147483648", "position 8"),
                ids("2^64", row + "18446744073709551616", "byte 16"),
                ids("a thousand digits", row + std::string(1000, '9'), "byte 16"),
                ids("float", row + "1.5", "byte 17"),
                ids("exponent", row + "1e2", "byte 17"),
                ids("hexadecimal", row + "0x10", "byte 17"),
                ids("plus sign", row + "+1", "byte 16"),
                ids("two minus signs", row + "--1", "byte 16"),
                ids("words", row + "token", "byte 16"),
                ids("JSON", "[1, 2, 3, 4, 5, 6, 7, 8]", "byte 0"),
                ids("NUL", row + std::string(1, '\0'), "byte 16"),
                ids("byte order mark", "\xef\xbb\xbf" + row, "byte 0"),
                ids("semicolons", "1;2;3;4;5;6;7;8", "byte 1"),
                ids("UTF-16", std::string("1\0 \0002\0", 6), "byte 1"),
                ids("other digits", "\xd9\xa1 \xd9\xa2", "byte 0"),
            };
            add_things(cases, kFile);
            return cases;
          }};
}

}  // namespace scrooge::hostile
