// SPDX-License-Identifier: Apache-2.0
// Matrix products by Eigen: the portable provider, compiled for the build's baseline instruction set.
#include <Eigen/Core>

#include "backends/cpu/matrix_product.h"

namespace scrooge::backend::cpu {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;
using MutableMap = Eigen::Map<RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;

class EigenProduct final : public MatrixProduct {
 public:
  std::string_view name() const override { return "eigen"; }
  bool has_bf16() const override { return false; }

  Status multiply(const Product& p) override {
    const ConstMap a(p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, Eigen::OuterStride<>(p.lda));
    const ConstMap b(p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, Eigen::OuterStride<>(p.ldb));
    MutableMap c(p.c, p.m, p.n, Eigen::OuterStride<>(p.ldc));
    if (p.beta == 0) c.setZero();
    if (p.transpose_a && p.transpose_b) {
      c.noalias() += p.alpha * a.transpose() * b.transpose();
    } else if (p.transpose_a) {
      c.noalias() += p.alpha * a.transpose() * b;
    } else if (p.transpose_b) {
      c.noalias() += p.alpha * a * b.transpose();
    } else {
      c.noalias() += p.alpha * a * b;
    }
    return {};
  }

  Status multiply_bf16(const Bf16Product&, int) override {
    return error(StatusCode::kUnsupported, "bf16 products: Eigen's are not faster than f32; ask for exact precision");
  }
};

}  // namespace

std::unique_ptr<MatrixProduct> make_eigen_product() { return std::make_unique<EigenProduct>(); }

}  // namespace scrooge::backend::cpu
