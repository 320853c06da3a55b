// SPDX-License-Identifier: Apache-2.0
// The options that several subcommands share, and how their values are read.
#pragma once

#include <scrooge/scrooge.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/cli/session.h"

namespace scrooge::cli {

// Turns "1.5GiB" into bytes, and "unlimited" into UINT64_MAX; refuses 0 and what is no size.
CLI::Validator budget_value();

// Decimal digits only: no sign, no octal, no hexadecimal.
CLI::Validator whole_number();

// A numeric option that shows its present value as the default.
template <typename Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& value, const std::string& help) {
  return command.add_option(name, value, help)->transform(whole_number())->type_name("N")->capture_default_str();
}

// --layout, of the output
CLI::Option* add_layout_option(CLI::App& command, std::string& layout);

void add_session_options(CLI::App& command, SessionOptions& options);

// --threads, --memory, --device-memory, --device
struct ResourceArguments {
  uint32_t threads = 0;
  uint64_t memory = 0;  // as the next, 0: not given
  uint64_t device_memory = 0;
  std::string device = "cpu";
};
void add_resource_options(CLI::App& command, ResourceArguments& arguments);

struct QuantizeArguments {
  QuantizeArguments();  // the library's defaults

  std::string checkpoint;
  std::string output;
  std::string calibration;
  std::string calibration_ids;
  std::string from_calibration;
  std::string save_calibration;
  std::string preset;  // empty: none
  uint32_t samples = 0;
  uint32_t length = 0;
  uint32_t bits = 0;
  uint32_t group = 0;
  bool symmetric = false;
  bool asymmetric = false;
  std::string method;
  std::string scale_type;
  std::string layout;
  std::string propagate;
  uint32_t grid = 0;
  bool no_clip = false;
  std::string effort;
  std::string rounding;  // empty: by effort
  double correct = -1;   // negative: by effort, as are refine and refit
  int32_t refine = -1;
  int32_t refit = -1;
  std::string sampling;
  double held_out = 0;
  double outliers = 0;
  uint64_t max_tokens_per_sample = 0;
  std::string spill;
  bool fresh = false;
  std::string states;
  uint64_t seed = 0;
  bool seed_given = false;
  bool sampling_given = false;
  bool reproducible = false;
  ResourceArguments resources;
};

// Everything that describes a quantization, for `quantize` and `plan` alike.
void add_quantize_options(CLI::App& command, QuantizeArguments& arguments);

// Strings in the result are lent by `arguments`.
scrooge_quantize_options to_options(const QuantizeArguments& arguments);

// NULL for an empty string, as the library wants it.
inline const char* given(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace scrooge::cli
