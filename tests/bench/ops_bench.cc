// SPDX-License-Identifier: Apache-2.0
// Every op of src/backend/op_params.h on one device: median time, operations and bytes a second, and the least time
// that the device's peaks allow. `ops_bench --help` lists the options.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "src/backend/backend_list.h"
#include "tests/bench/ops/case.h"
#include "tests/bench/ops/measure.h"
#include "tests/bench/ops/report.h"

namespace scrooge::bench {
namespace {

constexpr std::string_view kUsage = R"(usage: ops_bench [OPTION...]
  --device NAME        cpu (default), cuda:0, vulkan:0 and so on, as scrooge devices lists them
  --shapes NAME,...    tiny, smollm2 (default), 8b; none only describes the device
  --ops NAME,...       only these ops; all by default
  --precision fast|exact   only this, where an op has a choice
  --threads N          of a host device; all processors by default
  --runs N             timed runs of each case after one to warm up, 7 by default; the median counts
  --seconds X          no further run of a case once they took X seconds, 2 by default
  --limit X            no further case once all took X seconds; those left are listed as not run
  --peak-flops X       operations a second of products with fast precision, instead of measuring
  --peak-exact-flops X the same with exact precision
  --peak-bytes X       bytes a second
  --json               one JSON object a line
Exit status: 0; 1 if an op failed or is not handled; 2 for wrong options or a device that is not there.
)";

struct Options {
  std::string device = "cpu";
  std::vector<std::string> shapes = {"smollm2"};
  std::vector<std::string> ops;
  std::string precision;
  int threads = 0;
  Effort effort;
  double limit = 0;
  Peaks given;
  bool json = false;
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

template <typename Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size() && number >= 0;
}

bool parse_option(std::string_view name, std::string_view value, Options& options) {
  if (name == "--device") return options.device = value, true;
  if (name == "--shapes") {
    options.shapes = value == "none" ? std::vector<std::string>{} : split(value);
    for (const std::string& shapes : options.shapes) {
      if (find_shapes(shapes) == nullptr) return false;
    }
    return true;
  }
  if (name == "--ops") return options.ops = split(value), true;
  if (name == "--precision") return options.precision = value, value == "fast" || value == "exact";
  if (name == "--threads") return parse(value, options.threads);
  if (name == "--runs") return parse(value, options.effort.runs);
  if (name == "--seconds") return parse(value, options.effort.seconds);
  if (name == "--limit") return parse(value, options.limit);
  if (name == "--peak-flops") return parse(value, options.given.fast);
  if (name == "--peak-exact-flops") return parse(value, options.given.exact);
  if (name == "--peak-bytes") return parse(value, options.given.bytes);
  return false;
}

bool wanted(const Options& options, const Case& item) {
  if (!options.precision.empty() && item.precision &&
      (*item.precision == backend::Precision::kFast) != (options.precision == "fast")) {
    return false;
  }
  return options.ops.empty() || std::find(options.ops.begin(), options.ops.end(), item.op) != options.ops.end();
}

std::vector<Case> cases_of(const ShapeSet& set, const Options& options) {
  std::vector<Case> cases;
  add_forward_cases(set, cases);
  add_statistics_cases(set, cases);
  add_search_cases(set, cases);
  add_code_cases(set, cases);
  add_rounding_cases(set, cases);
  std::erase_if(cases, [&](const Case& item) { return !wanted(options, item); });
  return cases;
}

Result<Timing> run_case(const Case& item, Workspace& space, const Effort& effort) {
  const Work work = item.prepare(space);
  SCROOGE_RETURN_IF_ERROR(space.status());
  return measure(space.device(), work, effort);
}

// Whether every op did what it was asked.
bool run_shapes(const ShapeSet& set, const Options& options, backend::Device& device, Report& report,
                std::chrono::steady_clock::time_point start) {
  const std::vector<Case> cases = cases_of(set, options);
  Peaks peaks = options.given;
  const bool measured = peaks.fast <= 0 || peaks.exact <= 0 || peaks.bytes <= 0;
  if (measured) {
    const Peaks found = measure_peaks(device, set, options.effort);
    if (peaks.fast <= 0) peaks.fast = found.fast;
    if (peaks.exact <= 0) peaks.exact = found.exact;
    if (peaks.bytes <= 0) peaks.bytes = found.bytes;
  }
  report.peaks(set, peaks, measured);
  bool all_well = true;
  for (const Case& item : cases) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (options.limit > 0 && spent.count() > options.limit) {
      report.not_run(set, item);
      continue;
    }
    Workspace space(device);
    const Result<Timing> timing = run_case(item, space, options.effort);
    if (timing.ok()) {
      report.timed(set, item, *timing, floor_seconds(item, peaks));
    } else {
      report.failed(set, item, timing.status());
      all_well = false;
    }
  }
  return all_well;
}

int run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const int threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  MemoryBudget budget;
  auto device = backend::create_device(options.device, {threads, &budget});
  if (!device.ok()) {
    std::fprintf(stderr, "ops_bench: %s\n", std::string(device.status().message()).c_str());
    return 2;
  }
  Report report(options.json);
  report.device(options.device, (*device)->describe(), threads);
  bool all_well = true;
  for (const std::string& shapes : options.shapes) {
    all_well &= run_shapes(*find_shapes(shapes), options, **device, report, start);
  }
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace scrooge::bench

int main(int argc, char** argv) {
  scrooge::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") return std::fputs(scrooge::bench::kUsage.data(), stdout), 0;
    if (name == "--json") {
      options.json = true;
    } else if (i + 1 < argc && scrooge::bench::parse_option(name, argv[i + 1], options)) {
      ++i;
    } else {
      std::fprintf(stderr, "ops_bench: %s is no option, or its value is not one; --help lists them\n", argv[i]);
      return 2;
    }
  }
  return scrooge::bench::run(options);
}
