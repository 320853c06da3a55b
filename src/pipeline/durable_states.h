// SPDX-License-Identifier: Apache-2.0
// The hidden states behind the last finished block, kept beside the unfinished output so that going on need not run all
// finished blocks again. OUTPUT.states has two slots, written in turn: a crash while one is written leaves the other.
//
// A slot is a header of 64 bytes, "SCRGSTT1", u64 block, u64 XXH64 of the fingerprint, u64 bytes, u64 XXH64 of the
// states, zeros, u64 XXH64 of what precedes it; then the states, stream after stream. The states are durable before the
// header is.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/random_file.h"
#include "src/calibration/hidden_states.h"

namespace scrooge::pipeline {

// Movable; one thread. The device must outlive it.
class DurableStates {
 public:
  static std::string name_of(const std::string& output) { return output + ".states"; }
  static uint64_t file_bytes(uint64_t state_bytes);
  // As far as that is possible: for a job that starts over, or does without.
  static void remove(const std::string& output) noexcept;

  // Opened where it is there, else made. kNoSpace when the disk lacks file_bytes().
  static Result<DurableStates> open(const std::string& output, std::string_view fingerprint, uint64_t state_bytes,
                                    backend::Device& device);

  // Moved at once; through host memory of that size where the device's is not the host's.
  static constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

  // Durable on return: the states behind `block`. `tick` is called between pieces, as for the next; its error ends the
  // call.
  Status save(int64_t block, std::span<calibration::HiddenStates* const> streams, const std::function<Status()>& tick);
  // The newest states that are intact and not behind a later block than `last`: their block, or -1 when there are none.
  // What the streams held is lost either way.
  Result<int64_t> load(int64_t last, std::span<calibration::HiddenStates* const> streams,
                       const std::function<Status()>& tick);

 private:
  struct Header;
  uint64_t slot_offset(int64_t slot) const;
  Result<Header> read_header(int64_t slot) const;
  Result<bool> load_slot(int64_t slot, const Header& header, std::span<calibration::HiddenStates* const> streams,
                         const std::function<Status()>& tick);

  backend::Device* device_ = nullptr;
  RandomFile file_;
  uint64_t fingerprint_ = 0;
  uint64_t state_bytes_ = 0;
};

}  // namespace scrooge::pipeline
