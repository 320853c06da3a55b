// SPDX-License-Identifier: Apache-2.0
// Inputs that another program cuts, writes or replaces while a job reads them: a named error at every moment, never a
// crash, never mixed bytes in an output.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "src/container/verify.h"
#include "src/pipeline/evaluate.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kNever = 100'000;

void write(const std::string& file, std::string_view content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

struct Damage {
  const char* name;
  std::function<void(const std::string&)> apply;
};

void shrink(const std::string& file) { ASSERT_EQ(::truncate(file.c_str(), 300), 0); }

// Zeros where weights were, and the times as they were: only the change time tells.
void regrow(const std::string& file) {
  struct stat before {};
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  shrink(file);
  ASSERT_EQ(::truncate(file.c_str(), before.st_size), 0);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

// By another file of the same content; what is open stays readable, but is no longer what the path names.
void replace(const std::string& file) {
  fs::copy(file, file + ".new");
  fs::rename(file + ".new", file);
}

const Damage kDamages[] = {
    {"shrunk", shrink},
    {"regrown", regrow},
    {"replaced", replace},
    {"removed", [](const std::string& file) { fs::remove(file); }},
};

class SourceChangeTest : public JobTest {
 protected:
  void SetUp() override { kept_ = path("kept.scrooge"); }

  // A fresh copy of a golden model; the file in it that is damaged.
  std::string copy(const std::string& model) {
    fs::remove_all(path("source"));
    fs::copy(golden(model), path("source"), fs::copy_options::recursive);
    return fs::is_directory(path("source")) ? path("source/model.safetensors") : path("source");
  }
  QuantizeOptions job() const {
    QuantizeOptions o = options("", "kept.scrooge");
    o.checkpoint = path("source");
    o.threads = 1;
    o.fresh = true;
    return o;
  }
  static Status run(QuantizeOptions o) {
    auto made = QuantizeJob::prepare(std::move(o));
    return made.ok() ? (*made)->convert() : made.status();
  }

  std::string kept_;
};

TEST_F(SourceChangeTest, QuantizingReportsEveryDamageAtEveryMoment) {
  write(kept_, "the old output");
  for (const char* model : {"tiny_llama", "tiny_llama.gguf"}) {
    for (const Damage& damage : kDamages) {
      int moment = 0;
      bool applied = true;
      for (; applied; moment += 13) {
        const std::string file = copy(model);
        int seen = 0;
        applied = false;
        QuantizeOptions o = job();
        o.progress = [&](const Progress&) {
          if (seen++ == moment) {
            damage.apply(file);
            applied = true;
          }
          return true;
        };
        const Status status = run(std::move(o));
        if (!applied) break;
        ASSERT_EQ(status.code(), StatusCode::kSourceChanged)
            << model << " " << damage.name << " at report " << moment << ": " << status.message();
        EXPECT_NE(status.message().find(file), std::string_view::npos) << status.message();
        ASSERT_EQ(bytes(kept_), "the old output");
      }
      EXPECT_GT(moment, 20) << model;
      // Undisturbed, the loop's last job published.
      EXPECT_TRUE(container::verify(kept_).ok());
      write(kept_, "the old output");
    }
  }
}

TEST_F(SourceChangeTest, FinishedBlocksStayForTheSourceAsItWas) {
  const std::string file = copy("tiny_llama");
  QuantizeOptions o = job();
  o.fresh = false;
  o.progress = [&](const Progress& p) {
    if (p.phase == Phase::kBlockDone && p.block == 0) {
      fs::copy(file, path("saved"));
      shrink(file);
    }
    return true;
  };
  EXPECT_EQ(run(o).code(), StatusCode::kSourceChanged);
  o.progress = {};
  // The damaged source is another job, or none; its work does not mix with the finished block's.
  EXPECT_FALSE(run(o).ok());
  fs::rename(path("saved"), file);
  const Status status = run(o);
  ASSERT_TRUE(status.ok()) << status.message();
  const std::string resumed = bytes(kept_);
  o.fresh = true;
  ASSERT_TRUE(run(o).ok());
  EXPECT_EQ(bytes(kept_), resumed);
}

TEST_F(SourceChangeTest, TextAndTokenizerAreReadOnceAndWhole) {
  copy("tiny_llama");
  const std::string text = path("text");
  fs::copy(golden("tiny_text.txt"), text);
  QuantizeOptions o = job();
  o.calibration_text = text;
  ASSERT_TRUE(run(o).ok());
  const std::string expected = bytes(kept_);
  // Later changes of what is in memory are none of the job's; what it says about its source is as it was read.
  o.progress = [&](const Progress& p) {
    if (p.phase == Phase::kBlockDone && p.block == 0) {
      write(text, "");
      fs::remove(path("source/tokenizer.json"));
    }
    return true;
  };
  ASSERT_TRUE(run(o).ok());
  EXPECT_EQ(bytes(kept_), expected);
  // Between prepare and convert the digest would be that of another file.
  copy("tiny_llama");
  o = job();
  auto made = QuantizeJob::prepare(o);
  ASSERT_TRUE(made.ok());
  shrink(path("source/tokenizer.json"));
  const Status status = (*made)->convert();
  EXPECT_EQ(status.code(), StatusCode::kSourceChanged) << status.message();
  EXPECT_NE(status.message().find("tokenizer.json"), std::string_view::npos);
  EXPECT_EQ(bytes(kept_), expected);
}

TEST_F(SourceChangeTest, EvaluatingReportsEveryDamageAtEveryMoment) {
  copy("tiny_llama");
  QuantizeOptions o = job();
  o.output = path("small.scrooge");
  o.method = Method::kRtn;
  ASSERT_TRUE(run(o).ok());
  for (const char* model : {"tiny_llama", "tiny_llama.gguf", "small.scrooge"}) {
    for (const Damage& damage : kDamages) {
      for (int moment = 0, seen = kNever; seen > moment; ++moment) {
        std::string file = path("source");
        if (std::string_view(model) == "small.scrooge") {
          fs::remove_all(file);
          fs::copy(o.output, file);
        } else {
          file = copy(model);
        }
        seen = 0;
        EvaluateOptions e;
        e.model = path("source");
        e.text = golden("tiny_text.txt");
        e.context = 64;
        e.max_windows = 8;
        e.threads = 1;
        e.progress = [&](const Progress&) {
          if (seen++ == moment) damage.apply(file);
          return true;
        };
        const auto result = evaluate(e);
        if (seen <= moment) {
          EXPECT_TRUE(result.ok()) << result.status().message();
          break;
        }
        ASSERT_EQ(result.status().code(), StatusCode::kSourceChanged)
            << model << " " << damage.name << " at report " << moment << ": " << result.status().message();
      }
    }
  }
}

// Cut before it is opened a file is damaged; cut while it is read it changed.
TEST_F(SourceChangeTest, VerifyReportsATruncation) {
  copy("tiny_llama");
  QuantizeOptions o = job();
  o.method = Method::kRtn;
  ASSERT_TRUE(run(o).ok());
  bool once = true;
  const auto result = container::verify(kept_, [&](uint64_t, uint64_t) {
    if (once) shrink(kept_);
    once = false;
    return true;
  });
  EXPECT_EQ(result.status().code(), StatusCode::kSourceChanged) << result.status().message();
}

}  // namespace
}  // namespace scrooge::pipeline
