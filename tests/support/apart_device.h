// SPDX-License-Identifier: Apache-2.0
// A device with memory of its own, for tests: another backend's device behind buffers that are no memory of the host's,
// with limits and faults that a test sets. Numbers that an op writes to host memory arrive with synchronize() and not
// before, and a buffer that is written to is not touched through the host.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/backend/backend_list.h"

namespace scrooge::test {

// What the "apart" backend is like, for the devices that are made next and those there are. One test at a time.
struct ApartState {
  static constexpr uint64_t kStagingBytes = 64 << 10;

  std::string under = "cpu";  // backend that computes
  std::string name = "Apart Test Card";
  std::string driver = "test driver 1";
  std::string unfit;
  uint64_t free_bytes = uint64_t{4} << 30;       // as it says
  uint64_t capacity = MemoryBudget::kUnlimited;  // as it is
  bool integrated = false;
  bool independent_rows = false;
  std::deque<int64_t> lost_after;  // so many calls, then so many of the next device, ...
  int64_t refuse_after = -1;       // so many allocations, once; negative: never
  bool cannot_make = false;        // devices from now on
  // Seen so far.
  int64_t made = 0, calls = 0, allocations = 0, live_buffers = 0;
  uint64_t largest_transfer = 0;
  uint64_t most_used = 0;  // with any allocation that was asked for

  static ApartState& get() {
    static ApartState state;
    return state;
  }
};

class ApartBuffer final : public backend::Buffer {
 public:
  explicit ApartBuffer(std::unique_ptr<Buffer> inner) : Buffer(inner->size(), nullptr), inner_(std::move(inner)) {
    ++ApartState::get().live_buffers;
  }
  ~ApartBuffer() override { --ApartState::get().live_buffers; }
  Buffer* inner() const { return inner_.get(); }

 private:
  std::unique_ptr<Buffer> inner_;
};

class ApartDevice final : public backend::Device {
 public:
  ApartDevice(std::unique_ptr<Device> inner, HostBlock staging, MemoryBudget& budget)
      : inner_(std::move(inner)), staging_(std::move(staging)), budget_(budget) {}

  backend::DeviceInfo describe() const override { return info(inner_->describe()); }
  static backend::DeviceInfo info(const backend::DeviceInfo& inner) {
    const ApartState& state = ApartState::get();
    backend::DeviceInfo result;
    result.backend = "apart";
    result.name = state.name;
    result.driver = state.driver;
    result.features = inner.features;
    result.total_bytes = result.free_bytes = state.free_bytes;
    result.integrated = state.integrated;
    result.independent_rows = state.independent_rows;
    result.unfit = state.unfit;
    return result;
  }

  Result<std::unique_ptr<backend::Buffer>> allocate(uint64_t bytes, std::string_view purpose) override {
    ApartState& state = ApartState::get();
    SCROOGE_RETURN_IF_ERROR(call());
    ++state.allocations;
    // The budget first, as a backend does that asks a driver behind it.
    SCROOGE_RETURN_IF_ERROR(budget_.reserve(bytes, purpose));
    const uint64_t used = budget_.used();
    budget_.give_back(bytes);
    state.most_used = std::max(state.most_used, used);
    const bool refused = state.refuse_after == 0;
    if (state.refuse_after >= 0) --state.refuse_after;
    if (refused || used > state.capacity) {
      return error(StatusCode::kOutOfMemory, purpose, ": the device refused ", bytes, " bytes");
    }
    SCROOGE_ASSIGN_OR_RETURN(auto inner, inner_->allocate(bytes, purpose));
    return std::unique_ptr<backend::Buffer>(std::make_unique<ApartBuffer>(std::move(inner)));
  }
  Status upload(backend::Buffer& to, uint64_t offset, std::span<const std::byte> from) override {
    SCROOGE_RETURN_IF_ERROR(call());
    return staged(from.size(), [&](uint64_t done, std::span<std::byte> piece) {
      std::copy_n(from.begin() + static_cast<ptrdiff_t>(done), piece.size(), piece.begin());
      return inner_->upload(inner(to), offset + done, piece);
    });
  }
  Status download(const backend::Buffer& from, uint64_t offset, std::span<std::byte> to) override {
    SCROOGE_RETURN_IF_ERROR(call());
    return staged(to.size(), [&](uint64_t done, std::span<std::byte> piece) {
      SCROOGE_RETURN_IF_ERROR(inner_->download(inner(from), offset + done, piece));
      std::copy(piece.begin(), piece.end(), to.begin() + static_cast<ptrdiff_t>(done));
      return Status();
    });
  }
  Status copy(const backend::Buffer& from, uint64_t from_offset, backend::Buffer& to, uint64_t to_offset,
              uint64_t bytes) override {
    SCROOGE_RETURN_IF_ERROR(call());
    return inner_->copy(inner(from), from_offset, inner(to), to_offset, bytes);
  }
  Status fill_zero(backend::Buffer& buffer, uint64_t offset, uint64_t bytes) override {
    SCROOGE_RETURN_IF_ERROR(call());
    return inner_->fill_zero(inner(buffer), offset, bytes);
  }
  Status synchronize() override {
    SCROOGE_RETURN_IF_ERROR(call());
    SCROOGE_RETURN_IF_ERROR(inner_->synchronize());
    for (const auto& arrive : arriving_) arrive();
    arriving_.clear();
    return {};
  }

  Status convert(const backend::ConvertParams& p) override { return run(&Ops::convert, p, p.from, p.to); }
  Status gemm(const backend::GemmParams& p) override { return run(&Ops::gemm, p, p.x, p.w, p.y, p.bias); }
  Status gram_accumulate(const backend::GramAccumulateParams& p) override {
    return run(&Ops::gram_accumulate, p, p.a, p.b, p.gram);
  }
  Status column_stats(const backend::ColumnStatsParams& p) override {
    return run(&Ops::column_stats, p, p.x, p.sum_abs, p.sum, p.max_abs);
  }
  Status normalize(const backend::NormalizeParams& p) override { return run(&Ops::normalize, p, p.x, p.y, p.gamma); }
  Status rope(const backend::RopeParams& p) override { return run(&Ops::rope, p, p.x, p.inv_freq); }
  Status attention_causal(const backend::AttentionCausalParams& p) override {
    return run(&Ops::attention_causal, p, p.q, p.k, p.v, p.out);
  }
  Status gate(const backend::GateParams& p) override { return run(&Ops::gate, p, p.a, p.b, p.y); }
  Status add(const backend::AddParams& p) override { return run(&Ops::add, p, p.x, p.y); }
  Status scale_axis(const backend::ScaleAxisParams& p) override { return run(&Ops::scale_axis, p, p.x, p.y, p.s); }
  Status group_params(const backend::GroupParamsParams& p) override {
    return run(&Ops::group_params, p, p.w, p.scales, p.zeros);
  }
  Status scale_search_loss(const backend::ScaleSearchLossParams& p) override {
    backend::ScaleSearchLossParams late = p;
    late.loss = later(p.loss);
    return run(&Ops::scale_search_loss, late, late.w, late.gram, late.candidates, late.row_weight);
  }
  Status clip_search(const backend::ClipSearchParams& p) override {
    return run(&Ops::clip_search, p, p.w, p.gram, p.scales, p.zeros, p.error);
  }
  Status quantize(const backend::QuantizeParams& p) override {
    return run(&Ops::quantize, p, p.w, p.scales, p.zeros, p.codes);
  }
  Status dequantize(const backend::DequantizeParams& p) override {
    return run(&Ops::dequantize, p, p.codes, p.scales, p.zeros, p.w);
  }
  Status pack(const backend::PackParams& p) override { return run(&Ops::pack, p, p.codes, p.packed); }
  Status gram_loss(const backend::GramLossParams& p) override {
    backend::GramLossParams late = p;
    late.loss = later(p.loss);
    return run(&Ops::gram_loss, late, late.a, late.b, late.gram);
  }
  Status gram_factor(const backend::GramFactorParams& p) override {
    return run(&Ops::gram_factor, p, p.gram, p.factor);
  }
  Status gram_solve(const backend::GramSolveParams& p) override { return run(&Ops::gram_solve, p, p.x, p.factor, p.y); }
  Status gptq(const backend::GptqParams& p) override {
    return run(&Ops::gptq, p, p.w, p.scales, p.zeros, p.factor, p.codes);
  }
  Status refit_scales(const backend::RefitScalesParams& p) override {
    return run(&Ops::refit_scales, p, p.w, p.codes, p.zeros, p.gram, p.scales);
  }
  Status refine_codes(const backend::RefineCodesParams& p) override {
    return run(&Ops::refine_codes, p, p.w, p.codes, p.scales, p.zeros, p.gram);
  }
  Status reduce(const backend::ReduceParams& p) override {
    backend::ReduceParams late = p;
    late.result = later({p.result, 1}).data();
    return run(&Ops::reduce, late, late.a, late.b);
  }

 private:
  static backend::Buffer& inner(const backend::Buffer& buffer) {
    return *static_cast<const ApartBuffer&>(buffer).inner();
  }

  // Every call comes through here, and none succeeds once the device is lost.
  Status call() {
    ApartState& state = ApartState::get();
    ++state.calls;
    if (!lost_ && !state.lost_after.empty() && --state.lost_after.front() < 0) {
      lost_ = true;
      state.lost_after.pop_front();
    }
    return lost_ ? error(StatusCode::kUnavailable, "apart: the device is lost") : Status();
  }

  template <typename Move>
  Status staged(size_t bytes, const Move& move) {
    ApartState::get().largest_transfer = std::max<uint64_t>(ApartState::get().largest_transfer, bytes);
    for (size_t done = 0; done < bytes;) {
      const size_t count = std::min(staging_.size(), bytes - done);
      SCROOGE_RETURN_IF_ERROR(move(done, std::span(staging_.data(), count)));
      done += count;
    }
    return {};
  }

  // A copy of the params with the buffers of the device underneath; `places` are members of `params`.
  template <typename Params, typename... Places>
  Status run(Status (Ops::*op)(const Params&), const Params& params, const Places&... places) {
    SCROOGE_RETURN_IF_ERROR(call());
    Params translated = params;
    const auto translate = [&](const auto& place) {
      const auto offset = reinterpret_cast<const char*>(&place) - reinterpret_cast<const char*>(&params);
      auto* const to = reinterpret_cast<std::decay_t<decltype(place)>*>(reinterpret_cast<char*>(&translated) + offset);
      if (to->buffer != nullptr) to->buffer = &inner(*to->buffer);
    };
    (translate(places), ...);
    return (inner_.get()->*op)(translated);
  }

  // Where the device underneath writes what `to` gets with the next synchronize(); until then `to` is NaN.
  std::span<double> later(std::span<double> to) {
    std::fill(to.begin(), to.end(), std::numeric_limits<double>::quiet_NaN());
    auto values = std::make_shared<std::vector<double>>(to.size());
    arriving_.push_back([values, to] { std::copy(values->begin(), values->end(), to.begin()); });
    return *values;
  }

  std::unique_ptr<Device> inner_;
  HostBlock staging_;
  MemoryBudget& budget_;
  std::vector<std::function<void()>> arriving_;
  bool lost_ = false;
};

inline backend::Backend apart_backend() {
  backend::Backend apart;
  apart.name = "apart";
  apart.list_devices = []() -> Result<std::vector<backend::DeviceInfo>> {
    return std::vector<backend::DeviceInfo>{ApartDevice::info({})};
  };
  apart.create = [](int, const backend::DeviceOptions& options) -> Result<std::unique_ptr<backend::Device>> {
    ApartState& state = ApartState::get();
    if (state.cannot_make) return error(StatusCode::kUnavailable, "apart: the driver is gone");
    backend::DeviceOptions inner = options;
    inner.host_budget = nullptr;
    SCROOGE_ASSIGN_OR_RETURN(auto device, backend::create_device(state.under, inner));
    MemoryBudget& host = options.host_budget != nullptr ? *options.host_budget : *options.budget;
    SCROOGE_ASSIGN_OR_RETURN(HostBlock staging, host.allocate(ApartState::kStagingBytes, "staging"));
    ++state.made;
    return std::unique_ptr<backend::Device>(
        std::make_unique<ApartDevice>(std::move(device), std::move(staging), *options.budget));
  };
  apart.scratch_bytes = [](int threads, int64_t k, int64_t n, int64_t sequence) -> uint64_t {
    const auto under = backend::find_backend(ApartState::get().under);
    return under.ok() && (*under)->scratch_bytes != nullptr ? (*under)->scratch_bytes(threads, k, n, sequence) : 0;
  };
  apart.host_scratch_bytes = [](int, int64_t, int64_t, int64_t) { return ApartState::kStagingBytes; };
  return apart;
}

}  // namespace scrooge::test
