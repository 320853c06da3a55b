// SPDX-License-Identifier: Apache-2.0
// What a toy job reads: a model of two blocks in a few kilobytes, and text for it.
#pragma once

#include <string>
#include <string_view>

namespace scrooge::faults {

// What stands under the output's name before a job.
inline constexpr std::string_view kOldOutput = "the output of an earlier job";

// GGUF, two blocks, wide enough for two groups of 8 in every linear.
std::string toy_model();
// Letters that its vocabulary has; above 1000 tokens.
std::string toy_text();

std::string read_whole(const std::string& path);
void write_whole(const std::string& path, std::string_view content);

}  // namespace scrooge::faults
