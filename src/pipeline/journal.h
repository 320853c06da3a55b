// SPDX-License-Identifier: Apache-2.0
// The journal beside an unfinished output: what job it is, and what of it is finished. A record counts once it is
// whole and its checksum is right; what a crash tore off the end is ignored.
//
//   "SCRGJRN1", then records: u64 payload bytes, payload, zeros up to a multiple of 8, u64 XXH64 of the payload
//
// The first payload is the job's fingerprint, lines of "key=value"; the others are the caller's (block_record.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/random_file.h"

namespace scrooge::pipeline {

// Movable; one thread. Locked against other processes while open.
class Journal {
 public:
  static std::string name_of(const std::string& output) { return output + ".journal"; }

  // The journal of an output: opened where there is one, else empty. While another process has it, `wait` is called
  // several times a second; its error ends the waiting. kBadModelFile when the file is something else. Where that
  // process published the output meanwhile, the result is its journal, to read only: published().
  static Result<Journal> open(const std::string& output, const std::function<Status()>& wait);

  bool published() const { return published_; }
  bool empty() const { return records_.empty(); }
  // REQUIRES: not empty.
  const std::string& fingerprint() const { return fingerprint_; }
  // Records after the fingerprint.
  size_t size() const { return records_.empty() ? 0 : records_.size() - 1; }
  // kIoError, kChecksumMismatch.
  Result<std::vector<std::byte>> read(size_t index) const;

  // Starts over with this fingerprint; durable on return, but for the file's name, which sync_folder() makes so.
  Status start(std::string_view fingerprint);
  // Durable on return.
  Status append(std::span<const std::byte> payload);
  // Forgets the records from `index` on.
  Status truncate(size_t index);
  // As far as that is possible. Allocates nothing.
  void remove() noexcept;
  // The same, and tells processes that wait that the output is there.
  void publish() noexcept;

 private:
  struct Place {
    uint64_t offset = 0;  // of the payload
    uint64_t size = 0;
    uint64_t end = 0;  // of the record
  };
  Status scan();
  Result<std::vector<std::byte>> read_payload(const Place& place) const;
  uint64_t end() const;

  RandomFile file_;
  std::string fingerprint_;
  std::vector<Place> records_;
  bool published_ = false;
};

// What differs between two fingerprints, as "key: was A, is B; ..."; empty when they are equal.
std::string fingerprint_difference(std::string_view was, std::string_view is);

}  // namespace scrooge::pipeline
