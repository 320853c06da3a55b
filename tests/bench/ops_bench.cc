// SPDX-License-Identifier: Apache-2.0
// Speed of the ops that decide a job's time, on the backend named by SCROOGE_BENCH_DEVICE (default "cpu") with
// SCROOGE_BENCH_THREADS workers (default 2). The counter is operations per second of processor time, so per core,
// whatever else the machine does; it counts the full formula, so that tricks such as symmetry show as speed.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "src/backend/backend_list.h"

namespace scrooge::backend {
namespace {

class Bench {
 public:
  Bench() {
    const char* name = std::getenv("SCROOGE_BENCH_DEVICE");
    const char* threads = std::getenv("SCROOGE_BENCH_THREADS");
    auto device =
        create_device(name == nullptr ? "cpu" : name, {threads == nullptr ? 2 : std::atoi(threads), &budget_});
    if (device.ok()) {
      device_ = std::move(*device);
    } else {
      failure_ = device.status();
    }
  }
  // False after telling the framework why there is nothing to measure.
  bool ready(benchmark::State& state) {
    if (failure_.ok()) return true;
    state.SkipWithError(std::string(failure_.message()).c_str());
    return false;
  }
  Device& device() { return *device_; }

  Matrix zeros(int64_t rows, int64_t cols) {
    auto buffer = device_->allocate(static_cast<uint64_t>(rows * cols) * sizeof(float), "benchmark");
    if (!buffer.ok()) {
      failure_ = buffer.status();
      return {};
    }
    buffers_.push_back(std::move(*buffer));
    return {buffers_.back().get(), 0, rows, cols, cols, DType::kF32};
  }
  Matrix random(int64_t rows, int64_t cols, float low = -1, float high = 1) {
    const Matrix m = zeros(rows, cols);
    std::vector<float> values(static_cast<size_t>(rows * cols));
    std::mt19937 engine(7);
    std::uniform_real_distribution<float> draw(low, high);
    for (float& value : values) value = draw(engine);
    if (failure_.ok()) failure_ = device_->upload(*m.buffer, 0, std::as_bytes(std::span<const float>(values)));
    return m;
  }
  template <typename Op>
  void measure(benchmark::State& state, double flops, const Op& op) {
    if (!ready(state)) return;
    for (auto _ : state) {
      failure_ = op();
      if (failure_.ok()) failure_ = device_->synchronize();
      if (!ready(state)) return;
    }
    state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  }

 private:
  MemoryBudget budget_;
  std::unique_ptr<Device> device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  Status failure_;
};

Precision precision_of(int64_t argument) { return argument == 0 ? Precision::kExact : Precision::kFast; }

// Arguments: T, K, N, fast.
void gemm(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), k = state.range(1), n = state.range(2);
  const GemmParams params{bench.random(t, k),          bench.random(n, k), bench.zeros(t, n), {}, 0,
                          precision_of(state.range(3))};
  bench.measure(state, 2.0 * static_cast<double>(t * k * n), [&] { return bench.device().gemm(params); });
}

// Arguments: T, K, fast. Counted as the whole square.
void gram_accumulate(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), k = state.range(1);
  const Matrix x = bench.random(t, k);
  const GramAccumulateParams params{x, x, bench.zeros(k, k), true, false, precision_of(state.range(2))};
  bench.measure(state, 2.0 * static_cast<double>(t * k * k), [&] { return bench.device().gram_accumulate(params); });
}

// Arguments: N, K, C, fast. Counted as C products D G.
void scale_search_loss(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t n = state.range(0), k = state.range(1), c = state.range(2);
  std::vector<double> loss(static_cast<size_t>(c));
  const ScaleSearchLossParams params{
      bench.random(n, k),          bench.random(k, k), bench.random(c, k, 0.5f, 2.0f), QuantSpec{}, {}, loss,
      precision_of(state.range(3))};
  bench.measure(state, 2.0 * static_cast<double>(n * k * k * c),
                [&] { return bench.device().scale_search_loss(params); });
}

// Arguments: N, K, g, R. Counted as R products e G_p.
void clip_search(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t n = state.range(0), k = state.range(1), r = state.range(3);
  QuantSpec spec;
  spec.group = state.range(2);
  std::vector<ClipCandidate> candidates;
  for (int64_t i = 0; i < r; ++i) {
    const float ratio = 1.0f - 0.05f * static_cast<float>(i);
    candidates.push_back({ratio, ratio});
  }
  const int64_t p = spec.groups(k);
  const ClipSearchParams params{bench.random(n, k),    bench.random(k, k), bench.zeros(n, p),
                                bench.zeros(n, p),     bench.zeros(n, p),  spec,
                                std::span(candidates), ClipRule::kEnds};
  bench.measure(state, 2.0 * static_cast<double>(n * k * spec.group_length(k) * r),
                [&] { return bench.device().clip_search(params); });
}

// Arguments: tokens, S, H, Hkv, d, fast. Counted as the causal half of both products.
void attention_causal(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), s = state.range(1), h = state.range(2), kv = state.range(3), d = state.range(4);
  const AttentionCausalParams params{bench.random(t, h * d),
                                     bench.random(t, kv * d),
                                     bench.random(t, kv * d),
                                     bench.zeros(t, h * d),
                                     s,
                                     h,
                                     kv,
                                     d,
                                     0.125f,
                                     precision_of(state.range(5))};
  bench.measure(state, 2.0 * static_cast<double>(t * s * h * d),
                [&] { return bench.device().attention_causal(params); });
}

// Arguments: T, K. Counted as one operation per element.
void normalize(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), k = state.range(1);
  const NormalizeParams params{bench.random(t, k), bench.zeros(t, k), {bench.random(1, k).buffer, 0, k}, 1e-5f};
  bench.measure(state, static_cast<double>(t * k), [&] { return bench.device().normalize(params); });
}

void gate(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), k = state.range(1);
  const GateParams params{bench.random(t, k), bench.random(t, k), bench.zeros(t, k), Activation::kSilu};
  bench.measure(state, static_cast<double>(t * k), [&] { return bench.device().gate(params); });
}

void column_stats(benchmark::State& state) {
  Bench bench;
  if (!bench.ready(state)) return;
  const int64_t t = state.range(0), k = state.range(1);
  const ColumnStatsParams params{
      bench.random(t, k), {bench.zeros(1, k).buffer, 0, k}, {bench.zeros(1, k).buffer, 0, k}, {}};
  bench.measure(state, static_cast<double>(t * k), [&] { return bench.device().column_stats(params); });
}

// The shapes are SmolLM2-135M's: d = 576, F = 1536, 9 heads of 64, 3 of them for keys.
BENCHMARK(gemm)
    ->ArgsProduct({{2048}, {576}, {576, 1536}, {0, 1}})
    ->ArgsProduct({{2048}, {1536}, {576}, {0, 1}})
    ->MeasureProcessCPUTime();
BENCHMARK(gram_accumulate)->ArgsProduct({{2048}, {576, 1536}, {0, 1}})->MeasureProcessCPUTime();
BENCHMARK(scale_search_loss)
    ->ArgsProduct({{1536}, {576}, {39}, {0, 1}})
    ->ArgsProduct({{576}, {1536}, {39}, {0, 1}})
    ->MeasureProcessCPUTime();
BENCHMARK(clip_search)
    ->Args({1536, 576, 64, 11})
    ->Args({576, 1536, 64, 11})
    ->Args({576, 1536, 0, 11})
    ->MeasureProcessCPUTime();
BENCHMARK(attention_causal)->ArgsProduct({{16384}, {512}, {9}, {3}, {64}, {0, 1}})->MeasureProcessCPUTime();
BENCHMARK(normalize)->Args({2048, 576})->MeasureProcessCPUTime();
BENCHMARK(gate)->Args({2048, 1536})->MeasureProcessCPUTime();
BENCHMARK(column_stats)->Args({2048, 1536})->MeasureProcessCPUTime();

}  // namespace
}  // namespace scrooge::backend

BENCHMARK_MAIN();
