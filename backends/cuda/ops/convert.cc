// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/elementwise.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

template <typename From, typename To>
Status launch(Work& work, const ConvertParams& p, const char* name) {
  const Span span = span_of({&p.from, &p.to}, true);
  const ConvertArguments<From, To> arguments{view<const From>(p.from), view<To>(p.to), span};
  return work.launch({"convert", name}, shape_of(span), arguments);
}

}  // namespace

Status CudaDevice::convert(const ConvertParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.from.rows == 0 || p.from.cols == 0) return {};
  return run("convert", {p.from.buffer, p.to.buffer}, [&](Work& work) {
    const bool to_f16 = p.to.dtype == DType::kF16;
    if (p.from.dtype == DType::kF32) {
      if (p.to.dtype == DType::kF32) return launch<float, float>(work, p, "scrooge_convert_f32_f32");
      return launch<float, Bits16>(work, p, to_f16 ? "scrooge_convert_f32_f16" : "scrooge_convert_f32_bf16");
    }
    const bool from_f16 = p.from.dtype == DType::kF16;
    if (p.to.dtype == DType::kF32) {
      return launch<Bits16, float>(work, p, from_f16 ? "scrooge_convert_f16_f32" : "scrooge_convert_bf16_f32");
    }
    const char* const same_or_to_bf16 = to_f16 ? "scrooge_convert_f16_f16" : "scrooge_convert_f16_bf16";
    const char* const same_or_to_f16 = to_f16 ? "scrooge_convert_bf16_f16" : "scrooge_convert_bf16_bf16";
    return launch<Bits16, Bits16>(work, p, from_f16 ? same_or_to_bf16 : same_or_to_f16);
  });
}

}  // namespace scrooge::backend::cuda
