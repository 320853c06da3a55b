// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each add_ function declares its options on `parent` and says how to run it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace scrooge::cli {

struct Command {
  CLI::App* app = nullptr;   // lent by the parent
  std::function<int()> run;  // after parsing; returns the exit code
};

Command add_plan_command(CLI::App& parent);
Command add_quantize_command(CLI::App& parent);
Command add_inspect_command(CLI::App& parent);
Command add_verify_command(CLI::App& parent);
Command add_repack_command(CLI::App& parent);
Command add_eval_command(CLI::App& parent);
Command add_tokenize_command(CLI::App& parent);
Command add_devices_command(CLI::App& parent);

}  // namespace scrooge::cli
