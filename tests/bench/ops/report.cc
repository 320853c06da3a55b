// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ops/report.h"

#include <cstdio>
#include <string>

#include "src/base/json.h"

namespace scrooge::bench {
namespace {

constexpr double kGiga = 1e9;

const char* precision_name(const Case& item) {
  if (!item.precision) return "";
  return *item.precision == backend::Precision::kFast ? "fast" : "exact";
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_row(const Case& item, std::string_view figures) {
  char head[96];
  std::snprintf(head, sizeof head, "%-17s %-5s  %-38s ", item.op.c_str(), precision_name(item), item.shape.c_str());
  print_line(concat(head, figures));
}

// 3 digits that count, in a unit that suits.
std::string time_text(double seconds) {
  char text[32];
  if (seconds <= 0) return "-";
  if (seconds < 1e-3) {
    std::snprintf(text, sizeof text, "%.3g us", seconds * 1e6);
  } else if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.3g s", seconds);
  }
  return text;
}

JsonWriter& begin_case(JsonWriter& json, const ShapeSet& set, const Case& item) {
  json.begin_object().field("shapes", set.name).field("op", item.op).field("shape", item.shape);
  return json.field("precision", precision_name(item));
}

}  // namespace

void Report::device(std::string_view name, const backend::DeviceInfo& info, int threads) {
  if (json_) {
    JsonWriter json;
    json.begin_object().field("device", name).field("backend", info.backend).field("name", info.name);
    json.field("driver", info.driver).field("features", info.features).field("software", info.software);
    json.field("host_memory", info.host_memory).field("total_bytes", info.total_bytes).field("threads", threads);
    print_line(json.end_object().text());
    return;
  }
  print_line(concat(name, ": ", info.name, info.driver.empty() ? "" : ", ", info.driver,
                    info.features.empty() ? "" : " (", info.features, info.features.empty() ? "" : ")",
                    info.software ? "; a software driver, no measure of any card" : ""));
}

void Report::peaks(const ShapeSet& set, const Peaks& peaks, bool measured) {
  if (json_) {
    JsonWriter json;
    json.begin_object().field("shapes", set.name).field("peak_fast_flops", peaks.fast);
    json.field("peak_exact_flops", peaks.exact).field("peak_bytes", peaks.bytes).field("measured", measured);
    print_line(json.end_object().text());
    return;
  }
  print_line(concat("\nshapes ", set.name, ", ", measured ? "measured" : "given", " peaks: ",
                    format_fixed(peaks.fast / kGiga, 0), " GFLOP/s fast, ", format_fixed(peaks.exact / kGiga, 0),
                    " GFLOP/s exact, ", format_fixed(peaks.bytes / kGiga, 0), " GB/s"));
  char head[160];
  std::snprintf(head, sizeof head, "%-17s %-5s  %-38s %9s %9s %10s %9s %9s %7s %4s", "op", "", "shape", "median",
                "processor", "GFLOP/s", "GB/s", "floor", "reached", "runs");
  print_line(head);
}

void Report::timed(const ShapeSet& set, const Case& item, const Timing& timing, double floor) {
  const double seconds = timing.seconds > 0 ? timing.seconds : 1e-9;
  if (json_) {
    JsonWriter json;
    begin_case(json, set, item).field("runs", timing.runs).field("seconds", timing.seconds);
    json.field("processor_seconds", timing.processor_seconds).field("operations", item.operations);
    json.field("bytes", item.bytes).field("flops_per_second", item.operations / seconds);
    json.field("bytes_per_second", item.bytes / seconds).field("floor_seconds", floor);
    print_line(json.field("reached", floor / seconds).end_object().text());
    return;
  }
  char row[128];
  std::snprintf(row, sizeof row, "%9s %9s %10.1f %9.1f %9s %6.0f%% %4d", time_text(timing.seconds).c_str(),
                time_text(timing.processor_seconds).c_str(), item.operations / seconds / kGiga,
                item.bytes / seconds / kGiga, time_text(floor).c_str(), 100 * floor / seconds, timing.runs);
  print_row(item, row);
}

void Report::failed(const ShapeSet& set, const Case& item, const Status& status) {
  if (json_) {
    JsonWriter json;
    begin_case(json, set, item).field("error", concat(status_code_name(status.code()), ": ", status.message()));
    print_line(json.end_object().text());
    return;
  }
  print_row(item, concat(status_code_name(status.code()), ": ", status.message()));
}

void Report::not_run(const ShapeSet& set, const Case& item) {
  if (json_) {
    JsonWriter json;
    print_line(begin_case(json, set, item).field("not_run", true).end_object().text());
    return;
  }
  print_row(item, "not run: the time was over");
}

}  // namespace scrooge::bench
