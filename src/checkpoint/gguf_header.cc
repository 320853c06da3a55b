// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/gguf_header.h"

#include <algorithm>
#include <utility>

#include "src/checkpoint/gguf_parser.h"

namespace scrooge::checkpoint {
namespace {

// Real headers, vocabulary included, stay below 32 MiB.
constexpr uint64_t kMaxHeader = 512ull << 20;
constexpr uint64_t kFirstRead = 1ull << 20;

}  // namespace

Result<GgufHeader> GgufHeader::parse(std::span<const std::byte> bytes, std::string name) {
  GgufParser parser(std::vector<std::byte>(bytes.begin(), bytes.end()), bytes.size(), std::move(name));
  SCROOGE_RETURN_IF_ERROR(parser.run());
  return parser.take();
}

// The length of the header is known only after parsing it, so a prefix is tried and made four times longer while the
// header does not fit.
Result<GgufHeader> GgufHeader::read(const FileMap& file) {
  for (uint64_t length = std::min(kFirstRead, file.size());; length = std::min(length * 4, file.size())) {
    std::vector<std::byte> bytes(length);
    SCROOGE_RETURN_IF_ERROR(file.read(0, bytes));
    GgufParser parser(std::move(bytes), file.size(), file.path());
    const Status status = parser.run();
    if (status.ok()) return parser.take();
    if (!parser.needs_more()) return status;
    if (length >= kMaxHeader) {
      return error(StatusCode::kBadCheckpoint, file.path(), ": the header is longer than the limit of ", kMaxHeader,
                   " bytes; download the file again");
    }
  }
}

std::optional<GgufValue> GgufHeader::find(std::string_view key) const {
  const auto at = std::lower_bound(values_.begin(), values_.end(), key,
                                   [](const GgufValue& value, std::string_view k) { return value.key() < k; });
  if (at == values_.end() || at->key() != key) return std::nullopt;
  return *at;
}

Result<GgufValue> GgufHeader::get(std::string_view key) const {
  if (auto value = find(key)) return *value;
  return error(StatusCode::kBadConfig, *name_, ": metadata key ", printable(key), " is missing");
}

Result<uint64_t> GgufHeader::get_u64(std::string_view key) const {
  SCROOGE_ASSIGN_OR_RETURN(const GgufValue value, get(key));
  return value.as_u64();
}

Result<double> GgufHeader::get_f64(std::string_view key) const {
  SCROOGE_ASSIGN_OR_RETURN(const GgufValue value, get(key));
  return value.as_f64();
}

Result<bool> GgufHeader::get_bool(std::string_view key) const {
  SCROOGE_ASSIGN_OR_RETURN(const GgufValue value, get(key));
  return value.as_bool();
}

Result<std::string_view> GgufHeader::get_string(std::string_view key) const {
  SCROOGE_ASSIGN_OR_RETURN(const GgufValue value, get(key));
  return value.as_string();
}

}  // namespace scrooge::checkpoint
