// SPDX-License-Identifier: Apache-2.0
// Parameters of the ops, one struct per op, all with the op's name. Shape letters: T tokens, K inputs, N outputs,
// g group size, P = ceil(K/g) groups per row, C scale candidates, R clip candidates, S tokens per sequence,
// H / Hkv query / key-value heads, d head width, F feed-forward width.
// Outputs are given by the caller; no op allocates a result. Inputs and outputs do not overlap unless said.
// All matrices are row-major f32 unless a struct says otherwise.
#pragma once

#include <cstdint>
#include <span>

#include "src/base/status.h"
#include "src/tensor/dtype.h"
#include "src/tensor/quant_spec.h"

namespace scrooge::backend {

class Buffer;

// A row-major matrix inside a buffer; element (r, c) at byte offset + (r * stride + c) * dtype_size.
struct Matrix {
  Buffer* buffer = nullptr;
  uint64_t offset = 0;  // bytes, a multiple of the element size
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // elements from row to row, >= cols
  DType dtype = DType::kF32;

  Matrix row_range(int64_t begin, int64_t count) const {
    Matrix part = *this;
    part.offset += static_cast<uint64_t>(begin * stride * dtype_size(dtype));
    part.rows = count;
    return part;
  }
  Matrix col_range(int64_t begin, int64_t count) const {
    Matrix part = *this;
    part.offset += static_cast<uint64_t>(begin * dtype_size(dtype));
    part.cols = count;
    return part;
  }
};

// A contiguous vector inside a buffer. A null buffer means "absent" where the struct says optional.
struct Vector {
  Buffer* buffer = nullptr;
  uint64_t offset = 0;
  int64_t size = 0;
  DType dtype = DType::kF32;
  explicit operator bool() const { return buffer != nullptr; }
};

// kExact: f32 products, f32 accumulation or better. kFast: a backend may round both inputs to bf16 (8 bits of mantissa)
// where its hardware multiplies that much faster; accumulation stays f32 or better.
enum class Precision : int32_t { kExact = 0, kFast = 1 };

// to = from, other dtype (f32, f16, bf16 in any pair), same shape.
struct ConvertParams {
  Matrix from, to;
};

// y[T,N] = x[T,K] w[N,K]^T + bias[N] + beta * y. bias optional; beta is 0 or 1, and with 0 y need not be initialized.
struct GemmParams {
  Matrix x, w, y;
  Vector bias;
  float beta = 0;
  Precision precision = Precision::kExact;
};

// gram[M,K] += a[T,M]^T b[T,K]. With symmetric set, a and b are the same matrix and only the upper triangle (column >=
// row) of the square gram is computed; with mirror set the lower triangle is afterwards copied from it.
struct GramAccumulateParams {
  Matrix a, b, gram;
  bool symmetric = true;
  bool mirror = false;
  Precision precision = Precision::kExact;
};

// Adds over the rows of x[T,K]: sum_abs[K] += sum |x|, sum[K] += sum x; max_abs[K] = max(max_abs, |x|). Each optional.
struct ColumnStatsParams {
  Matrix x;
  Vector sum_abs, sum, max_abs;
};

// y = x / sqrt(mean(x^2) + epsilon) * gamma, per row (RMSNorm). y may be x. The mean is taken in f64 or by a sum of
// that quality.
struct NormalizeParams {
  Matrix x, y;
  Vector gamma;
  float epsilon = 0;
};

// Rotary embedding, half-split form, in place on x[T, heads * d]: with rotation width r = 2 * inv_freq.size <= d and
// angle = position * inv_freq[i], (x[i], x[i + r/2]) is rotated, 0 <= i < r/2. Row t has position t % sequence_length.
// Both results are multiplied by `magnitude`.
struct RopeParams {
  Matrix x;
  int64_t head_width = 0;
  int64_t sequence_length = 0;
  Vector inv_freq;
  float magnitude = 1;
};

// out[B*S, H*d] = softmax(scale * Q K^T, causal) V for each of the B sequences of S rows and each query head; query
// head h reads key-value head h / (H / Hkv).
struct AttentionCausalParams {
  Matrix q, k, v, out;  // [B*S, H*d], [B*S, Hkv*d], [B*S, Hkv*d], [B*S, H*d]
  int64_t sequence_length = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_width = 0;
  float scale = 0;
  Precision precision = Precision::kExact;
};

enum class Activation : int32_t { kSilu = 0, kGeluTanh = 1, kGeluErf = 2, kRelu = 3 };

// y[T,F] = f(a[T,F]) * b[T,F]. y may be a or b.
struct GateParams {
  Matrix a, b, y;
  Activation activation = Activation::kSilu;
};

// y += alpha * x.
struct AddParams {
  Matrix x, y;
  float alpha = 1;
};

// y[r,c] = x[r,c] * s[c] (axis kColumns) or * s[r] (kRows). y may be x.
struct ScaleAxisParams {
  enum class Axis : int32_t { kColumns = 0, kRows = 1 };
  Matrix x, y;
  Vector s;
  Axis axis = Axis::kColumns;
};

// A candidate range of a group is (high_ratio * max, low_ratio * min) of its weights (kEnds), or both ends clamped to
// +-(high_ratio * absmax) (kAbsMax, as AutoAWQ; low_ratio is not read).
struct ClipCandidate {
  float low_ratio = 1;
  float high_ratio = 1;
};
enum class ClipRule : int32_t { kEnds = 0, kAbsMax = 1 };

// scales[N,P] and zeros[N,P] (f32, zeros integer-valued) of w[N,K] by quantize_math.h, with the ranges scaled by one
// candidate for all groups. `clip` {1,1} is round-to-nearest's.
struct GroupParamsParams {
  Matrix w, scales, zeros;
  QuantSpec spec;
  ClipCandidate clip;
  ClipRule rule = ClipRule::kEnds;
};

// loss[C] of W[N,K] under G[K,K] (symmetric, both triangles set): for candidate c,
// D = Q(W diag s_c) diag(1/s_c) - W with round-to-nearest ranges, loss = trace(D G D^T) = sum over tokens |x D^T|^2.
// Sums over rows in f64. `row_weight`[N] optional multiplies each row's part. The loss is written to host memory.
struct ScaleSearchLossParams {
  Matrix w, gram, candidates;  // candidates [C,K]
  QuantSpec spec;
  Vector row_weight;
  std::span<double> loss;
  Precision precision = Precision::kExact;
};

// For each row and group of w[N,K]: err_r = e G_p e^T with e = Q_r(w) - w and G_p the g-by-g diagonal block of
// gram[K,K] for that group; the first candidate with the least error wins (strict <). Writes the winner's scales[N,P],
// zeros[N,P] and error[N,P].
struct ClipSearchParams {
  Matrix w, gram, scales, zeros, error;
  QuantSpec spec;
  std::span<const ClipCandidate> candidates;
  ClipRule rule = ClipRule::kEnds;
};

// codes[N,K] (u8, one code a byte) of w[N,K] by round to nearest with the given scales[N,P] and zeros[N,P].
struct QuantizeParams {
  Matrix w, scales, zeros, codes;
  QuantSpec spec;
};

// w[N,K] = (codes - zeros) * scales.
struct DequantizeParams {
  Matrix codes, scales, zeros, w;
  QuantSpec spec;
};

// packed[N, code_row_bytes] (u8) from codes[N,K] (u8): the canonical bit stream of pack_bits.h.
struct PackParams {
  Matrix codes, packed;
  int bits = 4;
};

// loss[N] (f64, host memory): e_n G e_n^T of each row of e = a - b, a, b [N,K]; gram[K,K] symmetric, both triangles
// set.
struct GramLossParams {
  Matrix a, b, gram;
  std::span<double> loss;
};

// The factor of a damped, inverted Gram matrix that second-order rounding and error correction share. With
// H = gram + damping * mean(diag gram) * I and `order` a permutation of the channels (channel order[j] is rounded in
// step j),
//   H^-1 = U^T U in steps: U[j,i], i >= j, is step j at channel order[i], 0 for i < j,
// that is, the upper Cholesky factor of the permuted inverse (Frantar et al., arXiv 2210.17323). Computed in f64 from
// the reversed Cholesky factor of H and a triangular inverse, never from an explicit inverse. factor[K,K], rows and
// columns in steps, is symmetric: factor[i,j] = factor[j,i] = U[j,i] for i >= j. gram: both triangles are set. factor
// may be gram, which is then lost, broken down or not; beside it gram stays. *positive_definite is written to host
// memory: false when the factorization broke down, which damping was too small for; factor is then unspecified. The op
// waits for its result, and takes no scratch of K by K.
struct GramFactorParams {
  Matrix gram, factor;
  std::span<const int32_t> order;
  double damping = 0.01;
  bool* positive_definite = nullptr;
};

// y[N,K] = x[N,K] (gram + damping mean(diag gram) I)^-1 = x U^T U, with the factor of gram_factor in `order`; the
// channels of x and y are in their own order. y may be x. As with Precision::kExact; rows are independent: the bits of
// one do not depend on how many come with it. There may be any number: a backend takes as many at a time as its scratch
// holds.
struct GramSolveParams {
  Matrix x, factor, y;
  std::span<const int32_t> order;
};

// Second-order rounding (GPTQ) of w[N,K] with fixed scales[N,P], zeros[N,P]: channels in the order of the factor, each
// one's rounding error spread over the channels that follow. For step j, channel c = order[j]:
//   codes[n,c] = quantize(w_n[c]);  e = (w_n[c] - dequantize(codes[n,c])) / factor[j,j];
//   w_n[order[i]] -= e * factor[i,j] for every later step i > j.
// Only the lower triangle of the factor (row >= column) is read. w is not changed; f32 arithmetic, rows are
// independent.
struct GptqParams {
  Matrix w, scales, zeros, factor, codes;
  std::span<const int32_t> order;
  QuantSpec spec;
};

// Refits the scale of every group to its codes by least squares under gram[K,K], group after group of a row (one sweep
// of block coordinate descent). With E = (codes - zeros) * scale - w and c_p the group's (codes - zeros), scale_p moves
// by
// -(c_p . (E G)_p) / (c_p G_pp c_p^T), is rounded to spec.scale_dtype and kept only where positive, finite, and at most
// a factor of 2 from where it was; E follows. f32 products, f64 sums.
struct RefitScalesParams {
  Matrix w, codes, zeros, gram, scales;  // scales are changed in place
  QuantSpec spec;
};

// Cyclic coordinate descent on the codes of w[N,K] under gram[K,K] with fixed scales[N,P] and zeros[N,P] (Behdin et
// al., arXiv 2309.01885). With E = (codes - zeros) * scale - w and S = E G, channel after channel of a row, the code
// moves to the integer that minimizes e G e^T while all others stay,
//   codes[n,c] = clamp(round(codes[n,c] - S[n,c] / (G[c,c] * scale))),
// and S follows. At most `sweeps` passes over a row; the first that changes nothing is its last. Channels whose G[c,c]
// is not positive stay. f32 arithmetic, rows are independent.
struct RefineCodesParams {
  Matrix w, codes, scales, zeros, gram;  // codes are changed in place
  QuantSpec spec;
  int sweeps = 1;
};

// Reductions to host memory, over every element, accumulated in f64.
struct ReduceParams {
  enum class Kind : int32_t {
    kCountNonFinite = 0,  // NaN or infinite elements of a
    kSumSquares = 1,      // sum a^2
    kSumSquaredDiff = 2,  // sum (a - b)^2
    kDot = 3,             // sum a b
  };
  Matrix a, b;
  Kind kind = Kind::kCountNonFinite;
  double* result = nullptr;
};

class Ops {
 public:
  virtual ~Ops() = default;
  virtual Status convert(const ConvertParams& params) = 0;
  virtual Status gemm(const GemmParams& params) = 0;
  virtual Status gram_accumulate(const GramAccumulateParams& params) = 0;
  virtual Status column_stats(const ColumnStatsParams& params) = 0;
  virtual Status normalize(const NormalizeParams& params) = 0;
  virtual Status rope(const RopeParams& params) = 0;
  virtual Status attention_causal(const AttentionCausalParams& params) = 0;
  virtual Status gate(const GateParams& params) = 0;
  virtual Status add(const AddParams& params) = 0;
  virtual Status scale_axis(const ScaleAxisParams& params) = 0;
  virtual Status group_params(const GroupParamsParams& params) = 0;
  virtual Status scale_search_loss(const ScaleSearchLossParams& params) = 0;
  virtual Status clip_search(const ClipSearchParams& params) = 0;
  virtual Status quantize(const QuantizeParams& params) = 0;
  virtual Status dequantize(const DequantizeParams& params) = 0;
  virtual Status pack(const PackParams& params) = 0;
  virtual Status gram_loss(const GramLossParams& params) = 0;
  virtual Status gram_factor(const GramFactorParams& params) = 0;
  virtual Status gram_solve(const GramSolveParams& params) = 0;
  virtual Status gptq(const GptqParams& params) = 0;
  virtual Status refit_scales(const RefitScalesParams& params) = 0;
  virtual Status refine_codes(const RefineCodesParams& params) = 0;
  virtual Status reduce(const ReduceParams& params) = 0;
};

}  // namespace scrooge::backend
