// SPDX-License-Identifier: Apache-2.0
// The Gram matrix of a stage and the factor of its inverse, with a ladder of damping. Where there is one room for both
// they take turns in it, and each waits in a file while the other is worked with.
#pragma once

#include <span>
#include <vector>

#include "src/backend/device.h"
#include "src/calibration/spilled_matrix.h"

namespace scrooge::awq {

// One thread at a time; the device must outlive it, as must whatever it is given.
class GramFactor {
 public:
  struct Files {
    calibration::SpilledMatrix gram;
    calibration::SpilledMatrix factor;  // only for keep_factor()
  };

  explicit GramFactor(backend::Device& device) : device_(&device) {}

  // A new stage: `gram` as it was collected, and where factors go, [K,K] both. `factor` may be `gram`, which takes
  // `files`, null otherwise. `vector` [K]: used during calls, free between them. `in_file`: the Gram matrix is in its
  // file and not in its room.
  Status begin(const backend::Matrix& gram, const backend::Matrix& factor, const backend::Vector& vector, Files* files,
               bool in_file = false);

  // Each brings what it is called for into its room.
  Status need_gram();
  Status need_factor();  // REQUIRES: ready(); and, where the Gram matrix was needed in between, keep_factor() before

  // The Gram matrix becomes diag(s) G diag(s) for s in device memory, which must stay as it is until the next
  // scale_gram() or unscale_gram(): the file keeps G as it is.
  Status scale_gram(const backend::Vector& s);
  // In place once more, by the inverse of what it was scaled by. REQUIRES: need_gram().
  Status unscale_gram(const backend::Vector& inverse);

  // Factors the Gram matrix with channels in the order of falling `salience` [K] (its diagonal, up to a factor), the
  // lower channel first among equals. Damping of 1 % of the mean diagonal, then 10 %; not ready() when neither is
  // enough.
  Status compute(std::span<const float> salience);
  void forget() { ready_ = false; }
  bool ready() const { return ready_; }
  double damping() const { return damping_; }
  std::span<const int32_t> order() const { return order_; }
  const backend::Matrix& matrix() const { return factor_; }  // op_params.h, GramFactorParams
  // So that need_factor() has it again after need_gram(). REQUIRES: it is in its room, unscaled.
  Status keep_factor();
  // Makes the lower triangle that of the factor of diag(1/s) G diag(1/s), with the damping and order of G; the upper
  // one stays behind. May be called again and again.
  Status scale_factor(std::vector<float> s);

 private:
  bool shares() const { return files_ != nullptr; }
  Status scale_rows(const std::vector<float>& s);
  Status scale_matrix(const backend::Vector& s);

  enum class Content { kGram, kFactor, kNothing };

  backend::Device* device_;
  backend::Matrix gram_;
  backend::Matrix factor_;
  backend::Vector vector_;
  Files* files_ = nullptr;
  Content content_ = Content::kGram;               // of a room that both share
  backend::Vector gram_scale_;                     // by which the Gram matrix is scaled; absent: not at all
  std::vector<std::vector<float>> factor_scales_;  // by which the factor is, one after the other
  std::vector<int32_t> order_;
  double damping_ = 0;
  bool ready_ = false;
};

}  // namespace scrooge::awq
