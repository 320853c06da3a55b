// SPDX-License-Identifier: Apache-2.0
#include "src/cli/calibration_table.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "src/cli/console.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct BlockLoss {
  uint64_t tokens = 0;
  double loss = 0;
  double loss_rtn = 0;
};

// By how much the second is less than the first: "12.3 %".
std::string gain(double before, double after) {
  return before > 0 ? format_fixed(100 * (1 - after / before), 1) + " %" : "-";
}

__attribute__((format(printf, 2, 3))) void add_line(std::string& out, const char* format, ...) {
  std::array<char, 256> line{};
  va_list values;
  va_start(values, format);
  std::vsnprintf(line.data(), line.size(), format, values);
  va_end(values);
  out.append(line.data()).append("\n");
}

}  // namespace

Expected<std::string> calibration_table(const Model& model) {
  std::string out;
  std::map<uint32_t, BlockLoss> blocks;
  add_line(out, "%5s  %-10s %-24s %6s %10s", "block", "stage", "scale", "alpha", "gain");
  for (uint64_t index = 0; index < model.stage_count(); ++index) {
    const Expected<scrooge_stage_info> stage = model.stage(index);
    if (!stage) return stage.error();
    blocks[stage->block].tokens = stage->tokens;
    add_line(out, "%5u  %-10.60s %-24.60s %6s %10s", stage->block, without_control_characters(stage->name).c_str(),
             without_control_characters(stage->candidate).c_str(), format_fixed(stage->alpha, 3).c_str(),
             gain(stage->loss_identity, stage->loss_chosen).c_str());
  }
  for (uint64_t index = 0; index < model.linear_count(); ++index) {
    const Expected<scrooge_linear_info> linear = model.linear(index);
    if (!linear) return linear.error();
    blocks[linear->block].loss += linear->loss;
    blocks[linear->block].loss_rtn += linear->loss_rtn;
  }
  add_line(out, "\n%5s  %12s %14s %14s %10s", "block", "tokens", "loss", "by nearest", "gain");
  for (const auto& [block, sum] : blocks) {
    const double tokens = sum.tokens > 0 ? static_cast<double>(sum.tokens) : 1;
    add_line(out, "%5u  %12s %14.6g %14.6g %10s", block, format_count(sum.tokens).c_str(), sum.loss / tokens,
             sum.loss_rtn / tokens, gain(sum.loss_rtn, sum.loss).c_str());
  }
  return out;
}

}  // namespace scrooge::cli
