// SPDX-License-Identifier: Apache-2.0
// Whole small files: text to tokenize, reports to write.
#pragma once

#include <cstdio>
#include <scrooge/scrooge.hpp>
#include <string>
#include <string_view>

namespace scrooge::cli {

Expected<std::string> read_text_file(const std::string& path);

// Everything up to the end of `stream`; `name` is for the message.
Expected<std::string> read_stream(std::FILE* stream, const std::string& name);

// Whether write_text_file(path) is likely to work: its folder exists and may be written, and `path` is no folder.
// Asked before hours of work.
Expected<void> check_writable(const std::string& path);

// Appears under its name only when complete: a temporary file in the same folder, synced and renamed.
Expected<void> write_text_file(const std::string& path, std::string_view text);

// Both name the same file, or would once it exists.
bool same_file(const std::string& a, const std::string& b);

}  // namespace scrooge::cli
