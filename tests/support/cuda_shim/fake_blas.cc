// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/fake_blas.h"

#include <Eigen/Core>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "src/base/half.h"
#include "tests/support/cuda_shim/fake_driver.h"

namespace scrooge::backend::cuda {

struct BlasContextHandle {};
struct BlasOperationHandle {
  int compute_type = 0;
  int scale_type = 0;
  int32_t transpose[2] = {kBlasPlain, kBlasPlain};
};
struct BlasLayoutHandle {
  int type = 0;
  uint64_t rows = 0, columns = 0;
  int64_t stride = 0;
  uint64_t bytes_of(uint64_t element) const { return ((columns - 1) * static_cast<uint64_t>(stride) + rows) * element; }
};
struct BlasPreferenceHandle {
  size_t workspace_bytes = 0;
  uint32_t reduction_mask = 7;
  uint32_t alignment[4] = {256, 256, 256, 256};  // the library's defaults
};

}  // namespace scrooge::backend::cuda

namespace scrooge::test::shim {
namespace {

using namespace scrooge::backend::cuda;

constexpr size_t kWorkspaceUsed = 1000;

struct State {
  uint64_t products = 0;
  uint64_t heuristics = 0;
  int64_t objects = 0;
  std::pair<std::string, BlasResult> failure;
};
State& state() {
  static State made;
  return made;
}

BlasResult refuse(const char* why) {
  std::fprintf(stderr, "fake cuBLASLt: %s\n", why);
  return kBlasInvalidValue;
}

BlasResult planned(std::string_view symbol) {
  if (state().failure.first != symbol) return kBlasSuccess;
  state().failure.first.clear();
  return state().failure.second;
}

template <typename T>
BlasResult make(T** made, T value, std::string_view symbol) {
  if (const BlasResult failure = planned(symbol); failure != kBlasSuccess) return failure;
  *made = new T(value);
  ++state().objects;
  return kBlasSuccess;
}
template <typename T>
BlasResult unmake(T* made) {
  if (made == nullptr) return kBlasInvalidValue;
  delete made;
  --state().objects;
  return kBlasSuccess;
}

BlasResult create(BlasHandle* handle) { return make(handle, BlasContextHandle{}, "cublasLtCreate"); }
BlasResult destroy(BlasHandle handle) { return unmake(handle); }
BlasResult operation_create(BlasOperation* operation, int compute_type, int scale_type) {
  return make(operation, BlasOperationHandle{compute_type, scale_type, {}}, "cublasLtMatmulDescCreate");
}
BlasResult operation_destroy(BlasOperation operation) { return unmake(operation); }
BlasResult operation_set(BlasOperation operation, int attribute, const void* value, size_t bytes) {
  if (bytes != sizeof(int32_t)) return refuse("the size of an operation's attribute");
  if (attribute != kBlasOperationTransposeA && attribute != kBlasOperationTransposeB) return refuse("an attribute");
  std::memcpy(&operation->transpose[attribute - kBlasOperationTransposeA], value, bytes);
  return kBlasSuccess;
}
BlasResult layout_create(BlasLayout* layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  return make(layout, BlasLayoutHandle{type, rows, columns, stride}, "cublasLtMatrixLayoutCreate");
}
BlasResult layout_destroy(BlasLayout layout) { return unmake(layout); }
BlasResult preference_create(BlasPreference* preference) {
  return make(preference, BlasPreferenceHandle{}, "cublasLtMatmulPreferenceCreate");
}
BlasResult preference_destroy(BlasPreference preference) { return unmake(preference); }
BlasResult preference_set(BlasPreference preference, int attribute, const void* value, size_t bytes) {
  if (attribute == kBlasPreferWorkspaceBytes) {
    if (bytes != sizeof(size_t)) return refuse("the size of the workspace's attribute");
    std::memcpy(&preference->workspace_bytes, value, bytes);
    return kBlasSuccess;
  }
  if (bytes != sizeof(uint32_t)) return refuse("the size of a preference's attribute");
  if (attribute == kBlasPreferReductionMask) {
    std::memcpy(&preference->reduction_mask, value, bytes);
    return kBlasSuccess;
  }
  if (attribute < kBlasPreferAlignmentA || attribute > kBlasPreferAlignmentD) return refuse("a preference");
  std::memcpy(&preference->alignment[attribute - kBlasPreferAlignmentA], value, bytes);
  return kBlasSuccess;
}

size_t size_of(int type) { return type == kBlasF64 ? 8 : type == kBlasF32 ? 4 : 2; }

// Column-major: op(A) [m,k], op(B) [k,n], D [m,n].
struct Shape {
  uint64_t m = 0, n = 0, k = 0;
};
BlasResult check_problem(const BlasOperationHandle& operation, const BlasLayoutHandle& a, const BlasLayoutHandle& b,
                         const BlasLayoutHandle& c, const BlasLayoutHandle& d, Shape& shape) {
  const bool f64 = operation.compute_type == kBlasComputeF64;
  if (!f64 && operation.compute_type != kBlasComputeF32) return refuse("the type of the sums");
  const int scale = f64 ? kBlasF64 : kBlasF32;
  if (operation.scale_type != scale || d.type != scale) return refuse("the types of result, factors and sums");
  if (a.type != b.type || c.type != d.type) return refuse("types of the operands");
  if (f64 ? a.type != kBlasF64 : a.type != kBlasF32 && a.type != kBlasBf16) return refuse("type of the inputs");
  const bool ta = operation.transpose[0] == kBlasTransposed;
  const bool tb = operation.transpose[1] == kBlasTransposed;
  shape = {ta ? a.columns : a.rows, tb ? b.rows : b.columns, ta ? a.rows : a.columns};
  if ((tb ? b.columns : b.rows) != shape.k) return refuse("inner sizes differ");
  if (d.rows != shape.m || d.columns != shape.n) return refuse("the result has another shape");
  if (c.rows != d.rows || c.columns != d.columns || c.stride != d.stride) return refuse("C and D differ");
  if (shape.m == 0 || shape.n == 0 || shape.k == 0) return refuse("an empty product");
  for (const BlasLayoutHandle* layout : {&a, &b, &d}) {
    if (layout->stride < static_cast<int64_t>(layout->rows)) return refuse("columns overlap");
  }
  return kBlasSuccess;
}

// An algorithm holds what it was chosen for.
BlasAlgorithm algorithm_of(const BlasOperationHandle& operation, const BlasLayoutHandle& a, const BlasLayoutHandle& b,
                           const BlasLayoutHandle& d, const Shape& shape) {
  return {{shape.m, shape.n, shape.k, static_cast<uint64_t>(a.stride), static_cast<uint64_t>(b.stride),
           static_cast<uint64_t>(d.stride),
           static_cast<uint64_t>(a.type * 1000 + operation.compute_type * 4 + operation.transpose[0] * 2 +
                                 operation.transpose[1]),
           kWorkspaceUsed}};
}

BlasResult heuristic(BlasHandle handle, BlasOperation operation, BlasLayout a, BlasLayout b, BlasLayout c, BlasLayout d,
                     BlasPreference preference, int wanted, BlasHeuristic* results, int* found) {
  if (const BlasResult failure = planned("cublasLtMatmulAlgoGetHeuristic"); failure != kBlasSuccess) return failure;
  if (handle == nullptr || wanted < 1) return refuse("a heuristic without handle or room");
  ++state().heuristics;
  Shape shape;
  if (const BlasResult wrong = check_problem(*operation, *a, *b, *c, *d, shape); wrong != kBlasSuccess) return wrong;
  if ((preference->reduction_mask & ~kBlasReduceComputeType) != 0) return refuse("sums in the type of the result");
  for (const uint32_t alignment : preference->alignment) {
    if (alignment != 16) return refuse("an alignment other than 16");
  }
  if (preference->workspace_bytes < kWorkspaceUsed) return refuse("no room for the workspace");
  results[0] = {algorithm_of(*operation, *a, *b, *d, shape), kWorkspaceUsed, kBlasSuccess, 1, {}};
  *found = 1;
  return kBlasSuccess;
}

template <typename T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

// op of an operand, bf16 widened.
template <typename T>
Columns<T> load(const BlasLayoutHandle& layout, uint64_t address, int32_t transpose) {
  Columns<T> values(static_cast<Eigen::Index>(layout.rows), static_cast<Eigen::Index>(layout.columns));
  for (Eigen::Index column = 0; column < values.cols(); ++column) {
    for (Eigen::Index row = 0; row < values.rows(); ++row) {
      const int64_t at = column * layout.stride + row;
      if (layout.type == kBlasBf16) {
        values(row, column) = static_cast<T>(bf16_to_float(reinterpret_cast<const uint16_t*>(address)[at]));
      } else {
        values(row, column) = reinterpret_cast<const T*>(address)[at];
      }
    }
  }
  if (transpose == kBlasTransposed) return values.transpose();
  return values;
}

struct Call {
  BlasOperationHandle operation;
  BlasLayoutHandle a, b, d;
  uint64_t a_at = 0, b_at = 0, d_at = 0, workspace = 0;
  double alpha = 1, beta = 0;
};

template <typename T>
void run(const Call& call) {
  const Columns<T> product =
      load<T>(call.a, call.a_at, call.operation.transpose[0]) * load<T>(call.b, call.b_at, call.operation.transpose[1]);
  T* const to = reinterpret_cast<T*>(call.d_at);
  for (Eigen::Index column = 0; column < product.cols(); ++column) {
    for (Eigen::Index row = 0; row < product.rows(); ++row) {
      T& cell = to[column * call.d.stride + row];
      const T part = static_cast<T>(call.alpha) * product(row, column);
      cell = call.beta == 0 ? part : static_cast<T>(part + static_cast<T>(call.beta) * cell);
    }
  }
}

BlasResult multiply(BlasHandle handle, BlasOperation operation, const void* alpha, const void* a, BlasLayout a_layout,
                    const void* b, BlasLayout b_layout, const void* beta, const void* c, BlasLayout c_layout, void* d,
                    BlasLayout d_layout, const BlasAlgorithm* algorithm, void* workspace, size_t workspace_bytes,
                    CuStream stream) {
  if (const BlasResult failure = planned("cublasLtMatmul"); failure != kBlasSuccess) return failure;
  if (handle == nullptr || algorithm == nullptr) return refuse("a product without handle or algorithm");
  Shape shape;
  if (const BlasResult wrong = check_problem(*operation, *a_layout, *b_layout, *c_layout, *d_layout, shape);
      wrong != kBlasSuccess) {
    return wrong;
  }
  const BlasAlgorithm expected = algorithm_of(*operation, *a_layout, *b_layout, *d_layout, shape);
  if (std::memcmp(&expected, algorithm, sizeof expected) != 0) return refuse("an algorithm of another problem");
  if (c != d) return refuse("C is not D");
  Call call{*operation,
            *a_layout,
            *b_layout,
            *d_layout,
            reinterpret_cast<uint64_t>(a),
            reinterpret_cast<uint64_t>(b),
            reinterpret_cast<uint64_t>(d),
            reinterpret_cast<uint64_t>(workspace)};
  const std::pair<const BlasLayoutHandle*, uint64_t> operands[] = {
      {a_layout, call.a_at}, {b_layout, call.b_at}, {d_layout, call.d_at}};
  for (const auto& [layout, at] : operands) {
    const uint64_t element = size_of(layout->type);
    if (at % 16 != 0) return refuse("an address that is not a multiple of 16");
    if (layout->columns > 1 && static_cast<uint64_t>(layout->stride) * element % 16 != 0) {
      return refuse("columns that do not start at multiples of 16 bytes");
    }
    if (!covers(at, layout->bytes_of(element))) return refuse("an operand outside every buffer");
  }
  if (call.workspace % 16 != 0 || workspace_bytes < kWorkspaceUsed || !covers(call.workspace, workspace_bytes)) {
    return refuse("the workspace");
  }
  if (call.operation.compute_type == kBlasComputeF64) {
    std::memcpy(&call.alpha, alpha, 8);
    std::memcpy(&call.beta, beta, 8);
  } else {
    float factors[2];
    std::memcpy(&factors[0], alpha, 4);
    std::memcpy(&factors[1], beta, 4);
    call.alpha = static_cast<double>(factors[0]);
    call.beta = static_cast<double>(factors[1]);
  }
  ++state().products;
  const CuResult put = put_work(stream, [call, workspace_bytes] {
    std::memset(reinterpret_cast<void*>(call.workspace), 0xff, workspace_bytes);
    if (call.operation.compute_type == kBlasComputeF64) {
      run<double>(call);
    } else {
      run<float>(call);
    }
    return kCuSuccess;
  });
  return put == kCuSuccess ? kBlasSuccess : kBlasExecutionFailed;
}

}  // namespace

Result<const BlasApi*> load_fake_blas() {
  static const BlasApi table = [] {
    BlasApi api;
#define SHIM_MEMBER(member, symbol, parameters) api.member = member;
    SCROOGE_CUDA_BLAS_FUNCTIONS(SHIM_MEMBER)
#undef SHIM_MEMBER
    return api;
  }();
  return &table;
}

uint64_t products_run() { return state().products; }
uint64_t heuristics_asked() { return state().heuristics; }
int64_t blas_objects() { return state().objects; }
void fail_blas(std::string_view symbol, BlasResult result) { state().failure = {std::string(symbol), result}; }

}  // namespace scrooge::test::shim
