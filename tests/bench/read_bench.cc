// SPDX-License-Identifier: Apache-2.0
// All weights of a checkpoint as f32, in the tiles in which blocks are loaded: copied through pread, as the library
// does, against read in place from a map. SCROOGE_BENCH_MODEL names the checkpoint. Cold runs drop the page cache of
// the file first.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "src/checkpoint/checkpoint.h"
#include "src/checkpoint/dequantize.h"

namespace scrooge::checkpoint {
namespace {

constexpr int64_t kTileFloats = 1 << 18;

class Model {
 public:
  Model() {
    const char* path = std::getenv("SCROOGE_BENCH_MODEL");
    auto opened = open_checkpoint(path == nullptr ? "" : path);
    if (opened.ok()) weights_ = std::move(opened->weights);
  }
  const WeightSource* weights() const { return weights_.get(); }

  void drop_page_cache() const {
    for (const FileMap& file : weights_->files()) {
      (void)::madvise(const_cast<std::byte*>(file.bytes().data()), file.size(), MADV_DONTNEED);
      const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
      (void)::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
      (void)::close(descriptor);
    }
  }

  // Calls read(tensor, first row, rows, out) for every tile.
  template <typename Read>
  int64_t each_tile(const Read& read) {
    int64_t bytes = 0;
    for (const TensorInfo& tensor : weights_->tensors()) {
      if (tensor.shape.size() != 2) continue;
      weights_->prefetch(tensor);
      const int64_t tile = std::clamp<int64_t>(kTileFloats / tensor.cols(), 1, tensor.rows());
      for (int64_t first = 0; first < tensor.rows(); first += tile) {
        const int64_t rows = std::min(tile, tensor.rows() - first);
        out_.resize(static_cast<size_t>(rows * tensor.cols()));
        read(tensor, first, rows, std::span<float>(out_));
        benchmark::DoNotOptimize(out_.data());
      }
      weights_->drop(tensor);
      bytes += static_cast<int64_t>(tensor.bytes);
    }
    return bytes;
  }

 private:
  std::unique_ptr<WeightSource> weights_;
  std::vector<float> out_;
};

template <typename Read>
void run(benchmark::State& state, const Read& read) {
  Model model;
  if (model.weights() == nullptr) {
    state.SkipWithError("set SCROOGE_BENCH_MODEL to a checkpoint");
    return;
  }
  const bool cold = state.range(0) != 0;
  int64_t bytes = 0;
  for (auto _ : state) {
    if (cold) {
      state.PauseTiming();
      model.drop_page_cache();
      state.ResumeTiming();
    }
    bytes += model.each_tile([&](const TensorInfo& tensor, int64_t first, int64_t rows, std::span<float> out) {
      read(*model.weights(), tensor, first, rows, out);
    });
  }
  state.SetBytesProcessed(bytes);
}

void ReadByPread(benchmark::State& state) {
  run(state, [](const WeightSource& weights, const TensorInfo& tensor, int64_t first, int64_t rows,
                std::span<float> out) { (void)weights.read_rows(tensor, first, rows, out); });
}

void ReadFromMap(benchmark::State& state) {
  run(state, [](const WeightSource& weights, const TensorInfo& tensor, int64_t first, int64_t rows,
                std::span<float> out) {
    const StoredLayout layout = stored_layout(tensor.type);
    const auto row_bytes = static_cast<uint64_t>(tensor.cols() / layout.block_length * layout.block_bytes);
    dequantize(tensor.type,
               weights.files()[static_cast<size_t>(tensor.file)].bytes().subspan(
                   tensor.offset + static_cast<uint64_t>(first) * row_bytes, static_cast<uint64_t>(rows) * row_bytes),
               out);
  });
}

BENCHMARK(ReadByPread)->ArgName("cold")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(ReadFromMap)->ArgName("cold")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace scrooge::checkpoint

BENCHMARK_MAIN();
