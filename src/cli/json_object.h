// SPDX-License-Identifier: Apache-2.0
// The little JSON that the command itself writes: one object or list, in the order given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scrooge::cli {

// `text` quoted. Bytes that are not UTF-8 become U+FFFD, so that the document stays valid.
std::string json_string(std::string_view text);

// A list of elements that are JSON already.
std::string json_list(const std::vector<std::string>& elements);

class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value) { return add_raw(key, json_string(value)); }
  JsonObject& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  JsonObject& add(std::string_view key, double value);  // null when not finite
  JsonObject& add(std::string_view key, uint64_t value) { return add_raw(key, std::to_string(value)); }
  JsonObject& add(std::string_view key, bool value) { return add_raw(key, value ? "true" : "false"); }
  // `json` is a JSON value already.
  JsonObject& add_raw(std::string_view key, std::string_view json);
  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace scrooge::cli
