// SPDX-License-Identifier: Apache-2.0
#include "src/base/json.h"

#include <simdjson.h>

#include <cmath>

#include "src/base/spare_memory.h"

namespace scrooge {

struct JsonDocument::State {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string name;
  StatusCode code = StatusCode::kBadConfig;
};

struct JsonValue::Node {
  std::shared_ptr<const JsonDocument::State> document;
  simdjson::dom::element element;
  std::shared_ptr<const Node> parent;
  std::string key;  // member name or "[index]"; empty at the root
};

namespace {

std::string_view kind_name(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull: return "null";
    case JsonValue::Kind::kBool: return "a boolean";
    case JsonValue::Kind::kInteger:
    case JsonValue::Kind::kUnsigned:
    case JsonValue::Kind::kDouble: return "a number";
    case JsonValue::Kind::kString: return "a string";
    case JsonValue::Kind::kArray: return "an array";
    case JsonValue::Kind::kObject: return "an object";
  }
  return "a value";
}

}  // namespace

Result<JsonDocument> JsonDocument::parse(std::string_view text, std::string name, StatusCode code, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return error(code, name, ": ", text.size(), " bytes of JSON, above the limit of ", limits.max_bytes);
  }
  auto state = std::make_shared<State>();
  state->name = std::move(name);
  state->code = code;
  // simdjson chooses its code at the first call, in a function that may not fail.
  SCROOGE_RETURN_IF_ERROR(check_spare_memory("simdjson"));
  // The size was checked above; set_max_capacity() of simdjson 3.0.1 caps every document at 32 bytes.
  auto failure = state->parser.allocate(text.size(), static_cast<size_t>(limits.max_depth));
  if (failure == simdjson::SUCCESS) {
    failure = state->parser.parse(text.data(), text.size(), true).get(state->root);
  }
  if (failure == simdjson::MEMALLOC) {
    return error(StatusCode::kOutOfMemory, state->name, ": no memory for the JSON in it; close other programs");
  }
  if (failure != simdjson::SUCCESS) {
    return error(code, state->name, ": not valid JSON: ", simdjson::error_message(failure));
  }
  JsonDocument document;
  document.state_ = std::move(state);
  return document;
}

JsonValue JsonDocument::root() const {
  return JsonValue(std::make_shared<const JsonValue::Node>(JsonValue::Node{state_, state_->root, nullptr, {}}));
}

JsonValue::Kind JsonValue::kind() const {
  switch (node_->element.type()) {
    case simdjson::dom::element_type::ARRAY: return Kind::kArray;
    case simdjson::dom::element_type::OBJECT: return Kind::kObject;
    case simdjson::dom::element_type::INT64: return Kind::kInteger;
    case simdjson::dom::element_type::UINT64: return Kind::kUnsigned;
    case simdjson::dom::element_type::DOUBLE: return Kind::kDouble;
    case simdjson::dom::element_type::STRING: return Kind::kString;
    case simdjson::dom::element_type::BOOL: return Kind::kBool;
    case simdjson::dom::element_type::NULL_VALUE: return Kind::kNull;
  }
  return Kind::kNull;
}

std::string JsonValue::where() const {
  std::string path;
  for (const Node* node = node_.get(); node != nullptr && !node->key.empty(); node = node->parent.get()) {
    const bool index = node->key.front() == '[';
    path = concat(node->parent && !node->parent->key.empty() && !index ? "." : "", node->key, path);
  }
  return concat(node_->document->name, ": ", path.empty() ? "top level" : printable(path));
}

Status JsonValue::fail(std::string_view what) const { return error(node_->document->code, where(), ": ", what); }

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  simdjson::dom::object object;
  simdjson::dom::element element;
  if (node_->element.get(object) != simdjson::SUCCESS) return std::nullopt;
  if (object.at_key(key).get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return JsonValue(std::make_shared<const Node>(Node{node_->document, element, node_, std::string(key)}));
}

Result<JsonValue> JsonValue::get(std::string_view key) const {
  if (auto member = find(key)) return *member;
  return fail(concat("field \"", key, "\" is missing"));
}

Result<std::string_view> JsonValue::as_string() const {
  std::string_view text;
  if (node_->element.get(text) == simdjson::SUCCESS) return text;
  return fail(concat("expected a string, found ", kind_name(kind())));
}

Result<bool> JsonValue::as_bool() const {
  bool flag = false;
  if (node_->element.get(flag) == simdjson::SUCCESS) return flag;
  return fail(concat("expected true or false, found ", kind_name(kind())));
}

Result<int64_t> JsonValue::as_int() const {
  int64_t number = 0;
  if (kind() == Kind::kInteger && node_->element.get(number) == simdjson::SUCCESS) return number;
  return fail(
      concat("expected a whole number, found ", kind() == Kind::kUnsigned ? "one too large" : kind_name(kind())));
}

Result<int64_t> JsonValue::as_int_in(int64_t low, int64_t high) const {
  SCROOGE_ASSIGN_OR_RETURN(const int64_t number, as_int());
  if (number < low || number > high) return fail(concat(number, " is outside ", low, " to ", high));
  return number;
}

Result<double> JsonValue::as_double() const {
  double number = 0;
  if (node_->element.get(number) == simdjson::SUCCESS && std::isfinite(number)) return number;
  return fail(concat("expected a finite number, found ", kind_name(kind())));
}

Result<std::vector<JsonValue>> JsonValue::as_array() const {
  simdjson::dom::array array;
  if (node_->element.get(array) != simdjson::SUCCESS) {
    return fail(concat("expected an array, found ", kind_name(kind())));
  }
  std::vector<JsonValue> elements;
  elements.reserve(array.size());
  for (const simdjson::dom::element element : array) {
    elements.push_back(JsonValue(
        std::make_shared<const Node>(Node{node_->document, element, node_, concat("[", elements.size(), "]")})));
  }
  return elements;
}

Result<std::vector<std::pair<std::string_view, JsonValue>>> JsonValue::as_object() const {
  simdjson::dom::object object;
  if (node_->element.get(object) != simdjson::SUCCESS) {
    return fail(concat("expected an object, found ", kind_name(kind())));
  }
  std::vector<std::pair<std::string_view, JsonValue>> members;
  members.reserve(object.size());
  for (const auto member : object) {
    members.emplace_back(
        member.key,
        JsonValue(std::make_shared<const Node>(Node{node_->document, member.value, node_, std::string(member.key)})));
  }
  return members;
}

void JsonWriter::separate() {
  if (need_comma_) text_.push_back(',');
  need_comma_ = true;
}

void JsonWriter::append_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  text_.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"': text_.append("\\\""); break;
      case '\\': text_.append("\\\\"); break;
      case '\n': text_.append("\\n"); break;
      case '\t': text_.append("\\t"); break;
      case '\r': text_.append("\\r"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          text_.append("\\u00");
          text_.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
          text_.push_back(kHex[static_cast<unsigned char>(c) & 15]);
        } else {
          text_.push_back(c);
        }
    }
  }
  text_.push_back('"');
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_.push_back('{');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_.push_back('}');
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_.push_back('[');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_.push_back(']');
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(name);
  text_.push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_quoted(text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  const std::string text = concat(number);
  text_.append(text);
  // Without a point readers take it for an integer, and refuse one above 64 bits.
  if (std::fabs(number) >= 0x1p53 && text.find_first_of(".e") == std::string::npos) text_.append(".0");
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
  separate();
  text_.append(concat(number));
  return *this;
}

JsonWriter& JsonWriter::value(uint64_t number) {
  separate();
  text_.append(concat(number));
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  separate();
  text_.append(concat(flag));
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  text_.append("null");
  return *this;
}

}  // namespace scrooge
