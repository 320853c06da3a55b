// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/durable_states.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "src/base/digest.h"

namespace scrooge::pipeline {

using backend::Matrix;
using calibration::HiddenStates;

struct DurableStates::Header {
  char magic[8] = {'S', 'C', 'R', 'G', 'S', 'T', 'T', '1'};
  uint64_t block = 0;
  uint64_t fingerprint = 0;
  uint64_t bytes = 0;
  uint64_t digest = 0;
  uint64_t zeros[2] = {};
  uint64_t check = 0;

  uint64_t expected() const { return xxh64(std::as_bytes(std::span(this, 1)).first(offsetof(Header, check))); }
};

namespace {

constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kSlots = 2;

// So that slots begin on pages of their own.
uint64_t slot_bytes(uint64_t state_bytes) { return (kHeaderBytes + state_bytes + 4095) / 4096 * 4096; }

// use(offset of a piece of `matrix`, host memory for it): the device's own where that is the host's, else `staging`,
// which stays empty in the first case.
template <typename Use>
Status each_piece(const Matrix& matrix, backend::Device& device, std::vector<std::byte>& staging, const Use& use) {
  std::byte* const memory = matrix.buffer->host_data();
  if (memory != nullptr) SCROOGE_RETURN_IF_ERROR(device.synchronize());
  const uint64_t bytes = float_bytes(matrix.rows * matrix.cols);
  for (uint64_t done = 0; done < bytes;) {
    const auto count = static_cast<size_t>(std::min(DurableStates::kPieceBytes, bytes - done));
    if (memory == nullptr) staging.resize(count);
    SCROOGE_RETURN_IF_ERROR(
        use(done, memory != nullptr ? std::span(memory + matrix.offset + done, count) : std::span(staging)));
    done += count;
  }
  return {};
}

}  // namespace

uint64_t DurableStates::file_bytes(uint64_t state_bytes) { return kSlots * slot_bytes(state_bytes); }

void DurableStates::remove(const std::string& output) noexcept {
  try {
    (void)::unlink(name_of(output).c_str());
  } catch (const std::bad_alloc&) {  // the name; the file stays, and is of no job any more
  }
}

Result<DurableStates> DurableStates::open(const std::string& output, std::string_view fingerprint, uint64_t state_bytes,
                                          backend::Device& device) {
  static_assert(sizeof(Header) == kHeaderBytes);
  DurableStates states;
  states.device_ = &device;
  states.fingerprint_ = xxh64(std::as_bytes(std::span(fingerprint)));
  states.state_bytes_ = state_bytes;
  SCROOGE_ASSIGN_OR_RETURN(states.file_, RandomFile::open(name_of(output), RandomFile::Mode::kCreate));
  SCROOGE_RETURN_IF_ERROR(states.file_.reserve(file_bytes(state_bytes), "hidden states to go on from"));
  return states;
}

uint64_t DurableStates::slot_offset(int64_t slot) const {
  return static_cast<uint64_t>(slot) * slot_bytes(state_bytes_);
}

Status DurableStates::save(int64_t block, std::span<HiddenStates* const> streams, const std::function<Status()>& tick) {
  const uint64_t begin = slot_offset(block % static_cast<int64_t>(kSlots));
  // An old header must not vouch for new states.
  const std::array<std::byte, kHeaderBytes> none{};
  SCROOGE_RETURN_IF_ERROR(file_.write_at(begin, none));
  SCROOGE_RETURN_IF_ERROR(file_.sync());
  Header header;
  header.block = static_cast<uint64_t>(block);
  header.fingerprint = fingerprint_;
  Xxh64 digest;
  std::vector<std::byte> staging;
  for (HiddenStates* const stream : streams) {
    for (int64_t chunk = 0; chunk < stream->chunking().chunks(); ++chunk) {
      SCROOGE_ASSIGN_OR_RETURN(const Matrix h, stream->load(chunk));
      const auto put = [&](uint64_t done, std::span<std::byte> piece) -> Status {
        SCROOGE_RETURN_IF_ERROR(tick());
        if (!staging.empty()) SCROOGE_RETURN_IF_ERROR(device_->download(*h.buffer, h.offset + done, piece));
        digest.update(piece);
        const uint64_t at = begin + kHeaderBytes + header.bytes;
        SCROOGE_RETURN_IF_ERROR(file_.write_at(at, piece));
        file_.write_back(at, piece.size());
        header.bytes += piece.size();
        return {};
      };
      SCROOGE_RETURN_IF_ERROR(each_piece(h, *device_, staging, put));
    }
  }
  SCROOGE_RETURN_IF_ERROR(file_.write_out(begin, kHeaderBytes + header.bytes, tick));
  SCROOGE_RETURN_IF_ERROR(file_.sync());
  header.digest = digest.finish();
  header.check = header.expected();
  SCROOGE_RETURN_IF_ERROR(file_.write_at(begin, std::as_bytes(std::span(&header, 1))));
  SCROOGE_RETURN_IF_ERROR(file_.sync());
  file_.drop_cached(begin, kHeaderBytes + header.bytes);  // read again by another process, if ever
  return {};
}

Result<DurableStates::Header> DurableStates::read_header(int64_t slot) const {
  Header header;
  SCROOGE_RETURN_IF_ERROR(file_.read_at(slot_offset(slot), std::as_writable_bytes(std::span(&header, 1))));
  return header;
}

Result<bool> DurableStates::load_slot(int64_t slot, const Header& header, std::span<HiddenStates* const> streams,
                                      const std::function<Status()>& tick) {
  uint64_t at = slot_offset(slot) + kHeaderBytes;
  Xxh64 digest;
  std::vector<std::byte> staging;
  for (HiddenStates* const stream : streams) {
    for (int64_t chunk = 0; chunk < stream->chunking().chunks(); ++chunk) {
      const Matrix h = stream->place(chunk);
      const auto take = [&](uint64_t done, std::span<std::byte> piece) -> Status {
        SCROOGE_RETURN_IF_ERROR(tick());
        SCROOGE_RETURN_IF_ERROR(file_.read_at(at, piece));
        digest.update(piece);
        at += piece.size();
        return staging.empty() ? Status() : device_->upload(*h.buffer, h.offset + done, piece);
      };
      SCROOGE_RETURN_IF_ERROR(each_piece(h, *device_, staging, take));
      SCROOGE_RETURN_IF_ERROR(stream->store(chunk));
    }
  }
  return digest.finish() == header.digest;
}

Result<int64_t> DurableStates::load(int64_t last, std::span<HiddenStates* const> streams,
                                    const std::function<Status()>& tick) {
  struct Found {
    int64_t slot;
    Header header;
  };
  std::vector<Found> found;
  for (int64_t slot = 0; slot < static_cast<int64_t>(kSlots); ++slot) {
    SCROOGE_ASSIGN_OR_RETURN(const Header header, read_header(slot));
    const bool whole = std::equal(std::begin(header.magic), std::end(header.magic), Header().magic) &&
                       header.check == header.expected();
    if (!whole || header.fingerprint != fingerprint_ || header.bytes != state_bytes_) continue;
    if (last >= 0 && header.block <= static_cast<uint64_t>(last)) found.push_back({slot, header});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.header.block > b.header.block; });
  for (const Found& state : found) {
    SCROOGE_ASSIGN_OR_RETURN(const bool intact, load_slot(state.slot, state.header, streams, tick));
    if (intact) return static_cast<int64_t>(state.header.block);
  }
  return -1;
}

}  // namespace scrooge::pipeline
