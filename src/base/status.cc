// SPDX-License-Identifier: Apache-2.0
#include "src/base/status.h"

namespace scrooge {

std::string_view status_code_name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "ok";
    case StatusCode::kInvalidArgument: return "invalid argument";
    case StatusCode::kOutOfMemory: return "out of memory";
    case StatusCode::kBudgetExceeded: return "memory budget too small";
    case StatusCode::kCancelled: return "cancelled";
    case StatusCode::kUnavailable: return "unavailable";
    case StatusCode::kUnsupported: return "unsupported";
    case StatusCode::kInternal: return "internal error";
    case StatusCode::kNotFound: return "not found";
    case StatusCode::kPermissionDenied: return "permission denied";
    case StatusCode::kIoError: return "input/output error";
    case StatusCode::kNoSpace: return "no space left";
    case StatusCode::kInputIsOutput: return "output equals an input";
    case StatusCode::kSourceChanged: return "input changed while in use";
    case StatusCode::kBadCheckpoint: return "bad checkpoint";
    case StatusCode::kMissingShard: return "missing shard";
    case StatusCode::kMissingTensor: return "missing tensor";
    case StatusCode::kWrongShape: return "wrong shape";
    case StatusCode::kBadConfig: return "bad config";
    case StatusCode::kUnknownArchitecture: return "unknown architecture";
    case StatusCode::kMissingTokenizer: return "missing tokenizer";
    case StatusCode::kBadTokenizer: return "bad tokenizer";
    case StatusCode::kUnknownTokenizer: return "unknown tokenizer";
    case StatusCode::kBadText: return "unusable text";
    case StatusCode::kNonFinite: return "non-finite values";
    case StatusCode::kBadModelFile: return "bad model file";
    case StatusCode::kChecksumMismatch: return "checksum mismatch";
    case StatusCode::kUnsupportedVersion: return "unsupported version";
    case StatusCode::kFingerprintMismatch: return "fingerprint mismatch";
  }
  return "unknown status";
}

Status::Status(StatusCode code, std::string message) {
  if (code != StatusCode::kOk) rep_ = std::make_unique<Rep>(Rep{code, std::move(message)});
}

Status::Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
  return *this;
}

Status Status::with_context(std::string_view context) const {
  if (ok()) return {};
  return Status(code(), concat(context, ": ", message()));
}

Status Status::with_advice(std::string_view advice) const {
  if (ok()) return {};
  return Status(code(), concat(message(), "; ", advice));
}

}  // namespace scrooge
