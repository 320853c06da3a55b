// SPDX-License-Identifier: Apache-2.0
// The small text files of a model folder, read whole.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/checkpoint/model_folder.h"

namespace scrooge::checkpoint {

inline constexpr uint64_t kMaxTextFile = 64ull << 20;
inline constexpr uint64_t kMaxTokenizerFile = 256ull << 20;

struct TextFile {
  std::string content;
  std::string path;  // empty when an optional file is absent
  FileIdentity identity;
};

// The file `name`; `too_large` when it has more than `limit` bytes, otherwise the errors of
// ModelFolder::open_file.
Result<TextFile> read_text_file(const ModelFolder& folder, std::string_view name, StatusCode too_large,
                                uint64_t limit = kMaxTextFile);

// The same, but empty when there is no such file. A dangling link is an error.
Result<TextFile> read_optional_text_file(const ModelFolder& folder, std::string_view name, StatusCode too_large,
                                         uint64_t limit = kMaxTextFile);

}  // namespace scrooge::checkpoint
