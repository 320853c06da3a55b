// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/journal.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <thread>

#include "src/base/checked_size.h"
#include "src/base/digest.h"
#include "src/base/file_map.h"

namespace scrooge::pipeline {
namespace {

constexpr std::string_view kMagic = "SCRGJRN1";
constexpr std::string_view kPublishedMagic = "SCRGDONE";  // instead, once the output has its name
// A block's record holds the group scales of two linears: far below this for any model.
constexpr uint64_t kMaxPayload = uint64_t{1} << 30;

uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

uint64_t load_u64(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void store_u64(std::vector<std::byte>& out, uint64_t value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::map<std::string_view, std::string_view> parse_lines(std::string_view text) {
  std::map<std::string_view, std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) lines[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return lines;
}

}  // namespace

Result<Journal> Journal::open(const std::string& output, const std::function<Status()>& wait) {
  constexpr auto kPause = std::chrono::milliseconds(100);
  for (;;) {
    Journal journal;
    SCROOGE_ASSIGN_OR_RETURN(journal.file_, RandomFile::open(name_of(output), RandomFile::Mode::kCreate));
    while (!journal.file_.try_lock()) {
      SCROOGE_RETURN_IF_ERROR(wait());
      std::this_thread::sleep_for(kPause);
    }
    // The holder may have removed the file between our opening and its letting go; what it left in it tells why.
    const bool in_place = journal.file_.is_in_place();
    SCROOGE_RETURN_IF_ERROR(journal.scan());
    if (in_place || journal.published_) return journal;
  }
}

uint64_t Journal::end() const { return records_.empty() ? 0 : records_.back().end; }

Result<std::vector<std::byte>> Journal::read_payload(const Place& place) const {
  std::vector<std::byte> bytes(static_cast<size_t>(place.end - place.offset));
  SCROOGE_RETURN_IF_ERROR(file_.read_at(place.offset, bytes));
  const uint64_t hash = load_u64(std::span(bytes).last(sizeof(uint64_t)));
  bytes.resize(static_cast<size_t>(place.size));
  if (xxh64(bytes) != hash) {
    return error(StatusCode::kChecksumMismatch, file_.path(), ": the record at byte ", place.offset, " is damaged");
  }
  return bytes;
}

// Finds the whole records. What follows the last of them is a write that a crash cut off.
Status Journal::scan() {
  SCROOGE_ASSIGN_OR_RETURN(const uint64_t size, file_.size());
  std::vector<std::byte> magic(kMagic.size());
  if (size < magic.size()) return {};
  SCROOGE_RETURN_IF_ERROR(file_.read_at(0, magic));
  published_ = std::memcmp(magic.data(), kPublishedMagic.data(), magic.size()) == 0;
  // One that lies there was published and came back after a crash: of no output any more.
  if (published_ && file_.is_in_place()) {
    published_ = false;
    return {};
  }
  // Its size can survive a power cut that its first bytes did not.
  if (load_u64(magic) == 0) return {};
  if (!published_ && std::memcmp(magic.data(), kMagic.data(), magic.size()) != 0) {
    return error(StatusCode::kBadModelFile, file_.path(),
                 ": not a journal of this version; remove it, or start over with --fresh");
  }
  uint64_t offset = magic.size();
  std::vector<std::byte> length(sizeof(uint64_t));
  while (offset < size && size - offset >= 2 * sizeof(uint64_t)) {
    SCROOGE_RETURN_IF_ERROR(file_.read_at(offset, length));
    Place place{offset + sizeof(uint64_t), load_u64(length), 0};
    const CheckedSize record_end = CheckedSize(place.offset) + padded(std::min(place.size, kMaxPayload)) + 8;
    if (place.size > kMaxPayload || !record_end.fits_in(size)) break;
    place.end = record_end.value();
    const auto payload = read_payload(place);
    if (!payload.ok() && payload.status().code() == StatusCode::kChecksumMismatch) break;
    if (!payload.ok()) return payload.status();
    if (records_.empty()) fingerprint_.assign(reinterpret_cast<const char*>(payload->data()), payload->size());
    records_.push_back(place);
    offset = place.end;
  }
  return {};
}

Result<std::vector<std::byte>> Journal::read(size_t index) const { return read_payload(records_[index + 1]); }

Status Journal::start(std::string_view fingerprint) {
  records_.clear();
  SCROOGE_RETURN_IF_ERROR(file_.truncate(0));
  SCROOGE_RETURN_IF_ERROR(file_.write_at(0, std::as_bytes(std::span(kMagic))));
  fingerprint_ = fingerprint;
  return append(std::as_bytes(std::span(fingerprint)));
}

Status Journal::append(std::span<const std::byte> payload) {
  const uint64_t begin = records_.empty() ? kMagic.size() : end();
  std::vector<std::byte> record;
  record.reserve(static_cast<size_t>(padded(payload.size())) + 2 * sizeof(uint64_t));
  store_u64(record, payload.size());
  record.insert(record.end(), payload.begin(), payload.end());
  record.resize(sizeof(uint64_t) + static_cast<size_t>(padded(payload.size())));
  store_u64(record, xxh64(payload));
  SCROOGE_RETURN_IF_ERROR(file_.write_at(begin, record));
  SCROOGE_RETURN_IF_ERROR(file_.sync());
  records_.push_back({begin + sizeof(uint64_t), payload.size(), begin + record.size()});
  return {};
}

Status Journal::truncate(size_t index) {
  records_.resize(index + 1);
  SCROOGE_RETURN_IF_ERROR(file_.truncate(end()));
  return file_.sync();
}

// Removed while still locked, so that no other process can take it up in between. Not made durable: a journal that
// comes back after a crash is one without its output, and the next job starts over.
void Journal::remove() noexcept {
  records_.clear();
  (void)::unlink(file_.path().c_str());
  file_.close();
}

void Journal::publish() noexcept {
  (void)file_.write_at(0, std::as_bytes(std::span(kPublishedMagic)));
  remove();
}

std::string fingerprint_difference(std::string_view was, std::string_view is) {
  const auto before = parse_lines(was);
  const auto now = parse_lines(is);
  std::string text;
  const auto add = [&](std::string_view key, std::string_view from, std::string_view to) {
    text += concat(text.empty() ? "" : "; ", key, ": was ", from, ", is ", to);
  };
  for (const auto& [key, value] : now) {
    const auto found = before.find(key);
    if (found == before.end()) add(key, "absent", value);
    if (found != before.end() && found->second != value) add(key, found->second, value);
  }
  for (const auto& [key, value] : before) {
    if (now.find(key) == now.end()) add(key, value, "absent");
  }
  return text;
}

}  // namespace scrooge::pipeline
