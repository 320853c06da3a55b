// SPDX-License-Identifier: Apache-2.0
#include "src/capi/c_support.h"
#include "src/container/repack.h"

using scrooge::Status;
using scrooge::StatusCode;

extern "C" {

void scrooge_repack_options_init(scrooge_repack_options* options, size_t struct_size) {
  scrooge::capi::init_options(options, struct_size, scrooge_repack_options{});
}

scrooge_status scrooge_repack(const scrooge_repack_options* options, scrooge_error** error) {
  return scrooge::capi::guarded(error, [&]() -> Status {
    scrooge_repack_options o;
    scrooge_repack_options_init(&o, sizeof o);
    SCROOGE_RETURN_IF_ERROR(scrooge::capi::read_options(options, sizeof o, "options", o));
    if (o.next != nullptr) return scrooge::error(StatusCode::kInvalidArgument, "options.next: must be NULL");
    if (o.output == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "output: no path given");
    const auto progress = [sink = scrooge::capi::make_progress(o.progress, o.progress_user),
                           watch = scrooge::pipeline::Stopwatch()](uint64_t done, uint64_t total) {
      if (!sink) return true;
      scrooge::pipeline::Progress p;
      p.phase = scrooge::pipeline::Phase::kRepack;
      p.stage = "repack";
      p.fraction = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
      p.elapsed_seconds = watch.seconds();
      return sink(p);
    };
    const std::string layout = o.layout == nullptr ? "canonical" : o.layout;
    return scrooge::container::repack(scrooge::capi::text_or_empty(o.input), o.output, layout, progress).status();
  });
}

}  // extern "C"
