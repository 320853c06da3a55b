// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/device_rates.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <vector>

namespace scrooge::pipeline {

using backend::Device;
using backend::Matrix;
using backend::Precision;

namespace {

// A core that nothing is known of, and cards as they are common: orders of magnitude, to compare settings by.
constexpr DeviceRates kCore{40e9, 40e9, 8e9, false};
constexpr DeviceRates kCuda{30e12, 200e12, 1e12, false};
constexpr DeviceRates kCard{3e12, 3e12, 2e11, false};
constexpr DeviceRates kIntegrated{3e11, 3e11, 3e10, false};

constexpr double kCoreBytes = 12e9;  // a second, read and written together

// Of the calling thread, on which a device of one thread works.
double processor_seconds() {
  timespec now{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Operations a second, of the best of some runs; 0 where it cannot be told. The first run, which prepares, counts only
// where another would take too long.
double product_rate(Device& device, const Matrix& x, const Matrix& w, const Matrix& y, Precision precision) {
  constexpr int kRuns = 8;
  constexpr double kEnough = 10e-3;   // seconds behind the first run
  constexpr double kTooLong = 50e-3;  // of the first one
  double least = 0;
  double spent = 0;
  for (int run = 0; run < kRuns && spent < kEnough; ++run) {
    const double start = processor_seconds();
    if (!device.gemm({x, w, y, {}, 0, precision}).ok() || !device.synchronize().ok()) return 0;
    const double seconds = processor_seconds() - start;
    if (run == 0 && seconds < kTooLong) continue;
    least = least > 0 ? std::min(least, seconds) : seconds;
    spent += seconds;
  }
  const double operations = 2 * static_cast<double>(x.rows) * static_cast<double>(w.rows) * static_cast<double>(w.cols);
  return least > 0 ? operations / least : 0;
}

// Of one core; the stated one where anything fails.
DeviceRates measure_core(const ChosenDevice& chosen) {
  constexpr int64_t kTokens = 256;
  constexpr int64_t kWidth = 512;
  MemoryBudget budget;
  const auto device = chosen.create({1, &budget});
  if (!device.ok()) return kCore;
  constexpr int64_t kFloats = kWidth * kWidth + 2 * kTokens * kWidth;
  const auto buffer = (*device)->allocate(float_bytes(kFloats), "a product to time");
  if (!buffer.ok()) return kCore;
  // Numbers of ordinary size: products of zeros, or of what memory held, may take another time.
  std::vector<float> values(static_cast<size_t>(kFloats));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 31) - 15.5f;
  if (!(*device)->upload(**buffer, 0, std::as_bytes(std::span(values))).ok()) return kCore;
  const auto matrix = [&](int64_t first, int64_t rows) {
    return Matrix{buffer->get(), float_bytes(first), rows, kWidth, kWidth, DType::kF32};
  };
  const Matrix w = matrix(0, kWidth);
  const Matrix x = matrix(kWidth * kWidth, kTokens);
  const Matrix y = matrix(kWidth * kWidth + kTokens * kWidth, kTokens);
  const double exact = product_rate(**device, x, w, y, Precision::kExact);
  const double fast = product_rate(**device, x, w, y, Precision::kFast);
  if (!(exact > 0) || !(fast > 0)) return kCore;
  return {exact, std::max(exact, fast), kCoreBytes, true};
}

// By backend; there are few.
struct Cache {
  std::mutex mutex;
  struct Entry {
    const backend::Backend* backend = nullptr;
    DeviceRates core;
  };
  std::array<Entry, 8> entries;
};

DeviceRates core_rates(const ChosenDevice& device) {
  static constinit Cache cache;
  const std::lock_guard lock(cache.mutex);
  for (Cache::Entry& entry : cache.entries) {
    if (entry.backend == device.backend) return entry.core;
    if (entry.backend != nullptr) continue;
    entry = {device.backend, measure_core(device)};
    return entry.core;
  }
  return measure_core(device);
}

}  // namespace

DeviceRates device_rates(const ChosenDevice& device, int threads) {
  const backend::DeviceInfo& info = device.info;
  if (!info.host_memory && !info.software) {
    return info.integrated ? kIntegrated : device.backend->name == "cuda" ? kCuda : kCard;
  }
  DeviceRates rates = info.host_memory ? core_rates(device) : kCore;
  const double cores = std::clamp(threads, 1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  rates.exact *= cores;
  rates.fast *= cores;
  rates.bytes *= cores;
  return rates;
}

}  // namespace scrooge::pipeline
