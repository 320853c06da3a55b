// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ops/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

namespace scrooge::bench {
namespace {

using backend::Precision;

constexpr double kShort = 1e-3;  // seconds
constexpr int kMostRepeats = 200;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Run {
  double wall = 0;
  double processor = 0;
};

Result<Run> time_run(backend::Device& device, const Work& work, int repeats) {
  if (work.reset) SCROOGE_RETURN_IF_ERROR(work.reset());
  SCROOGE_RETURN_IF_ERROR(device.synchronize());
  const double processor_start = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) SCROOGE_RETURN_IF_ERROR(work.run());
  SCROOGE_RETURN_IF_ERROR(device.synchronize());
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return Run{wall.count() / repeats, (processor_seconds() - processor_start) / repeats};
}

double median(std::vector<double> values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
  return values[middle];
}

// Units of `amount` a second; 0 where it cannot be measured, which the cases themselves then say.
double rate(backend::Device& device, const Work& work, double amount, const Effort& effort, const Status& prepared) {
  if (!prepared.ok()) return 0;
  const Result<Timing> timing = measure(device, work, effort);
  return timing.ok() && timing->seconds > 0 ? amount / timing->seconds : 0;
}

}  // namespace

Result<Timing> measure(backend::Device& device, const Work& work, const Effort& effort) {
  SCROOGE_ASSIGN_OR_RETURN(const Run first, time_run(device, work, 1));
  // Where it took long it may have been for what is compiled once, so it counts only where a second would take too
  // long.
  if (first.wall > 5 * effort.seconds) return Timing{1, first.wall, first.processor};
  int repeats = 1;
  if (!work.reset && first.wall < kShort) {
    SCROOGE_ASSIGN_OR_RETURN(const Run warm, time_run(device, work, 1));  // the first may have compiled something
    if (warm.wall < kShort) {
      repeats = static_cast<int>(std::clamp(std::ceil(kShort / std::max(warm.wall, 1e-9)), 1.0, double{kMostRepeats}));
    }
  }
  std::vector<double> walls;
  double spent = 0;
  double processor = 0;
  while (static_cast<int>(walls.size()) < std::max(1, effort.runs) && spent < effort.seconds) {
    SCROOGE_ASSIGN_OR_RETURN(const Run run, time_run(device, work, repeats));
    walls.push_back(run.wall);
    processor += run.processor;
    spent += run.wall * repeats;
  }
  const auto runs = static_cast<int>(walls.size());
  return Timing{runs, median(walls), processor / runs};
}

Peaks measure_peaks(backend::Device& device, const ShapeSet& set, const Effort& effort) {
  Peaks peaks;
  Workspace space(device);
  const int64_t size = set.peak_size;
  const backend::Matrix x = space.random(size, size), w = space.random(size, size), y = space.zeros(size, size);
  for (const Precision precision : kPrecisions) {
    const backend::GemmParams params{x, w, y, {}, 0, precision};
    (precision == Precision::kFast ? peaks.fast : peaks.exact) =
        rate(device, {[&] { return device.gemm(params); }, {}}, 2 * product(size, size) * double(size), effort,
             space.status());
  }
  space.clear();
  const backend::Matrix from = space.random(1, set.copy_bytes / 4), to = space.zeros(1, set.copy_bytes / 4);
  const auto bytes = static_cast<uint64_t>(set.copy_bytes);
  peaks.bytes = rate(device, {[&] { return device.copy(*from.buffer, 0, *to.buffer, 0, bytes); }, {}},
                     2 * static_cast<double>(bytes), effort, space.status());
  return peaks;
}

double floor_seconds(const Case& item, const Peaks& peaks) {
  const double operations = item.precision == Precision::kFast ? peaks.fast : peaks.exact;
  if (peaks.bytes <= 0 || (item.operations > 0 && operations <= 0)) return 0;
  return std::max(item.operations > 0 ? item.operations / operations : 0, item.bytes / peaks.bytes);
}

}  // namespace scrooge::bench
