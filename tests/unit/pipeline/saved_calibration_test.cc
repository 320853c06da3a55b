// SPDX-License-Identifier: Apache-2.0
// Calibration results that are saved, and jobs that start from them.
#include "src/pipeline/saved_calibration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "src/container/verify.h"
#include "src/pipeline/calibration_file.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class SavedCalibrationTest : public JobTest {
 protected:
  QuantizeOptions saving(const std::string& output, Effort effort = Effort::kFast,
                         const std::string& model = "tiny_llama") const {
    QuantizeOptions o = options(model, output);
    o.effort = effort;
    o.save_calibration = path(output + ".calib");
    return o;
  }
  // The job of `saving` again, from what it saved.
  QuantizeOptions again(const QuantizeOptions& saved, const std::string& output) const {
    QuantizeOptions o;
    o.checkpoint = saved.checkpoint;
    o.spec = saved.spec;
    o.threads = saved.threads;
    o.output = path(output);
    o.from_calibration = saved.save_calibration;
    return o;
  }
  static Status run(QuantizeOptions o, std::string* report = nullptr) {
    auto job = QuantizeJob::prepare(std::move(o));
    if (!job.ok()) return job.status();
    const Status status = (*job)->convert();
    if (report != nullptr) *report = (*job)->report_json();
    return status;
  }
  static Status run_blocks(QuantizeOptions o, uint32_t blocks) {
    o.progress = [blocks](const Progress& p) { return p.phase != Phase::kBlockDone || p.block + 1 < blocks; };
    return run(std::move(o));
  }
  static void expect_ok(const Status& status) { EXPECT_TRUE(status.ok()) << status.message(); }
  static bool exists(const std::string& file) { return std::filesystem::exists(file); }
};

std::string_view attribute(const container::ModelInfo& info, std::string_view key) {
  for (const container::Attribute& one : info.attributes) {
    if (one.key == key) return one.value;
  }
  return {};
}

// Every tensor, byte for byte.
void expect_same_tensors(const std::string& a, const std::string& b) {
  const auto first = container::ModelReader::open(a);
  const auto second = container::ModelReader::open(b);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ(first->tensors().size(), second->tensors().size());
  for (const container::TensorRecord& tensor : first->tensors()) {
    const container::TensorRecord* const other = second->find(tensor.description.name);
    ASSERT_NE(other, nullptr) << tensor.description.name;
    EXPECT_TRUE(tensor.description == other->description) << tensor.description.name;
    for (size_t i = 0; i < tensor.planes.size(); ++i) {
      EXPECT_EQ(tensor.planes[i].xxh64, other->planes[i].xxh64)
          << tensor.description.name << " " << container::plane_kind_name(tensor.planes[i].kind);
    }
  }
}

TEST_F(SavedCalibrationTest, NearestRoundingFromAFastCalibrationGivesTheSameTensors) {
  for (const char* model : {"tiny_llama", "tiny_qwen2"}) {
    for (const bool symmetric : {false, true}) {
      QuantizeOptions first = saving("first.scrooge", Effort::kFast, model);
      first.spec.symmetric = symmetric;
      first.spec.bits = symmetric ? 4 : 3;
      first.spec.scale_dtype = symmetric ? DType::kBF16 : DType::kF16;
      expect_ok(run(first));
      expect_ok(run(again(first, "second.scrooge")));
      expect_same_tensors(first.output, path("second.scrooge"));
    }
  }
}

TEST_F(SavedCalibrationTest, SavingChangesNoByteOfTheOutput) {
  for (const Effort effort : {Effort::kFast, Effort::kDefault}) {
    QuantizeOptions o = saving("saved.scrooge", effort);
    expect_ok(run(o));
    o.save_calibration.clear();
    o.output = path("plain.scrooge");
    expect_ok(run(o));
    EXPECT_EQ(bytes(path("saved.scrooge")), bytes(path("plain.scrooge")));
  }
}

TEST_F(SavedCalibrationTest, TheFileIsOneThatVerifiesAndSaysWhatItIs) {
  const QuantizeOptions o = saving("first.scrooge", Effort::kDefault);
  expect_ok(run(o));
  EXPECT_TRUE(container::verify(o.save_calibration).ok());
  const auto saved = SavedCalibration::open(o.save_calibration);
  ASSERT_TRUE(saved.ok()) << saved.status().message();
  const container::ModelInfo& info = saved->info();
  EXPECT_EQ(info.tag, "calibration_w4_g32");
  EXPECT_EQ(info.blocks.size(), 2u);
  EXPECT_GT(info.blocks[0].tokens, 0u);
  EXPECT_GT(info.blocks[0].linears[0].loss_rtn, info.blocks[0].linears[0].loss);
  EXPECT_EQ(attribute(info, "calibration_tokens_sha256").size(), 64u);
  const auto source = ModelSource::open(o.checkpoint, {});
  ASSERT_TRUE(saved->check(**source, o.spec).ok());
  const auto block = saved->block(**source, 1);
  ASSERT_TRUE(block.ok()) << block.status().message();
  EXPECT_EQ(block->stages.size(), 4u);
  // No file stays half done.
  EXPECT_FALSE(exists(o.save_calibration + ".partial"));
  // Not a model.
  const auto opened = ModelSource::open(o.save_calibration, {});
  EXPECT_EQ(opened.status().code(), StatusCode::kBadModelFile);
  EXPECT_NE(opened.status().message().find("--from-calibration"), std::string_view::npos);
}

TEST_F(SavedCalibrationTest, TheOutputSaysWhereItsCalibrationComesFrom) {
  QuantizeOptions first = saving("first.scrooge");
  first.seed = 3;
  first.sampling = calibration::Sampling::kRandom;
  expect_ok(run(first));
  QuantizeOptions second = again(first, "second.scrooge");
  second.rounding = "heuristic";
  std::string report;
  expect_ok(run(second, &report));
  const auto before = container::ModelReader::open(first.output);
  const auto after = container::ModelReader::open(second.output);
  const container::ModelInfo& was = before->metadata().info;
  const container::ModelInfo& is = after->metadata().info;
  EXPECT_EQ(is.method, "awq");
  EXPECT_EQ(is.seed, 3u);
  EXPECT_EQ(is.tokens.used, was.tokens.used);
  EXPECT_EQ(is.blocks[1].scale_sets, was.blocks[1].scale_sets);
  EXPECT_EQ(attribute(is, "sampling"), "random");
  EXPECT_EQ(attribute(is, "rounding"), "heuristic");
  EXPECT_EQ(attribute(is, "from_calibration").size(), 64u);
  EXPECT_NE(report.find("\"held_out_tokens\":0"), std::string::npos) << report;
}

TEST_F(SavedCalibrationTest, NoClipIsStillAChoice) {
  // With original activations the scales are the same, clipped or not.
  QuantizeOptions clipped = saving("clipped.scrooge");
  clipped.propagate = Propagate::kNone;
  expect_ok(run(clipped));
  QuantizeOptions full = saving("full.scrooge");
  full.propagate = Propagate::kNone;
  full.clip = false;
  expect_ok(run(full));
  QuantizeOptions from_clipped = again(clipped, "from_clipped.scrooge");
  from_clipped.clip = false;
  expect_ok(run(from_clipped));
  expect_same_tensors(full.output, from_clipped.output);
  const auto reader = container::ModelReader::open(from_clipped.output);
  EXPECT_EQ(attribute(reader->metadata().info, "clip"), "false");
  // Nothing was clipped when it was saved: nothing can be now.
  const QuantizeOptions from_full = again(full, "from_full.scrooge");
  expect_ok(run(from_full));
  expect_same_tensors(full.output, from_full.output);
  const auto unclipped = container::ModelReader::open(from_full.output);
  EXPECT_EQ(attribute(unclipped->metadata().info, "clip"), "false");
}

TEST_F(SavedCalibrationTest, TheMemoryPlanHasNoForwardPass) {
  const QuantizeOptions first = saving("first.scrooge");
  expect_ok(run(first));
  const auto calibrated = QuantizeJob::prepare(first);
  const auto reapplied = QuantizeJob::prepare(again(first, "second.scrooge"));
  ASSERT_TRUE(calibrated.ok() && reapplied.ok()) << reapplied.status().message();
  EXPECT_LT((*reapplied)->plan().memory.minimum_bytes, (*calibrated)->plan().memory.minimum_bytes);
  for (const PlanItem& item : (*reapplied)->plan().memory.items) {
    EXPECT_EQ(item.purpose.find("hidden"), std::string::npos);
    EXPECT_EQ(item.purpose.find("statistics"), std::string::npos);
  }
  EXPECT_EQ((*reapplied)->plan().tokens, 0u);
  QuantizeOptions tight = again(first, "second.scrooge");
  tight.memory = (*reapplied)->plan().memory.minimum_bytes;
  expect_ok(run(tight));
  expect_same_tensors(first.output, tight.output);
}

TEST_F(SavedCalibrationTest, InterruptedJobsGoOnWithBothFiles) {
  for (const Effort effort : {Effort::kFast, Effort::kDefault}) {
    QuantizeOptions o = saving("whole.scrooge", effort);
    expect_ok(run(o));
    QuantizeOptions resumed = saving("resumed.scrooge", effort);
    ASSERT_EQ(run_blocks(resumed, 1).code(), StatusCode::kCancelled);
    EXPECT_TRUE(exists(resumed.save_calibration + ".partial"));
    EXPECT_TRUE(exists(resumed.output + ".partial"));
    std::string report;
    expect_ok(run(resumed, &report));
    EXPECT_NE(report.find("\"resumed_blocks\":1"), std::string::npos);
    EXPECT_EQ(bytes(resumed.output), bytes(o.output));
    EXPECT_EQ(bytes(resumed.save_calibration), bytes(o.save_calibration));
    EXPECT_FALSE(exists(resumed.save_calibration + ".partial"));
  }
}

TEST_F(SavedCalibrationTest, AJobFromSavedResultsGoesOnToo) {
  const QuantizeOptions first = saving("first.scrooge");
  expect_ok(run(first));
  const QuantizeOptions second = again(first, "second.scrooge");
  ASSERT_EQ(run_blocks(second, 1).code(), StatusCode::kCancelled);
  std::string report;
  expect_ok(run(second, &report));
  EXPECT_NE(report.find("\"resumed_blocks\":1"), std::string::npos);
  expect_same_tensors(first.output, second.output);
  // Other results are another job.
  ASSERT_EQ(run_blocks(second, 1).code(), StatusCode::kCancelled);
  QuantizeOptions other = saving("other.scrooge");
  other.samples = 8;
  expect_ok(run(other));
  QuantizeOptions mixed = second;
  mixed.from_calibration = other.save_calibration;
  const Status refused = run(mixed);
  EXPECT_EQ(refused.code(), StatusCode::kFingerprintMismatch);
  EXPECT_NE(refused.message().find("from_calibration: was "), std::string_view::npos) << refused.message();
}

TEST_F(SavedCalibrationTest, DamagedResultsOfFinishedBlocksAreMadeAgain) {
  const QuantizeOptions whole = saving("whole.scrooge");
  expect_ok(run(whole));
  const QuantizeOptions o = saving("resumed.scrooge");
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  const std::string partial = o.save_calibration + ".partial";
  std::string content = bytes(partial);
  content[content.find_last_not_of('\0')] ^= 1;
  std::ofstream(partial, std::ios::binary | std::ios::trunc) << content;
  std::string report;
  expect_ok(run(o, &report));
  EXPECT_NE(report.find("\"resumed_blocks\":0"), std::string::npos);
  EXPECT_EQ(bytes(o.output), bytes(whole.output));
  EXPECT_EQ(bytes(o.save_calibration), bytes(whole.save_calibration));
}

TEST_F(SavedCalibrationTest, MissingResultsOfFinishedBlocksAreRefusedAndNothingIsLost) {
  const QuantizeOptions o = saving("resumed.scrooge");
  ASSERT_EQ(run_blocks(o, 1).code(), StatusCode::kCancelled);
  QuantizeOptions mistyped = o;
  mistyped.save_calibration = path("mistyped.calib");
  const Status refused = run(mistyped);
  EXPECT_EQ(refused.code(), StatusCode::kNotFound);
  for (const char* word : {"mistyped.calib.partial", "1 finished blocks", "--fresh"}) {
    EXPECT_NE(refused.message().find(word), std::string_view::npos) << refused.message();
  }
  QuantizeOptions without = o;
  without.save_calibration.clear();
  EXPECT_EQ(run(without).code(), StatusCode::kFingerprintMismatch);
  std::string report;
  expect_ok(run(o, &report));
  EXPECT_NE(report.find("\"resumed_blocks\":1"), std::string::npos);
  mistyped.fresh = true;
  expect_ok(run(mistyped));
  EXPECT_EQ(bytes(mistyped.save_calibration), bytes(o.save_calibration));
}

TEST_F(SavedCalibrationTest, TwoJobsDoNotSaveUnderOneName) {
  QuantizeOptions first = saving("first.scrooge");
  QuantizeOptions second = saving("second.scrooge");
  second.save_calibration = first.save_calibration;
  const QuantizeOptions undisturbed = saving("third.scrooge");
  expect_ok(run(undisturbed));
  Status refused;
  first.progress = [&](const Progress& p) {
    if (p.phase == Phase::kBlockDone && p.block == 0) refused = run(second);
    return true;
  };
  expect_ok(run(first));
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("first.scrooge.calib"), std::string_view::npos) << refused.message();
  EXPECT_EQ(bytes(first.save_calibration), bytes(undisturbed.save_calibration));
  expect_ok(run(second));
}

TEST_F(SavedCalibrationTest, WhatNeedsTheGramMatrixIsRefusedByName) {
  const QuantizeOptions first = saving("first.scrooge");
  expect_ok(run(first));
  const auto refused = [&](std::string_view option, const std::function<void(QuantizeOptions&)>& change) {
    QuantizeOptions o = again(first, "second.scrooge");
    change(o);
    const Status status = run(o);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << option << ": " << status.message();
    EXPECT_EQ(status.message().find(option), 0u) << status.message();
    return std::string(status.message());
  };
  EXPECT_NE(refused("rounding", [](auto& o) { o.rounding = "gptq"; }).find("Gram matrix"), std::string::npos);
  EXPECT_NE(refused("correct", [](auto& o) { o.correct = 0.5; }).find("Gram matrix"), std::string::npos);
  EXPECT_NE(refused("refine", [](auto& o) { o.refine = 1; }).find("Gram matrix"), std::string::npos);
  EXPECT_NE(refused("refit", [](auto& o) { o.refit = 1; }).find("Gram matrix"), std::string::npos);
  refused("method", [](auto& o) { o.method = Method::kRtn; });
  refused("from-calibration", [&](auto& o) { o.calibration_text = first.calibration_text; });
  refused("from-calibration", [&](auto& o) { o.calibration_ids = first.calibration_text; });
  refused("save-calibration", [&](auto& o) { o.save_calibration = path("x.calib"); });
}

TEST_F(SavedCalibrationTest, OtherSchemesAndCheckpointsAreRefusedByName) {
  const QuantizeOptions first = saving("first.scrooge");
  expect_ok(run(first));
  const auto refused = [&](const std::vector<const char*>& words, const std::function<void(QuantizeOptions&)>& change) {
    QuantizeOptions o = again(first, "second.scrooge");
    change(o);
    const Status status = run(o);
    EXPECT_EQ(status.code(), StatusCode::kFingerprintMismatch) << status.message();
    for (const char* word : words) EXPECT_NE(status.message().find(word), std::string_view::npos) << status.message();
  };
  refused({"bits: 3 here, 4 in", "first.scrooge.calib"}, [](auto& o) { o.spec.bits = 3; });
  refused({"group: 64 here, 32 in"}, [](auto& o) { o.spec.group = 64; });
  refused({"symmetry: symmetric here, asymmetric in"}, [](auto& o) { o.spec.symmetric = true; });
  refused({"scale type: bf16 here, f16 in"}, [](auto& o) { o.spec.scale_dtype = DType::kBF16; });
  refused({"another checkpoint", "architecture"}, [](auto& o) { o.checkpoint = golden("tiny_qwen2"); });
  // The same shapes, other weights.
  std::filesystem::copy(golden("tiny_llama"), path("copy"));
  refused({"another checkpoint", "model.safetensors", "SHA-256"}, [&](auto& o) {
    std::string weights = bytes(path("copy/model.safetensors"));
    weights[weights.size() - 1] = static_cast<char>(weights[weights.size() - 1] ^ 1);
    std::ofstream(path("copy/model.safetensors"), std::ios::binary | std::ios::trunc) << weights;
    o.checkpoint = path("copy");
  });
}

TEST_F(SavedCalibrationTest, FilesThatCannotBeAreRefused) {
  const QuantizeOptions first = saving("first.scrooge");
  QuantizeOptions same = first;
  same.save_calibration = same.output;
  EXPECT_EQ(run(same).code(), StatusCode::kInvalidArgument);
  same.save_calibration = path("text");
  std::filesystem::copy(first.calibration_text, same.save_calibration);
  same.calibration_text = same.save_calibration;
  EXPECT_EQ(run(same).code(), StatusCode::kInputIsOutput);
  QuantizeOptions rtn = first;
  rtn.method = Method::kRtn;
  EXPECT_EQ(run(rtn).code(), StatusCode::kInvalidArgument);
  QuantizeOptions nowhere = first;
  nowhere.save_calibration = path("no/such/folder/x.calib");
  EXPECT_EQ(run(nowhere).code(), StatusCode::kNotFound);
  expect_ok(run(first));
  QuantizeOptions model = again(first, "second.scrooge");
  model.from_calibration = first.output;
  const Status status = run(model);
  EXPECT_EQ(status.code(), StatusCode::kBadModelFile);
  EXPECT_NE(status.message().find("not the results of a calibration"), std::string_view::npos);
  QuantizeOptions over = again(first, "second.scrooge");
  over.output = over.from_calibration;
  EXPECT_EQ(run(over).code(), StatusCode::kInputIsOutput);
  over.output = path("second.scrooge");
  over.from_calibration = path("missing.calib");
  EXPECT_EQ(run(over).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace scrooge::pipeline
