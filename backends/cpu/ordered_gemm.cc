// SPDX-License-Identifier: Apache-2.0
// Matrix products that are the same bits everywhere. No library promises an order of its sums.
#include "backends/cpu/matrix_product.h"
#include "backends/cpu/simd/ordered_product.h"

namespace scrooge::backend::cpu {
namespace {

class OrderedProduct final : public MatrixProduct {
 public:
  std::string_view name() const override { return kOrderedProduct; }
  bool has_bf16() const override { return false; }
  Status multiply(const Product& product) override {
    multiply_ordered(product);
    return {};
  }
  Status multiply_bf16(const Bf16Product&, int) override {
    return error(StatusCode::kUnsupported, "bf16 products: reproducible ones are f32; ask for exact precision");
  }
};

}  // namespace

std::unique_ptr<MatrixProduct> make_ordered_product() { return std::make_unique<OrderedProduct>(); }

}  // namespace scrooge::backend::cpu
