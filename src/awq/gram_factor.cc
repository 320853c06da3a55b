// SPDX-License-Identifier: Apache-2.0
#include "src/awq/gram_factor.h"

#include <algorithm>
#include <numeric>

namespace scrooge::awq {

using backend::Matrix;
using backend::ScaleAxisParams;
using backend::Vector;

Status GramFactor::begin(const Matrix& gram, const Matrix& factor, const Vector& vector, Files* files, bool in_file) {
  gram_ = gram;
  factor_ = factor;
  vector_ = vector;
  files_ = files;
  content_ = in_file ? Content::kNothing : Content::kGram;
  gram_scale_ = {};
  ready_ = false;
  return shares() && !in_file ? files_->gram.write(gram_, 0) : Status();
}

Status GramFactor::need_gram() {
  if (!shares() || content_ == Content::kGram) return {};
  content_ = Content::kNothing;
  SCROOGE_RETURN_IF_ERROR(files_->gram.read(gram_, 0));
  if (gram_scale_) SCROOGE_RETURN_IF_ERROR(scale_matrix(gram_scale_));
  content_ = Content::kGram;
  return {};
}

Status GramFactor::need_factor() {
  if (!shares() || content_ == Content::kFactor) return {};
  content_ = Content::kNothing;
  SCROOGE_RETURN_IF_ERROR(files_->factor.read(factor_, 0));
  for (const std::vector<float>& s : factor_scales_) SCROOGE_RETURN_IF_ERROR(scale_rows(s));
  content_ = Content::kFactor;
  return {};
}

Status GramFactor::scale_matrix(const Vector& s) {
  SCROOGE_RETURN_IF_ERROR(device_->scale_axis({gram_, gram_, s, ScaleAxisParams::Axis::kColumns}));
  return device_->scale_axis({gram_, gram_, s, ScaleAxisParams::Axis::kRows});
}

Status GramFactor::scale_gram(const Vector& s) {
  SCROOGE_RETURN_IF_ERROR(need_gram());
  gram_scale_ = s;
  return scale_matrix(s);
}

// Not the file's matrix again: every element was rounded twice, and whether there is a file must not show.
Status GramFactor::unscale_gram(const Vector& inverse) {
  SCROOGE_RETURN_IF_ERROR(scale_matrix(inverse));
  gram_scale_ = {};
  return shares() ? files_->gram.write(gram_, 0) : Status();
}

Status GramFactor::compute(std::span<const float> salience) {
  order_.resize(salience.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
    return salience[static_cast<size_t>(a)] > salience[static_cast<size_t>(b)];
  });
  factor_scales_.clear();
  ready_ = false;
  for (const double damping : {0.01, 0.1}) {
    SCROOGE_RETURN_IF_ERROR(need_gram());
    content_ = Content::kNothing;
    bool definite = false;
    SCROOGE_RETURN_IF_ERROR(device_->gram_factor({gram_, factor_, order_, damping, &definite}));
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    if (!definite) continue;
    content_ = Content::kFactor;
    damping_ = damping;
    ready_ = true;
    return {};
  }
  return {};
}

Status GramFactor::keep_factor() { return shares() ? files_->factor.write(factor_, 0) : Status(); }

// With U^T U = G^-1, (U diag(s))^T (U diag(s)) = (diag(1/s) G diag(1/s))^-1; what is below the diagonal is U^T.
Status GramFactor::scale_factor(std::vector<float> s) {
  SCROOGE_RETURN_IF_ERROR(need_factor());
  SCROOGE_RETURN_IF_ERROR(scale_rows(s));
  factor_scales_.push_back(std::move(s));
  return {};
}

Status GramFactor::scale_rows(const std::vector<float>& s) {
  std::vector<float> in_steps;
  in_steps.reserve(s.size());
  for (const int32_t channel : order_) in_steps.push_back(s[static_cast<size_t>(channel)]);
  SCROOGE_RETURN_IF_ERROR(device_->upload(*vector_.buffer, vector_.offset, std::as_bytes(std::span(in_steps))));
  return device_->scale_axis({factor_, factor_, vector_, ScaleAxisParams::Axis::kRows});
}

}  // namespace scrooge::awq
