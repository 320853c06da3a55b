// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/blas.h"

namespace scrooge::backend::cuda {
namespace {

constexpr size_t kMostChoices = 4096;  // remembered; then they are asked for again, with the same answers

int input_type(Product::Type type) {
  switch (type) {
    case Product::Type::kF32: return kBlasF32;
    case Product::Type::kBf16: return kBlasBf16;
    case Product::Type::kF64: return kBlasF64;
  }
  return kBlasF32;
}

}  // namespace

// cuBLASLt counts matrices in columns: what it reads of a row-major matrix is the transpose. So it is asked for
// c^T = op(b)^T op(a)^T, with b in the first place.
struct Blas::Descriptors {
  explicit Descriptors(const BlasApi& table) : api(table) {}
  ~Descriptors() {
    for (const BlasLayout layout : {first, second, result}) {
      if (layout != nullptr) (void)api.layout_destroy(layout);
    }
    if (operation != nullptr) (void)api.operation_destroy(operation);
    if (preference != nullptr) (void)api.preference_destroy(preference);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  const BlasApi& api;
  BlasOperation operation = nullptr;
  BlasLayout first = nullptr, second = nullptr, result = nullptr;
  BlasPreference preference = nullptr;
};

Status Blas::open() {
  if (handle_ != nullptr) return {};
  SCROOGE_ASSIGN_OR_RETURN(api_, load_());
  return check(api_->create(&handle_), "cublasLtCreate");
}

void Blas::close() {
  if (handle_ != nullptr) (void)api_->destroy(handle_);
  handle_ = nullptr;
  chosen_.clear();
}

// The library says only that a launch failed; the driver knows why.
Status Blas::check(BlasResult result, std::string_view call) {
  if (result == kBlasSuccess) return {};
  size_t free = 0, total = 0;
  SCROOGE_RETURN_IF_ERROR(context_.check(context_.api().memory_info(&free, &total), call));
  switch (result) {
    case kBlasAllocFailed:
      return error(StatusCode::kOutOfMemory, "cuda: ", call,
                   " found no memory; lower --device-memory, or end what else uses the card");
    case kBlasNotInitialized:
    case kBlasArchMismatch:
      return error(StatusCode::kUnavailable, "cuda: ", call, " gave status ", result,
                   ": cuBLASLt and the driver do not work together; install matching ones");
    case kBlasNotSupported:
      return error(StatusCode::kUnsupported, "cuda: ", call,
                   ": this cuBLASLt has no product of this kind for this card");
    default: return error(StatusCode::kInternal, "cuda: ", call, " gave status ", result, "; please report this");
  }
}

Result<BlasAlgorithm> Blas::choose(const Product& p, const Descriptors& use, uint64_t workspace_bytes) {
  const Problem problem{p.type, p.transpose_a, p.transpose_b, p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.beta != 0};
  if (const auto known = chosen_.find(problem); known != chosen_.end()) return known->second;
  BlasPreference preference = use.preference;
  const size_t bytes = workspace_bytes;
  SCROOGE_RETURN_IF_ERROR(check(api_->preference_set(preference, kBlasPreferWorkspaceBytes, &bytes, sizeof bytes),
                                "cublasLtMatmulPreferenceSetAttribute"));
  SCROOGE_RETURN_IF_ERROR(check(api_->preference_set(preference, kBlasPreferReductionMask, &kBlasReduceComputeType,
                                                     sizeof kBlasReduceComputeType),
                                "cublasLtMatmulPreferenceSetAttribute"));
  // The least that multiply() asks for, never what the addresses at hand happen to have: the choice must not depend on
  // where a buffer lies.
  const auto alignment = static_cast<uint32_t>(kAlignment);
  for (const int which : {kBlasPreferAlignmentA, kBlasPreferAlignmentB, kBlasPreferAlignmentC, kBlasPreferAlignmentD}) {
    SCROOGE_RETURN_IF_ERROR(check(api_->preference_set(preference, which, &alignment, sizeof alignment),
                                  "cublasLtMatmulPreferenceSetAttribute"));
  }
  BlasHeuristic best{};
  int found = 0;
  BlasResult result = api_->heuristic(handle_, use.operation, use.first, use.second, use.result, use.result, preference,
                                      1, &best, &found);
  if (result == kBlasSuccess && found == 0) result = kBlasNotSupported;
  if (result == kBlasSuccess) result = best.state;
  SCROOGE_RETURN_IF_ERROR(check(result, "cublasLtMatmulAlgoGetHeuristic"));
  if (chosen_.size() >= kMostChoices) chosen_.clear();
  chosen_.emplace(problem, best.algorithm);
  return best.algorithm;
}

Status Blas::multiply(const Product& p, CuAddress workspace, uint64_t workspace_bytes, CuStream stream) {
  SCROOGE_RETURN_IF_ERROR(open());
  Descriptors use(*api_);
  const bool f64 = p.type == Product::Type::kF64;
  const int output = f64 ? kBlasF64 : kBlasF32;
  const auto layout = [&](BlasLayout& made, int type, int64_t rows, int64_t columns, int64_t stride) {
    return check(api_->layout_create(&made, type, static_cast<uint64_t>(columns), static_cast<uint64_t>(rows), stride),
                 "cublasLtMatrixLayoutCreate");
  };
  const auto transpose = [&](int which, bool transposed) {
    const int32_t value = transposed ? kBlasTransposed : kBlasPlain;
    return check(api_->operation_set(use.operation, which, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  };
  SCROOGE_RETURN_IF_ERROR(check(api_->operation_create(&use.operation, f64 ? kBlasComputeF64 : kBlasComputeF32, output),
                                "cublasLtMatmulDescCreate"));
  SCROOGE_RETURN_IF_ERROR(transpose(kBlasOperationTransposeA, p.transpose_b));
  SCROOGE_RETURN_IF_ERROR(transpose(kBlasOperationTransposeB, p.transpose_a));
  const int input = input_type(p.type);
  SCROOGE_RETURN_IF_ERROR(layout(use.first, input, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.ldb));
  SCROOGE_RETURN_IF_ERROR(layout(use.second, input, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.lda));
  SCROOGE_RETURN_IF_ERROR(layout(use.result, output, p.m, p.n, p.ldc));
  SCROOGE_RETURN_IF_ERROR(check(api_->preference_create(&use.preference), "cublasLtMatmulPreferenceCreate"));
  SCROOGE_ASSIGN_OR_RETURN(const BlasAlgorithm algorithm, choose(p, use, workspace_bytes));

  const auto alpha = static_cast<float>(p.alpha);
  const auto beta = static_cast<float>(p.beta);
  const void* const factors[] = {f64 ? static_cast<const void*>(&p.alpha) : &alpha,
                                 f64 ? static_cast<const void*>(&p.beta) : &beta};
  void* const c = reinterpret_cast<void*>(p.c);
  return check(api_->multiply(handle_, use.operation, factors[0], reinterpret_cast<const void*>(p.b), use.first,
                              reinterpret_cast<const void*>(p.a), use.second, factors[1], c, use.result, c, use.result,
                              &algorithm, reinterpret_cast<void*>(workspace), workspace_bytes, stream),
               "cublasLtMatmul");
}

}  // namespace scrooge::backend::cuda
