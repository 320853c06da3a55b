// SPDX-License-Identifier: Apache-2.0
// The JSON reader: every value through every typed read, and the whole written out and read again.
#include "src/base/json.h"

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {
namespace {

void walk(const JsonValue& value, JsonWriter& writer) {
  require(!value.where().empty(), "a value has a place");
  const auto integer = value.as_int();
  const auto real = value.as_double();
  require(!integer.ok() || real.ok(), "every integer is a number");
  (void)value.as_int_in(-1, 1);
  if (const auto members = value.as_object(); members.ok()) {
    writer.begin_object();
    for (const auto& [key, member] : *members) {
      // Of members with one name the first is found; null counts as absent.
      const auto first = std::find_if(members->begin(), members->end(),
                                      [name = key](const auto& candidate) { return candidate.first == name; });
      require(value.find(key).has_value() != first->second.is_null(), "a member that is listed is found");
      writer.key(key);
      walk(member, writer);
    }
    writer.end_object();
  } else if (const auto elements = value.as_array(); elements.ok()) {
    writer.begin_array();
    for (const JsonValue& element : *elements) walk(element, writer);
    writer.end_array();
  } else if (const auto text = value.as_string(); text.ok()) {
    writer.value(*text);
  } else if (const auto flag = value.as_bool(); flag.ok()) {
    writer.value(*flag);
  } else if (integer.ok()) {
    writer.value(*integer);
  } else if (real.ok()) {
    writer.value(*real);
  } else {
    writer.null();
  }
}

}  // namespace

const InputKind kInputKind = InputKind::kJson;

std::vector<std::string> seeds() {
  return {R"({"a":1,"b":[true,false,null,-2.5e3,18446744073709551615],"c":{"d":"\u20ac\ud83d\ude00\n","":[]}})",
          R"([[[[[[[[[[1]]]]]]]]],{"a":{"a":{"a":{}}}}])", "\xef\xbb\xbf{}", "  \"text\"  ", "-9223372036854775808"};
}

void run(std::string_view input) {
  const auto document =
      JsonDocument::parse(input, "input", StatusCode::kBadConfig, {.max_bytes = 1 << 20, .max_depth = 32});
  if (!document.ok()) {
    require(document.status().message().find("input") != std::string_view::npos, "an error names the file");
    return;
  }
  JsonWriter writer;
  walk(document->root(), writer);
  require(JsonDocument::parse(writer.text(), "copy", StatusCode::kBadConfig).ok(), "what is written can be read");
}

}  // namespace scrooge::fuzz
