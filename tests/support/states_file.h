// SPDX-License-Identifier: Apache-2.0
// A small file of kept hidden states (pipeline/durable_states.h), with checksums that are right whatever else is not.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "src/backend/backend_list.h"
#include "src/base/digest.h"
#include "src/pipeline/durable_states.h"
#include "tests/support/byte_writer.h"

namespace scrooge::test {

inline constexpr std::string_view kStatesFingerprint = "a=1\n";
inline constexpr calibration::Chunking kStatesChunking{3, 2, 2};
inline constexpr int64_t kStatesWidth = 5;
inline constexpr uint64_t kStatesBytes = 3 * 2 * 5 * sizeof(float);
inline constexpr size_t kStatesHeader = 64;
inline constexpr size_t kStatesSlot = 4096;

// One slot: the header of `block` and the states, all `value`. `bytes` is what the header says of their size.
inline std::string states_slot(uint64_t block, float value, uint64_t bytes = kStatesBytes) {
  ByteWriter states;
  for (uint64_t i = 0; i < kStatesBytes / sizeof(float); ++i) states.put(value);
  ByteWriter header;
  header.raw("SCRGSTT1").put(block).put(xxh64(std::as_bytes(std::span(kStatesFingerprint)))).put(bytes);
  header.put(xxh64(std::as_bytes(std::span(states.bytes())))).put(uint64_t{0}).put(uint64_t{0});
  header.put(xxh64(std::as_bytes(std::span(header.bytes()))));
  std::string slot = header.bytes() + states.bytes();
  slot.resize(kStatesSlot);
  return slot;
}

// The checksum of the header put right.
inline void seal_states(std::string& file, size_t slot) {
  const size_t begin = slot * kStatesSlot;
  if (file.size() < begin + kStatesHeader) return;
  const uint64_t check = xxh64(std::as_bytes(std::span(file)).subspan(begin, kStatesHeader - sizeof check));
  std::memcpy(file.data() + begin + kStatesHeader - sizeof check, &check, sizeof check);
}

// What going on behind a block no later than `last` finds in OUTPUT.states: the block, or -1; and the first number.
inline Result<int64_t> load_states(const std::string& output, int64_t last, float* first = nullptr) {
  static MemoryBudget budget;
  static const auto device = backend::create_device("reference", {1, &budget});
  SCROOGE_RETURN_IF_ERROR(device.status());
  SCROOGE_ASSIGN_OR_RETURN(auto states,
                           calibration::HiddenStates::create(**device, kStatesChunking, kStatesWidth, "states"));
  SCROOGE_ASSIGN_OR_RETURN(auto file,
                           pipeline::DurableStates::open(output, kStatesFingerprint, kStatesBytes, **device));
  calibration::HiddenStates* const streams[] = {&states};
  SCROOGE_ASSIGN_OR_RETURN(const int64_t block, file.load(last, streams, [] { return Status(); }));
  if (first != nullptr) std::memcpy(first, states.chunk(0).buffer->host_data(), sizeof *first);
  return block;
}

}  // namespace scrooge::test
