// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/preset.h"

#include "src/base/text.h"

namespace scrooge::pipeline {

std::string_view effort_name(Effort effort) {
  switch (effort) {
    case Effort::kFast: return "fast";
    case Effort::kDefault: return "default";
    case Effort::kMax: return "max";
  }
  return "unknown";
}

std::span<const Preset> all_presets() {
  static constexpr Preset kPresets[] = {
      {"minimal", 16, 256, Effort::kFast},
      {"fast", 32, 512, Effort::kFast},
      {"production", 128, 512, Effort::kDefault},
      {"max", 256, 1024, Effort::kMax},
  };
  return kPresets;
}

Result<Preset> find_preset(std::string_view name) {
  std::string known;
  for (const Preset& preset : all_presets()) {
    if (preset.name == name) return preset;
    known += concat(known.empty() ? "" : ", ", preset.name);
  }
  return error(StatusCode::kInvalidArgument, "preset: \"", printable(name), "\" is not one of ", known);
}

}  // namespace scrooge::pipeline
