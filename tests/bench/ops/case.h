// SPDX-License-Identifier: Apache-2.0
// One op on one shape, and what it takes at least. Operations: a multiplication and an addition are two; products of a
// symmetric matrix count one half of it; operations on single elements are counted as plain arithmetic, an exponential
// as four. Bytes: every input read once, every output written once, and read where the op adds to it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "tests/bench/ops/shapes.h"
#include "tests/bench/ops/workspace.h"

namespace scrooge::bench {

struct Work {
  std::function<Status()> run;
  std::function<Status()> reset;  // before each run, outside the measured time; for what an op changes in place
};

struct Case {
  std::string op;  // the name in backend::Ops
  std::string shape;
  std::optional<backend::Precision> precision;  // nothing where an op has no choice
  double operations = 0;
  double bytes = 0;
  std::function<Work(Workspace&)> prepare;
};

// "T 2048, K 576".
inline std::string shape_text(std::initializer_list<std::pair<std::string_view, int64_t>> sizes) {
  std::string text;
  for (const auto& [letter, size] : sizes) text += concat(text.empty() ? "" : ", ", letter, " ", size);
  return text;
}

inline constexpr backend::Precision kPrecisions[] = {backend::Precision::kFast, backend::Precision::kExact};
inline constexpr double kFloat = sizeof(float);

inline double product(int64_t a, int64_t b) { return static_cast<double>(a) * static_cast<double>(b); }

void add_forward_cases(const ShapeSet& set, std::vector<Case>& cases);     // what a block's forward pass takes
void add_statistics_cases(const ShapeSet& set, std::vector<Case>& cases);  // what calibration keeps
void add_search_cases(const ShapeSet& set, std::vector<Case>& cases);      // scales and clips
void add_code_cases(const ShapeSet& set, std::vector<Case>& cases);        // codes by nearest value, and packing
void add_rounding_cases(const ShapeSet& set, std::vector<Case>& cases);    // second-order rounding, descent, refitting

}  // namespace scrooge::bench
