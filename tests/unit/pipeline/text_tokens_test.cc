// SPDX-License-Identifier: Apache-2.0
// Rows of a text that is read in pieces are those of the text tokenized as a whole, inside the budget.
#include "src/pipeline/text_tokens.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "src/pipeline/text_pieces.h"
#include "tests/support/byte_writer.h"
#include "tests/support/cut_rows.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

using calibration::Sampling;

class TextTokensTest : public JobTest {
 protected:
  static std::unique_ptr<ModelSource> open(const std::string& model) {
    auto source = ModelSource::open(model, {});
    EXPECT_TRUE(source.ok()) << source.status().message();
    return source.ok() ? std::move(*source) : nullptr;
  }
  std::string write(const std::string& name, const std::string& text) const {
    test::write_file(path(name), text);
    return path(name);
  }
  // Some pieces long, with everything beside each other that could matter.
  static std::string hard_text(uint64_t bytes) {
    static const std::string kParts[] = {"Once upon",
                                         " a time",
                                         "\r\n",
                                         "\n\n\n",
                                         "  ",
                                         "   \n",
                                         ". ",
                                         "It's",
                                         " 42",
                                         "\t",
                                         "\xe5\xad\x97\xe3\x80\x82",
                                         "\n",
                                         "e\xcc\x81",
                                         "\xff",
                                         "\xc2\xa0",
                                         "lily",
                                         " Tim",
                                         "\xf0\x9f\x98\x80",
                                         "!\n",
                                         "\"\n"};
    std::string text;
    uint32_t state = 7;
    while (text.size() < bytes) {
      state = state * 1664525u + 1013904223u;
      text += kParts[(state >> 16) % std::size(kParts)];
    }
    return text;
  }
};

TEST_F(TextTokensTest, RowsAreThoseOfTheWholeText) {
  std::vector<std::string> models{golden("tiny_llama"), golden("tiny_qwen2"), golden("tiny_llama.gguf")};
  // Where `./dev quickstart` has fetched it.
  const std::string real = SCROOGE_SOURCE_DIR "/.cache/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (std::filesystem::exists(real)) models.push_back(real);
  for (const std::string& model : models) {
    const auto source = open(model);
    ASSERT_NE(source, nullptr);
    const auto tokenizer = source->tokenizer();
    ASSERT_TRUE(tokenizer.ok());
    ASSERT_TRUE((*tokenizer)->cuts().any()) << model;
    const std::string text = hard_text(5 * TextPieces::kPieceBytes / 2) + "no newline at the end";
    const std::string file = write("text", text);
    const std::vector<int32_t> ids = *(*tokenizer)->encode(text);
    for (const Sampling sampling : {Sampling::kFirst, Sampling::kEven, Sampling::kRandom}) {
      for (const int64_t rows : {0, 1, 200}) {
        calibration::RowOptions options;
        options.length = 64;
        options.max_rows = rows;
        options.sampling = sampling;
        options.seed = 5;
        options.vocabulary = source->config().vocabulary;
        if ((*tokenizer)->adds_bos()) options.bos = (*tokenizer)->bos();
        const auto whole = test::cut_rows(ids, options, "text");
        ASSERT_TRUE(whole.ok());
        TextOptions reading{file, {}, 64, rows, sampling, 5};
        const auto pieces = read_token_rows(*source, reading, MemoryBudget::kUnlimited);
        ASSERT_TRUE(pieces.ok()) << pieces.status().message();
        EXPECT_EQ(pieces->ids, whole->ids) << model;
        EXPECT_EQ(pieces->dropped, whole->dropped) << model;
      }
    }
  }
}

TEST_F(TextTokensTest, IdsComeInPiecesToo) {
  const auto source = open(golden("tiny_llama"));
  std::string text;
  std::vector<int32_t> ids;
  for (int i = 0; i < 200'000; ++i) {
    ids.push_back(i * 7 % 384);
    text += std::to_string(ids.back()) + (i % 5 == 0 ? ",\n" : " ");
  }
  for (const Sampling sampling : {Sampling::kFirst, Sampling::kRandom}) {
    calibration::RowOptions options;
    options.length = 100;
    options.max_rows = 50;
    options.sampling = sampling;
    options.vocabulary = 384;
    const auto whole = test::cut_rows(ids, options, "ids");
    const auto pieces = read_token_rows(*source, {{}, write("ids", text), 100, 50, sampling, 0}, 1);
    ASSERT_TRUE(pieces.ok()) << pieces.status().message();
    EXPECT_EQ(pieces->ids, whole->ids);
  }
  // A fault is told by its place in the file.
  const auto bad = read_token_rows(*source, {{}, write("bad", text + "x"), 100, 0}, MemoryBudget::kUnlimited);
  EXPECT_NE(bad.status().message().find(concat("byte ", text.size(), " ")), std::string_view::npos)
      << bad.status().message();
}

// Nothing behind the rows is read, so neither is what would be refused there.
TEST_F(TextTokensTest, FirstRowsEndTheReading) {
  const auto source = open(golden("tiny_llama"));
  const std::string ids = "1 2 3 4 5 6 7 8 " + std::string(TextPieces::kPieceBytes, ' ') + "not an id";
  const auto rows = read_token_rows(*source, {{}, write("ids", ids), 4, 2}, MemoryBudget::kUnlimited);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(rows->rows, 2);
  EXPECT_FALSE(read_token_rows(*source, {{}, path("ids"), 4, 3}, MemoryBudget::kUnlimited).ok());
}

// A text without any place to cut it is one piece, which has to fit.
TEST_F(TextTokensTest, ATextInOnePieceIsHeldAgainstTheBudget) {
  const auto source = open(golden("tiny_llama"));
  const std::string file = write("text", std::string(3 << 20, '-'));
  const auto refused = read_token_rows(*source, {file, {}, 64, 4}, 1);
  EXPECT_EQ(refused.status().code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(refused.status().message().find(file), std::string_view::npos) << refused.status().message();
  EXPECT_TRUE(read_token_rows(*source, {file, {}, 64, 4}, uint64_t{256} << 20).ok());
}

TEST_F(TextTokensTest, ReadingCanBeCancelled) {
  struct Stop : CancelToken {
    bool cancelled() const override { return true; }
    bool poll() override { return true; }
  } stop;
  const auto source = open(golden("tiny_llama"));
  const std::string file = write("text", hard_text(1000));
  EXPECT_EQ(read_token_rows(*source, {file, {}, 8, 0}, MemoryBudget::kUnlimited, &stop).status().code(),
            StatusCode::kCancelled);
}

}  // namespace
}  // namespace scrooge::pipeline
