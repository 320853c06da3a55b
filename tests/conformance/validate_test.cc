// SPDX-License-Identifier: Apache-2.0
#include "src/backend/validate.h"

#include <functional>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class FakeBuffer final : public Buffer {
 public:
  explicit FakeBuffer(uint64_t size) : Buffer(size, nullptr) {}
};

FakeBuffer buffers[6] = {FakeBuffer(4096), FakeBuffer(4096), FakeBuffer(4096),
                         FakeBuffer(4096), FakeBuffer(4096), FakeBuffer(4096)};

Matrix mat(int buffer, int64_t rows, int64_t cols, DType dtype = DType::kF32) {
  return {&buffers[buffer], 0, rows, cols, cols, dtype};
}
Vector vec(int buffer, int64_t size) { return {&buffers[buffer], 0, size, DType::kF32}; }

template <typename Params>
std::string message(const Params& params) {
  const Status status = validate(params);
  EXPECT_TRUE(status.ok() || status.code() == StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(Validate, AcceptsWellFormedCalls) {
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6), mat(1, 5, 6), mat(2, 2, 5), vec(3, 5)}), "");
  EXPECT_EQ(message(GemmParams{mat(0, 0, 6), mat(1, 5, 6), mat(2, 0, 5), {}}), "");
  EXPECT_EQ(message(GramAccumulateParams{mat(0, 3, 4), mat(0, 3, 4), mat(1, 4, 4), true, true}), "");
  EXPECT_EQ(message(GateParams{mat(0, 2, 3), mat(1, 2, 3), mat(1, 2, 3)}), "");
  EXPECT_EQ(message(PackParams{mat(0, 3, 5, DType::kU8), mat(1, 3, 2, DType::kU8), 3}), "");
}

TEST(Validate, NamesOpAndArgument) {
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6), mat(1, 4, 5), mat(2, 2, 4), {}}), "gemm: w has 5 columns, x has 6");
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6), mat(1, 4, 6), mat(2, 2, 5), {}}), "gemm: y has 5 columns, w has 4 rows");
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6), mat(1, 4, 6), mat(2, 2, 4), vec(3, 5)}),
            "gemm: bias has 5 elements, expected 4");
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6), mat(1, 4, 6), mat(2, 2, 4), {}, 0.5f}),
            "gemm: beta is 0.5, expected 0 or 1");
  EXPECT_EQ(message(GemmParams{mat(0, 2, 6, DType::kF16), mat(1, 4, 6), mat(2, 2, 4), {}}),
            "gemm: x is f16, expected f32");
  EXPECT_EQ(message(GemmParams{{}, mat(1, 4, 6), mat(2, 2, 4), {}}), "gemm: x has no buffer");
  EXPECT_EQ(message(RopeParams{mat(0, 2, 6), 4, 2, vec(1, 2)}),
            "rope: x has 6 columns, not a multiple of head_width 4");
  EXPECT_EQ(message(RopeParams{mat(0, 2, 8), 4, 2, vec(1, 3)}),
            "rope: inv_freq has 3 elements, more than half of head_width 4");
  EXPECT_EQ(message(AttentionCausalParams{mat(0, 5, 8), mat(1, 5, 4), mat(2, 5, 4), mat(3, 5, 8), 2, 2, 1, 4}),
            "attention_causal: q has 5 rows, not a multiple of sequence_length 2");
  EXPECT_EQ(message(PackParams{mat(0, 3, 5, DType::kU8), mat(1, 3, 3, DType::kU8), 3}),
            "pack: packed has 3 columns, expected 2 bytes per row");
}

TEST(Validate, GroupPlanesFollowFromTheScheme) {
  QuantSpec spec;
  spec.group = 8;
  EXPECT_EQ(message(GroupParamsParams{mat(0, 2, 17), mat(1, 2, 3), mat(2, 2, 3), spec, {}}), "");
  EXPECT_EQ(message(GroupParamsParams{mat(0, 2, 17), mat(1, 2, 2), mat(2, 2, 3), spec, {}}),
            "group_params: scales has 2 columns, w has 3 groups per row");
  spec.bits = 5;
  EXPECT_EQ(message(GroupParamsParams{mat(0, 2, 17), mat(1, 2, 3), mat(2, 2, 3), spec, {}}),
            "group_params: bits: 5 is not one of 2, 3, 4, 8");
  spec.bits = 4;
  spec.scale_dtype = DType::kU8;
  EXPECT_EQ(message(GroupParamsParams{mat(0, 2, 17), mat(1, 2, 3), mat(2, 2, 3), spec, {}}),
            "group_params: scale_dtype is u8, expected f16, bf16 or f32");
  spec.scale_dtype = DType::kF16;
  EXPECT_EQ(message(ClipSearchParams{mat(0, 2, 8), mat(1, 8, 8), mat(2, 2, 1), mat(3, 2, 1), mat(4, 2, 1), spec, {}}),
            "clip_search: candidates is empty");
  double loss[3] = {};
  EXPECT_EQ(message(ScaleSearchLossParams{mat(0, 2, 8), mat(1, 8, 8), mat(2, 4, 8), spec, {}, loss}),
            "scale_search_loss: loss has 3 elements, candidates has 4 rows");
}

TEST(Validate, OrdersMustBePermutations) {
  const int32_t good[] = {2, 0, 1}, short_one[] = {0, 1}, twice[] = {0, 1, 1}, beyond[] = {0, 1, 3},
                below[] = {0, -1, 2};
  bool definite = false;
  const auto factor = [&](std::span<const int32_t> order, double damping = 0.01, bool* result = nullptr) {
    return message(GramFactorParams{mat(0, 3, 3), mat(1, 3, 3), order, damping, result});
  };
  EXPECT_EQ(factor(good, 0.01, &definite), "");
  EXPECT_EQ(factor(short_one), "gram_factor: order has 2 elements, expected 3");
  EXPECT_EQ(factor(twice), "gram_factor: order is not a permutation of 0 to 2: 1 is out of range or repeated");
  EXPECT_EQ(factor(beyond), "gram_factor: order is not a permutation of 0 to 2: 3 is out of range or repeated");
  EXPECT_EQ(factor(below), "gram_factor: order is not a permutation of 0 to 2: -1 is out of range or repeated");
  EXPECT_EQ(factor(good), "gram_factor: positive_definite is null");
  EXPECT_EQ(factor(good, -1, &definite), "gram_factor: damping is -1, expected 0 or more");
  EXPECT_EQ(message(GptqParams{mat(0, 2, 3), mat(1, 2, 1), mat(2, 2, 1), mat(3, 3, 3), mat(4, 2, 3, DType::kU8), twice,
                               QuantSpec{}}),
            "gptq: order is not a permutation of 0 to 2: 1 is out of range or repeated");
}

TEST(Validate, ViewsMustLieInsideTheirBuffers) {
  Matrix x = mat(0, 8, 128);  // all 4096 bytes
  EXPECT_EQ(message(AddParams{x, mat(1, 8, 128)}), "");
  x.offset = 4;
  EXPECT_EQ(message(AddParams{x, mat(1, 8, 128)}), "add: x at byte offset 4 does not fit its buffer of 4096 bytes");
  x.offset = 2;
  EXPECT_EQ(message(AddParams{x, mat(1, 8, 128)}), "add: x has byte offset 2, not a multiple of 4");
  x.offset = 0;
  x.stride = 127;
  EXPECT_EQ(message(AddParams{x, mat(1, 8, 128)}), "add: x has row stride 127 below its 128 columns");
  x = mat(0, int64_t{1} << 62, 1);
  x.stride = int64_t{1} << 62;
  EXPECT_NE(message(AddParams{x, x}), "");
  EXPECT_NE(message(AddParams{mat(0, -1, 4), mat(1, -1, 4)}), "");
}

TEST(Validate, OutputsMustNotOverlapInputs) {
  const Matrix whole = mat(0, 8, 16);
  EXPECT_EQ(message(AddParams{whole.col_range(0, 8), whole.col_range(8, 8)}), "");  // interleaved, yet apart
  EXPECT_EQ(message(AddParams{whole.row_range(0, 4), whole.row_range(4, 4)}), "");
  EXPECT_EQ(message(AddParams{whole.col_range(8, 8).row_range(0, 4), whole.col_range(0, 8).row_range(2, 4)}), "");
  EXPECT_EQ(message(AddParams{whole.col_range(0, 8), whole.col_range(7, 8)}), "add: y overlaps x");
  EXPECT_EQ(message(AddParams{whole.col_range(7, 8), whole.col_range(0, 8)}), "add: y overlaps x");
  EXPECT_EQ(message(AddParams{whole.row_range(0, 4), whole.row_range(3, 4)}), "add: y overlaps x");
  EXPECT_EQ(message(AddParams{whole.row_range(3, 4), whole.row_range(0, 4)}), "add: y overlaps x");
  EXPECT_EQ(
      message(AddParams{whole.col_range(9, 4).row_range(5, 3), whole.col_range(12, 4).row_range(0, 6).row_range(3, 3)}),
      "add: y overlaps x");
  EXPECT_EQ(message(GateParams{whole, mat(1, 8, 16), whole}), "");
  EXPECT_EQ(message(GateParams{whole.row_range(0, 4), mat(1, 4, 16), whole.row_range(1, 4)}),
            "gate: y overlaps a without being the same matrix");
  EXPECT_EQ(message(ScaleAxisParams{mat(1, 8, 16), whole, {&buffers[0], 64, 16, DType::kF32}}),
            "scale_axis: y overlaps s");
}

struct AnyShape {
  std::string name() const { return "any"; }
};

class RefusalTest : public ConformanceTest<AnyShape> {};

// A backend that forgets to check would run these into memory it does not own.
TEST_P(RefusalTest, EveryOpChecksItsArguments) {
  for (Device* device : {&tested(), &reference()}) {
    GuardedMatrix a(*device, 4, 8);
    GuardedMatrix b(*device, 3, 7);
    GuardedMatrix codes(*device, 4, 8, kPacked, DType::kU8);
    const Matrix m = a.matrix();
    const Matrix n = b.matrix();
    const Vector v{n.buffer, 0, 3, DType::kF32};
    QuantSpec spec;
    double number = 0;
    const std::span<double> one(&number, 1);
    const ClipCandidate clip[] = {{1, 1}};
    const int32_t order[] = {0, 1, 2, 3};
    bool definite = false;
    const std::pair<const char*, Status> calls[] = {
        {"convert", device->convert({m, n})},
        {"gemm", device->gemm({m, n, m, {}})},
        {"gram_accumulate", device->gram_accumulate({m, m, n})},
        {"column_stats", device->column_stats({m, v, v, v})},
        {"normalize", device->normalize({m, n, v, 1e-6f})},
        {"rope", device->rope({m, 5, 4, v})},
        {"attention_causal", device->attention_causal({m, n, n, m, 4, 1, 1, 8, 1.0f})},
        {"gate", device->gate({m, n, m})},
        {"add", device->add({m, n})},
        {"scale_axis", device->scale_axis({m, m, v})},
        {"group_params", device->group_params({m, n, n, spec, {}})},
        {"scale_search_loss", device->scale_search_loss({m, n, m, spec, {}, one})},
        {"clip_search", device->clip_search({m, n, n, n, n, spec, clip})},
        {"quantize", device->quantize({m, n, n, codes.matrix(), spec})},
        {"dequantize", device->dequantize({codes.matrix(), n, n, m, spec})},
        {"pack", device->pack({codes.matrix(), codes.matrix(), 4})},
        {"gram_loss", device->gram_loss({m, m, n, one})},
        {"gram_factor", device->gram_factor({m, m, order, 0.01, &definite})},
        {"gram_solve", device->gram_solve({m, n, m, order})},
        {"gptq", device->gptq({m, n, n, n, codes.matrix(), order, spec})},
        {"refit_scales", device->refit_scales({m, codes.matrix(), n, n, n, spec})},
        {"refine_codes", device->refine_codes({m, codes.matrix(), n, n, n, spec})},
        {"reduce", device->reduce({m, n, ReduceParams::Kind::kSumSquaredDiff, &number})},
    };
    for (const auto& [op, status] : calls) {
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << op;
      EXPECT_TRUE(status.message().starts_with(op)) << status.message();
    }
  }
}

SCROOGE_CONFORMANCE(RefusalTest, AnyShape, AnyShape{});

}  // namespace
}  // namespace scrooge::test
