// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "src/capi/c_support.h"
#include "src/pipeline/evaluate.h"

using scrooge::Status;
using scrooge::StatusCode;

namespace {
// Of the first release's struct: what came later may be missing from a caller's.
constexpr size_t kFirstSize = offsetof(scrooge_evaluate_options, device_memory);
}  // namespace

extern "C" {

void scrooge_evaluate_options_init(scrooge_evaluate_options* options, size_t struct_size) {
  scrooge_evaluate_options defaults{};
  defaults.context = 2048;
  defaults.device = "cpu";
  scrooge::capi::init_options(options, struct_size, defaults);
}

scrooge_status scrooge_evaluate(const scrooge_evaluate_options* options, scrooge_evaluation* result,
                                scrooge_error** error) {
  return scrooge::capi::guarded(error, [&]() -> Status {
    scrooge_evaluate_options o;
    scrooge_evaluate_options_init(&o, sizeof o);
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::read_options(options, kFirstSize, "options", o));
    if (o.next != nullptr) return scrooge::error(StatusCode::kInvalidArgument, "options.next: must be NULL");
    scrooge::pipeline::EvaluateOptions to;
    to.model = scrooge::capi::text_or_empty(o.model);
    to.reference = scrooge::capi::text_or_empty(o.reference);
    to.text = scrooge::capi::text_or_empty(o.text);
    to.token_ids = scrooge::capi::text_or_empty(o.token_ids);
    to.context = o.context;
    to.max_windows = o.max_windows;
    to.threads = static_cast<int>(std::min<uint32_t>(o.threads, 1024));
    to.memory = o.memory;
    to.device_memory = o.device_memory;
    to.device = o.device == nullptr ? "cpu" : o.device;
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::read_allocator(o.allocator, to.allocator));
    to.progress = scrooge::capi::make_progress(o.progress, o.progress_user);
    to.log = scrooge::capi::make_log(o.log, o.log_user);
    SCROOGE_ASSIGN_OR_RETURN(const auto evaluation, scrooge::pipeline::evaluate(to));
    scrooge_evaluation out{};
    out.has_reference = evaluation.has_reference ? 1 : 0;
    out.perplexity = evaluation.perplexity;
    out.kl = evaluation.kl;
    out.top1 = evaluation.top1;
    out.reference_perplexity = evaluation.reference_perplexity;
    out.tokens = evaluation.tokens;
    out.tokens_dropped = evaluation.tokens_dropped;
    out.peak_bytes = evaluation.peak_bytes;
    out.seconds = evaluation.seconds;
    out.device_peak_bytes = evaluation.device_peak_bytes;
    return scrooge::capi::write_info(out, offsetof(scrooge_evaluation, device_peak_bytes), "result", result);
  });
}

}  // extern "C"
