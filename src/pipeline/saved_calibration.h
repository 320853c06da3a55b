// SPDX-License-Identifier: Apache-2.0
// Reads what calibration_file.h writes. The file is untrusted: whatever is used was checked, and planes are held
// against their checksums when they are read.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "src/awq/solve.h"
#include "src/container/model_reader.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

struct SavedBlock {
  struct Linear {
    std::vector<uint8_t> clip_index;  // [N,P]
    std::vector<float> clip_ratios;   // of the candidates; empty when no range was clipped
  };
  struct Stage {
    std::vector<float> scale;  // s[K], positive and finite
    std::vector<float> mean;   // of x [K], finite
    std::vector<Linear> linears;
  };
  std::vector<Stage> stages;  // in the order of the block plan, as their linears
};

// Movable; const members are safe from several threads.
class SavedCalibration {
 public:
  // kBadModelFile when it is no calibration file, or errors of ModelReader::open.
  static Result<SavedCalibration> open(const std::string& path);
  static Result<SavedCalibration> open(FileMap file);

  const std::string& path() const { return reader_.path(); }
  const container::ModelInfo& info() const { return reader_.metadata().info; }

  // kFingerprintMismatch naming what differs when it is of another scheme or, as far as names, sizes and shapes tell,
  // another checkpoint; kBadModelFile when it lacks something. Needed before block().
  Status check(const ModelSource& source, const QuantSpec& spec) const;
  // kFingerprintMismatch naming the first file of the checkpoint whose content differs. `sources` as of
  // digest_sources().
  Status check_sources(std::span<const container::Source> sources) const;
  // SHA-256 of the whole file. `tick` is called every megabyte; its error ends the work.
  Result<std::string> digest(const std::function<Status()>& tick) const;

  // kChecksumMismatch, or kBadModelFile naming the tensor with a value that cannot be. REQUIRES: check() of this
  // source.
  Result<SavedBlock> block(const ModelSource& source, int64_t block) const;

 private:
  explicit SavedCalibration(container::ModelReader reader) : reader_(std::move(reader)) {}
  template <typename... Parts>
  Status bad(const Parts&... parts) const {
    return error(StatusCode::kBadModelFile, path(), ": ", parts...);
  }
  Status check_scheme(const QuantSpec& spec) const;
  Status check_block(const container::BlockReport& report, const model::BlockPlan& plan, int64_t block) const;
  template <typename T>
  Status read(const std::string& name, std::vector<T>& values) const;
  Result<SavedBlock::Stage> stage(const ModelSource& source, const model::StagePlan& plan, int64_t block,
                                  std::span<const container::LinearReport> reports) const;

  container::ModelReader reader_;
};

}  // namespace scrooge::pipeline
