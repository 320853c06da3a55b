// SPDX-License-Identifier: Apache-2.0
// What every backend checks at the head of every op, so that all of them refuse the same calls in the same words:
// shapes, element types, views inside their buffers, and outputs apart from inputs. Reads parameters only, never data.
// All failures are kInvalidArgument, "gemm: w has 5 columns, x has 6". Empty shapes are legal and mean no work.
#pragma once

#include <limits>

#include "src/backend/op_check.h"

namespace scrooge::backend {

// The same for transfers: `bytes` at `offset` inside the buffer.
inline Status check_range(std::string_view call, const Buffer& buffer, uint64_t offset, uint64_t bytes) {
  if (CheckedSize(offset).range_fits(bytes, buffer.size())) return {};
  return error(StatusCode::kInvalidArgument, call, ": ", bytes, " bytes at offset ", offset, " do not fit a buffer of ",
               buffer.size(), " bytes");
}

inline Status validate(const ConvertParams& p) {
  OpCheck check("convert");
  check.matrix_of_any_type("from", p.from).matrix_of_any_type("to", p.to).same_shape("to", p.to, "from", p.from);
  check.require(p.from.dtype != DType::kU8 && p.to.dtype != DType::kU8, "u8 is not a floating-point type");
  return check.apart("to", p.to, "from", p.from).take();
}

inline Status validate(const GemmParams& p) {
  OpCheck check("gemm");
  check.matrix("x", p.x).matrix("w", p.w).matrix("y", p.y).cols("w", p.w, "x", p.x.cols);
  check.rows("y", p.y, "x", p.x.rows)
      .require(p.y.cols == p.w.rows, "y has ", p.y.cols, " columns, w has ", p.w.rows, " rows");
  check.optional_vector("bias", p.bias, p.w.rows)
      .require(p.beta == 0 || p.beta == 1, "beta is ", p.beta, ", expected 0 or 1");
  return check.apart("y", p.y, "x", p.x).apart("y", p.y, "w", p.w).apart("y", p.y, "bias", p.bias).take();
}

inline Status validate(const GramAccumulateParams& p) {
  OpCheck check("gram_accumulate");
  check.matrix("a", p.a).matrix("b", p.b).matrix("gram", p.gram).rows("b", p.b, "a", p.a.rows);
  check.require(p.gram.rows == p.a.cols, "gram has ", p.gram.rows, " rows, a has ", p.a.cols, " columns");
  check.cols("gram", p.gram, "b", p.b.cols);
  check.require(!p.symmetric || check_internal::same_place(p.a, p.b), "symmetric needs a and b to be the same matrix");
  check.require(p.symmetric || !p.mirror, "mirror needs symmetric");
  return check.apart("gram", p.gram, "a", p.a).apart("gram", p.gram, "b", p.b).take();
}

inline Status validate(const ColumnStatsParams& p) {
  OpCheck check("column_stats");
  check.matrix("x", p.x).optional_vector("sum_abs", p.sum_abs, p.x.cols).optional_vector("sum", p.sum, p.x.cols);
  check.optional_vector("max_abs", p.max_abs, p.x.cols);
  // Overlap is symmetric, so x may stand on either side.
  check.apart("x", p.x, "sum_abs", p.sum_abs).apart("x", p.x, "sum", p.sum).apart("x", p.x, "max_abs", p.max_abs);
  return check.take();
}

inline Status validate(const NormalizeParams& p) {
  OpCheck check("normalize");
  check.matrix("x", p.x).matrix("y", p.y).same_shape("y", p.y, "x", p.x).vector("gamma", p.gamma, p.x.cols);
  check.require(p.epsilon >= 0, "epsilon is ", p.epsilon, ", expected 0 or more");
  return check.apart_or_same("y", p.y, "x", p.x).apart("y", p.y, "gamma", p.gamma).take();
}

inline Status validate(const RopeParams& p) {
  OpCheck check("rope");
  check.matrix("x", p.x).require(p.head_width > 0 && p.x.cols % p.head_width == 0, "x has ", p.x.cols,
                                 " columns, not a multiple of head_width ", p.head_width);
  check.require(p.sequence_length > 0, "sequence_length is ", p.sequence_length, ", expected 1 or more");
  check.vector("inv_freq", p.inv_freq, p.inv_freq.size);
  check.require(p.inv_freq.size <= p.head_width / 2, "inv_freq has ", p.inv_freq.size,
                " elements, more than half of head_width ", p.head_width);
  return check.apart("x", p.x, "inv_freq", p.inv_freq).take();
}

inline Status validate(const AttentionCausalParams& p) {
  OpCheck check("attention_causal");
  check.matrix("q", p.q).matrix("k", p.k).matrix("v", p.v).matrix("out", p.out);
  check.require(p.heads > 0 && p.kv_heads > 0 && p.heads % p.kv_heads == 0, "heads is ", p.heads,
                ", not a positive multiple of kv_heads ", p.kv_heads);
  check.require(p.head_width > 0, "head_width is ", p.head_width, ", expected 1 or more");
  const CheckedSize q_cols = CheckedSize(p.heads) * p.head_width;
  const CheckedSize kv_cols = CheckedSize(p.kv_heads) * p.head_width;
  check.require(q_cols.valid() && p.q.cols == static_cast<int64_t>(q_cols.value()), "q has ", p.q.cols,
                " columns, expected heads * head_width, ", q_cols.value_or(0));
  check.require(kv_cols.valid() && p.k.cols == static_cast<int64_t>(kv_cols.value()), "k has ", p.k.cols,
                " columns, expected kv_heads * head_width, ", kv_cols.value_or(0));
  check.rows("k", p.k, "q", p.q.rows).same_shape("v", p.v, "k", p.k).same_shape("out", p.out, "q", p.q);
  check.require(p.sequence_length > 0 && p.q.rows % p.sequence_length == 0, "q has ", p.q.rows,
                " rows, not a multiple of sequence_length ", p.sequence_length);
  return check.apart("out", p.out, "q", p.q).apart("out", p.out, "k", p.k).apart("out", p.out, "v", p.v).take();
}

inline Status validate(const GateParams& p) {
  OpCheck check("gate");
  check.matrix("a", p.a).matrix("b", p.b).matrix("y", p.y);
  check.same_shape("b", p.b, "a", p.a).same_shape("y", p.y, "a", p.a);
  return check.apart_or_same("y", p.y, "a", p.a).apart_or_same("y", p.y, "b", p.b).take();
}

inline Status validate(const AddParams& p) {
  OpCheck check("add");
  return check.matrix("x", p.x).matrix("y", p.y).same_shape("y", p.y, "x", p.x).apart("y", p.y, "x", p.x).take();
}

inline Status validate(const ScaleAxisParams& p) {
  OpCheck check("scale_axis");
  check.matrix("x", p.x).matrix("y", p.y).same_shape("y", p.y, "x", p.x);
  check.vector("s", p.s, p.axis == ScaleAxisParams::Axis::kColumns ? p.x.cols : p.x.rows);
  return check.apart_or_same("y", p.y, "x", p.x).apart("y", p.y, "s", p.s).take();
}

inline Status validate(const GroupParamsParams& p) {
  OpCheck check("group_params");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.apart("scales", p.scales, "w", p.w).apart("zeros", p.zeros, "w", p.w);
  return check.apart("zeros", p.zeros, "scales", p.scales).take();
}

inline Status validate(const ScaleSearchLossParams& p) {
  OpCheck check("scale_search_loss");
  check.spec(p.spec).matrix("w", p.w).matrix("gram", p.gram).matrix("candidates", p.candidates);
  check.cols("gram", p.gram, "w", p.w.cols).cols("candidates", p.candidates, "w", p.w.cols);
  check.square("gram", p.gram);
  check.require(static_cast<int64_t>(p.loss.size()) == p.candidates.rows, "loss has ", p.loss.size(),
                " elements, candidates has ", p.candidates.rows, " rows");
  return check.optional_vector("row_weight", p.row_weight, p.w.rows).take();
}

inline Status validate(const ClipSearchParams& p) {
  OpCheck check("clip_search");
  check.spec(p.spec).matrix("w", p.w).matrix("gram", p.gram).plane("scales", p.scales, p.w, p.spec);
  check.plane("zeros", p.zeros, p.w, p.spec).plane("error", p.error, p.w, p.spec).cols("gram", p.gram, "w", p.w.cols);
  check.square("gram", p.gram);
  check.require(!p.candidates.empty(), "candidates is empty");
  for (const auto& [name, out] :
       {std::pair<std::string_view, const Matrix&>{"scales", p.scales}, {"zeros", p.zeros}, {"error", p.error}}) {
    check.apart(name, out, "w", p.w).apart(name, out, "gram", p.gram);
  }
  check.apart("zeros", p.zeros, "scales", p.scales).apart("error", p.error, "scales", p.scales);
  return check.apart("error", p.error, "zeros", p.zeros).take();
}

inline Status validate(const QuantizeParams& p) {
  OpCheck check("quantize");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.matrix("codes", p.codes, DType::kU8).same_shape("codes", p.codes, "w", p.w).apart("codes", p.codes, "w", p.w);
  return check.apart("codes", p.codes, "scales", p.scales).apart("codes", p.codes, "zeros", p.zeros).take();
}

inline Status validate(const DequantizeParams& p) {
  OpCheck check("dequantize");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.matrix("codes", p.codes, DType::kU8).same_shape("codes", p.codes, "w", p.w).apart("w", p.w, "codes", p.codes);
  return check.apart("w", p.w, "scales", p.scales).apart("w", p.w, "zeros", p.zeros).take();
}

inline Status validate(const PackParams& p) {
  OpCheck check("pack");
  check.matrix("codes", p.codes, DType::kU8).matrix("packed", p.packed, DType::kU8);
  check.rows("packed", p.packed, "codes", p.codes.rows);
  check.require(p.bits >= 1 && p.bits <= 8, "bits is ", p.bits, ", expected 1 to 8");
  const CheckedSize bytes = (CheckedSize(p.codes.cols) * p.bits).ceil_div(8);
  check.require(bytes.valid() && p.packed.cols == static_cast<int64_t>(bytes.value()), "packed has ", p.packed.cols,
                " columns, expected ", bytes.value_or(0), " bytes per row");
  return check.apart("packed", p.packed, "codes", p.codes).take();
}

inline Status validate(const GramLossParams& p) {
  OpCheck check("gram_loss");
  check.matrix("a", p.a).matrix("b", p.b).matrix("gram", p.gram).same_shape("b", p.b, "a", p.a);
  check.cols("gram", p.gram, "a", p.a.cols);
  check.square("gram", p.gram);
  check.require(static_cast<int64_t>(p.loss.size()) == p.a.rows, "loss has ", p.loss.size(), " elements, a has ",
                p.a.rows, " rows");
  return check.take();
}

inline Status validate(const GramFactorParams& p) {
  OpCheck check("gram_factor");
  check.matrix("gram", p.gram).matrix("factor", p.factor).square("gram", p.gram);
  check.same_shape("factor", p.factor, "gram", p.gram);
  check.permutation("order", p.order, p.gram.cols).require(p.positive_definite != nullptr, "positive_definite is null");
  check.require(p.damping >= 0 && p.damping <= std::numeric_limits<double>::max(), "damping is ", p.damping,
                ", expected 0 or more");
  return check.apart_or_same("factor", p.factor, "gram", p.gram).take();
}

inline Status validate(const GramSolveParams& p) {
  OpCheck check("gram_solve");
  check.matrix("x", p.x).matrix("factor", p.factor).matrix("y", p.y).cols("factor", p.factor, "x", p.x.cols);
  check.square("factor", p.factor).same_shape("y", p.y, "x", p.x).permutation("order", p.order, p.x.cols);
  return check.apart_or_same("y", p.y, "x", p.x).apart("y", p.y, "factor", p.factor).take();
}

inline Status validate(const GptqParams& p) {
  OpCheck check("gptq");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.matrix("factor", p.factor).cols("factor", p.factor, "w", p.w.cols).square("factor", p.factor);
  check.matrix("codes", p.codes, DType::kU8).same_shape("codes", p.codes, "w", p.w);
  check.permutation("order", p.order, p.w.cols).apart("codes", p.codes, "w", p.w);
  check.apart("codes", p.codes, "scales", p.scales).apart("codes", p.codes, "zeros", p.zeros);
  return check.apart("codes", p.codes, "factor", p.factor).take();
}

inline Status validate(const RefitScalesParams& p) {
  OpCheck check("refit_scales");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.matrix("codes", p.codes, DType::kU8).same_shape("codes", p.codes, "w", p.w);
  check.matrix("gram", p.gram).cols("gram", p.gram, "w", p.w.cols);
  check.square("gram", p.gram);
  check.apart("scales", p.scales, "w", p.w).apart("scales", p.scales, "codes", p.codes);
  return check.apart("scales", p.scales, "zeros", p.zeros).apart("scales", p.scales, "gram", p.gram).take();
}

inline Status validate(const RefineCodesParams& p) {
  OpCheck check("refine_codes");
  check.spec(p.spec).matrix("w", p.w).plane("scales", p.scales, p.w, p.spec).plane("zeros", p.zeros, p.w, p.spec);
  check.matrix("codes", p.codes, DType::kU8).same_shape("codes", p.codes, "w", p.w);
  check.matrix("gram", p.gram).cols("gram", p.gram, "w", p.w.cols);
  check.square("gram", p.gram);
  check.require(p.sweeps >= 1, "sweeps is ", p.sweeps, ", expected 1 or more");
  check.apart("codes", p.codes, "w", p.w).apart("codes", p.codes, "scales", p.scales);
  return check.apart("codes", p.codes, "zeros", p.zeros).apart("codes", p.codes, "gram", p.gram).take();
}

inline Status validate(const ReduceParams& p) {
  OpCheck check("reduce");
  check.matrix("a", p.a).require(p.result != nullptr, "result is null");
  const bool two = p.kind == ReduceParams::Kind::kSumSquaredDiff || p.kind == ReduceParams::Kind::kDot;
  if (two) check.matrix("b", p.b).same_shape("b", p.b, "a", p.a);
  return check.take();
}

}  // namespace scrooge::backend
