// SPDX-License-Identifier: Apache-2.0
// Status: the one error type of the library. A success costs one null pointer.
// Codes are pinned: they are the values of scrooge_status in include/scrooge/scrooge.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/text.h"

namespace scrooge {

enum class StatusCode : int32_t {
  kOk = 0,
  // 1..19: the call itself
  kInvalidArgument = 1,  // an option or argument is out of range or contradicts another
  kOutOfMemory = 2,      // the allocator refused
  kBudgetExceeded = 3,   // the memory budget is below the minimum; the message names the minimum
  kCancelled = 4,        // the progress callback or a cancel call asked to stop
  kUnavailable = 5,      // the device, driver or feature is not on this machine
  kUnsupported = 6,      // valid input that this version does not handle
  kInternal = 7,         // a broken invariant of the library; please report
  // 20..39: files
  kNotFound = 20,          // a file or folder is missing
  kPermissionDenied = 21,  // not readable, or the output is not writable
  kIoError = 22,           // read, write or sync failed
  kNoSpace = 23,           // the disk is full, or would be
  kInputIsOutput = 24,     // the output would overwrite an input
  kSourceChanged = 25,     // an input changed while it was in use
  // 40..59: inputs
  kBadCheckpoint = 40,  // malformed safetensors, index or GGUF
  kMissingShard = 41,   // the index names a file that is not there
  kMissingTensor = 42,  // the architecture needs a tensor that is not there
  kWrongShape = 43,     // a tensor's shape or type contradicts the config
  kBadConfig = 44,      // config.json or GGUF metadata is malformed or out of range
  kUnknownArchitecture = 45,
  kMissingTokenizer = 46,
  kBadTokenizer = 47,      // malformed tokenizer file
  kUnknownTokenizer = 48,  // a tokenizer model, normalizer or pre-tokenizer this version does not know
  kBadText = 49,           // calibration or evaluation text unusable: empty, too short, bad token ids
  kNonFinite = 50,         // NaN or infinity in weights or activations
  // 60..79: Scrooge's own files
  kBadModelFile = 60,  // not a .scrooge file, or damaged structure
  kChecksumMismatch = 61,
  kUnsupportedVersion = 62,   // needs a newer reader: major version or required feature
  kFingerprintMismatch = 63,  // a journal belongs to other inputs or options
};

// Static, never null: "bad checkpoint" and so on.
std::string_view status_code_name(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return rep_ == nullptr; }
  StatusCode code() const { return rep_ ? rep_->code : StatusCode::kOk; }
  // One sentence: what, where (file, field, offset), and the remedy. Empty when ok.
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : std::string_view(); }
  // The same code with `context` and ": " put before the message; ok stays ok.
  Status with_context(std::string_view context) const;
  // The same code with "; " and `advice` put behind the message; ok stays ok.
  Status with_advice(std::string_view advice) const;

 private:
  struct Rep {
    StatusCode code;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

// error(StatusCode::kNotFound, path, ": no such file"): the parts are joined by concat().
template <typename... Parts>
Status error(StatusCode code, const Parts&... parts) {
  return Status(code, concat(parts...));
}

#define SCROOGE_RETURN_IF_ERROR(expression)                                      \
  do {                                                                           \
    if (::scrooge::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

}  // namespace scrooge
