// SPDX-License-Identifier: Apache-2.0
#include "src/base/file_map.h"
#include "src/capi/c_support.h"
#include "src/pipeline/model_source.h"
#include "src/tokenizer/tokenizer.h"

struct scrooge_tokenizer {
  std::unique_ptr<scrooge::tokenizer::Tokenizer> tokenizer;
};

using scrooge::Result;
using scrooge::Status;
using scrooge::StatusCode;
using scrooge::capi::guarded;

namespace {

using TokenizerPtr = std::unique_ptr<scrooge::tokenizer::Tokenizer>;

Result<TokenizerPtr> open_tokenizer(const std::string& path) {
  constexpr uint64_t kMaxTokenizerBytes = 256ull << 20;
  if (path.ends_with(".json")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string text, scrooge::read_small_file(path, kMaxTokenizerBytes));
    return scrooge::tokenizer::Tokenizer::from_json(text, {}, path);
  }
  SCROOGE_ASSIGN_OR_RETURN(const auto source, scrooge::pipeline::ModelSource::open(path, {}));
  return source->tokenizer();
}

}  // namespace

extern "C" {

scrooge_status scrooge_tokenizer_open(const char* path, scrooge_tokenizer** tokenizer, scrooge_error** error) {
  if (tokenizer != nullptr) *tokenizer = nullptr;
  return guarded(error, [&]() -> Status {
    if (tokenizer == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "tokenizer: null");
    SCROOGE_ASSIGN_OR_RETURN(TokenizerPtr opened, open_tokenizer(scrooge::capi::text_or_empty(path)));
    *tokenizer = new scrooge_tokenizer{std::move(opened)};
    return {};
  });
}

void scrooge_tokenizer_close(scrooge_tokenizer* tokenizer) { delete tokenizer; }

scrooge_status scrooge_tokenizer_encode(const scrooge_tokenizer* tokenizer, const char* text, size_t size, int32_t* ids,
                                        size_t capacity, size_t* required, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    if (tokenizer == nullptr || required == nullptr || (text == nullptr && size > 0)) {
      return scrooge::error(StatusCode::kInvalidArgument, "tokenizer, text and required must not be null");
    }
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> encoded,
                             tokenizer->tokenizer->encode(std::string_view(text == nullptr ? "" : text, size)));
    *required = encoded.size();
    if (capacity == 0) return {};
    if (ids == nullptr || capacity < encoded.size()) {
      return scrooge::error(StatusCode::kInvalidArgument, "capacity: ", capacity, ", the text has ", encoded.size(),
                            " ids");
    }
    std::copy(encoded.begin(), encoded.end(), ids);
    return {};
  });
}

scrooge_status scrooge_tokenizer_decode(const scrooge_tokenizer* tokenizer, const int32_t* ids, size_t count,
                                        char* buffer, size_t capacity, size_t* required, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    if (tokenizer == nullptr || (ids == nullptr && count > 0)) {
      return scrooge::error(StatusCode::kInvalidArgument, "tokenizer and ids must not be null");
    }
    SCROOGE_ASSIGN_OR_RETURN(const std::string text, tokenizer->tokenizer->decode({ids, count}));
    return scrooge::capi::write_text(text, buffer, capacity, required);
  });
}

int32_t scrooge_tokenizer_vocabulary_size(const scrooge_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->tokenizer->vocabulary_size();
}

}  // extern "C"
