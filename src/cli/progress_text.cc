// SPDX-License-Identifier: Apache-2.0
#include "src/cli/progress_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/cli/console.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

constexpr std::size_t kLongestBar = 28;
constexpr std::size_t kShortestBar = 4;

std::string left_aligned(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// "block  3/32", as wide for the first block as for the last.
std::string block_label(const scrooge_progress& progress) {
  const std::string total = std::to_string(progress.blocks);
  return "block " + right_aligned(std::to_string(progress.block + 1), total.size()) + "/" + total;
}

std::string heading(const scrooge_progress& progress) {
  const std::string stage = progress.stage == nullptr ? "" : without_control_characters(progress.stage);
  switch (progress.phase) {
    case SCROOGE_PHASE_PREPARE: return left_aligned("prepare " + stage, 20);
    case SCROOGE_PHASE_FINISH: return left_aligned("finish " + stage, 20);
    case SCROOGE_PHASE_VERIFY: return "verify";
    case SCROOGE_PHASE_REPACK: return "repack";
    case SCROOGE_PHASE_EVALUATE: return progress.blocks > 0 ? "evaluate " + block_label(progress) : "evaluate";
    default: return block_label(progress) + " " + left_aligned(stage, 7);
  }
}

std::string bar(double fraction, std::size_t width) {
  const auto filled = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(width)));
  return "[" + std::string(filled, '#') + std::string(width - filled, '-') + "]";
}

}  // namespace

std::string loss_ratio(double loss, double loss_rtn) {
  if (!(loss_rtn > 0) || !std::isfinite(loss) || !std::isfinite(loss_rtn)) return {};
  return format_fixed(loss / loss_rtn, 3) + "x round-to-nearest";
}

std::string live_line(const scrooge_progress& progress, std::size_t width) {
  const double fraction = std::isfinite(progress.fraction) ? std::clamp(progress.fraction, 0.0, 1.0) : 0.0;
  const std::string start = heading(progress);
  const std::string percent = right_aligned(format_fixed(100 * fraction, 0), 3) + "%";

  std::vector<std::string> facts;  // the most useful first
  if (progress.eta_seconds >= 0) facts.push_back("ETA " + format_clock(progress.eta_seconds));
  if (progress.device_memory_peak > 0) {
    facts.push_back("device " + format_size(progress.device_memory_after) + ", peak " +
                    format_size(progress.device_memory_peak));
  }
  if (progress.memory_peak > 0) {
    facts.push_back(format_size(progress.memory_after) + ", peak " + format_size(progress.memory_peak));
  }
  if (progress.tokens_per_second > 0) {
    facts.push_back(format_count(static_cast<uint64_t>(progress.tokens_per_second)) + " tok/s");
  }

  // "start [bar] 41%  fact  fact"
  std::size_t used = start.size() + 1 + kShortestBar + 2 + 1 + percent.size();
  std::string tail = percent;
  for (const std::string& fact : facts) {
    if (used + 2 + fact.size() > width) break;
    used += 2 + fact.size();
    tail += "  " + fact;
  }
  if (used > width) return (start + " " + percent).substr(0, width);
  const std::size_t bar_width = std::min(kLongestBar, kShortestBar + (width - used));
  return start + " " + bar(fraction, bar_width) + " " + tail;
}

std::string block_line(const scrooge_progress& progress) {
  std::string line = block_label(progress);
  line += "  calibrate " + right_aligned(format_duration(progress.calibrate_seconds), 6);
  line += "  quantize " + right_aligned(format_duration(progress.quantize_seconds), 6);
  line += "  memory " + format_size(progress.memory_before) + " -> " + format_size(progress.memory_after);
  if (progress.device_memory_peak > 0) {
    line += "  device " + format_size(progress.device_memory_before) + " -> " +
            format_size(progress.device_memory_after) + ", peak " + format_size(progress.device_memory_peak);
  }
  const std::string ratio = loss_ratio(progress.loss, progress.loss_rtn);
  if (!ratio.empty()) line += "  loss " + ratio;
  return line;
}

}  // namespace scrooge::cli
