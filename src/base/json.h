// SPDX-License-Identifier: Apache-2.0
// Bounded JSON: a parsed document with typed access whose errors name the file and the field, and a writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace scrooge {

struct JsonLimits {
  uint64_t max_bytes = 64ull << 20;
  int max_depth = 64;
};

// A value inside a JsonDocument; valid while the document lives. Cheap to copy. Thread-compatible.
class JsonValue {
 public:
  enum class Kind { kNull, kBool, kInteger, kUnsigned, kDouble, kString, kArray, kObject };

  Kind kind() const;
  bool is_object() const { return kind() == Kind::kObject; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_null() const { return kind() == Kind::kNull; }

  // The member, or nothing when it is absent or null, or this is not an object.
  std::optional<JsonValue> find(std::string_view key) const;
  // The member; an error naming the field when absent.
  Result<JsonValue> get(std::string_view key) const;

  // Typed reads of this value; errors name the field and what was found.
  Result<std::string_view> as_string() const;
  Result<bool> as_bool() const;
  Result<int64_t> as_int() const;  // integers only; 1.0 and "1" are errors
  // A whole number in [low, high]; the error names both ends.
  Result<int64_t> as_int_in(int64_t low, int64_t high) const;
  Result<double> as_double() const;  // any finite number
  // Elements in order; an error when this is not an array.
  Result<std::vector<JsonValue>> as_array() const;
  // Members in file order, duplicates kept; an error when this is not an object.
  Result<std::vector<std::pair<std::string_view, JsonValue>>> as_object() const;

  // "config.json: rope_scaling.factor", for messages.
  std::string where() const;
  // An error of the document's status code about this field.
  Status fail(std::string_view what) const;

 private:
  friend class JsonDocument;
  struct Node;
  JsonValue(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

// Movable; keeps its own copy of the text.
class JsonDocument {
 public:
  // Parses UTF-8 text. Syntax errors, depth and size are reported as `code` with `name` (a file name) in front.
  static Result<JsonDocument> parse(std::string_view text, std::string name, StatusCode code, JsonLimits limits = {});
  JsonValue root() const;

 private:
  friend class JsonValue;
  struct State;
  std::shared_ptr<State> state_;
};

// Appends JSON text with commas and escapes in the right places. Non-finite numbers become null.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(int64_t number);
  JsonWriter& value(uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(bool flag);
  JsonWriter& null();
  template <typename T>
  JsonWriter& field(std::string_view name, const T& content) {
    key(name);
    return value(content);
  }
  const std::string& text() const { return text_; }

 private:
  void separate();
  void append_quoted(std::string_view text);

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace scrooge
