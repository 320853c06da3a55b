// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {
namespace {

// A square matrix of f64.
class Square {
 public:
  explicit Square(int64_t size) : size_(size), values_(static_cast<size_t>(size * size)) {}
  double& operator()(int64_t row, int64_t column) { return values_[static_cast<size_t>(row * size_ + column)]; }

 private:
  int64_t size_;
  std::vector<double> values_;
};

// The lower triangle of `a` becomes its Cholesky factor; false when a pivot is not positive.
bool factorize(Square& a, int64_t size) {
  for (int64_t j = 0; j < size; ++j) {
    for (int64_t i = j; i < size; ++i) {
      double sum = a(i, j);
      for (int64_t p = 0; p < j; ++p) sum -= a(i, p) * a(j, p);
      if (i == j && !(sum > 0 && std::isfinite(sum))) return false;
      a(i, j) = i == j ? std::sqrt(sum) : sum / a(j, j);
    }
  }
  return true;
}

}  // namespace

Status ReferenceDevice::gram_factor(const GramFactorParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t size = p.gram.rows;
  // Index a of the reversed order is the channel rounded (size - 1 - a)-th.
  const auto channel = [&](int64_t a) { return p.order[static_cast<size_t>(size - 1 - a)]; };
  double trace = 0;
  for (int64_t i = 0; i < size; ++i) trace += load(p.gram, i, i);
  const double added = size == 0 ? 0 : p.damping * trace / static_cast<double>(size);
  Square lower(size);
  for (int64_t a = 0; a < size; ++a) {
    for (int64_t b = 0; b <= a; ++b) lower(a, b) = load(p.gram, channel(a), channel(b));
    lower(a, a) += added;
  }
  *p.positive_definite = factorize(lower, size);
  if (!*p.positive_definite) return {};
  Square inverse(size);  // of the factor, by forward substitution
  for (int64_t b = 0; b < size; ++b) {
    for (int64_t a = b; a < size; ++a) {
      double sum = a == b ? 1 : 0;
      for (int64_t i = b; i < a; ++i) sum -= lower(a, i) * inverse(i, b);
      inverse(a, b) = sum / lower(a, a);
    }
  }
  for (int64_t a = 0; a < size; ++a) {
    for (int64_t b = 0; b <= a; ++b) {
      store(p.factor, size - 1 - a, size - 1 - b, inverse(a, b));
      store(p.factor, size - 1 - b, size - 1 - a, inverse(a, b));
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
