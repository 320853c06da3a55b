// SPDX-License-Identifier: Apache-2.0
// What a job has read, for build systems that run it again only when something of that changed.
#pragma once

#include <scrooge/scrooge.hpp>
#include <string>
#include <vector>

#include "src/cli/arguments.h"

namespace scrooge::cli {

// Every file the finished job depended on, as paths in the form in which the arguments name them: the checkpoint's
// (asked of the output, which lists them), the texts, saved calibration results.
Expected<std::vector<std::string>> inputs_of(const QuantizeArguments& job);

// One makefile rule, "TARGET: INPUT INPUT ...", as Make and Ninja read it: blanks, # and $ escaped.
std::string makefile_rule(const std::string& target, const std::vector<std::string>& inputs);

}  // namespace scrooge::cli
