// SPDX-License-Identifier: Apache-2.0
// What the command returns to the shell, and the one way errors are printed.
#pragma once

#include <scrooge/scrooge.hpp>
#include <string>
#include <string_view>

namespace scrooge::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInput = 3;
inline constexpr int kExitMemory = 4;
inline constexpr int kExitDevice = 5;
inline constexpr int kExitModelFile = 6;
inline constexpr int kExitInternal = 70;
inline constexpr int kExitCancelled = 130;

// The table above in words, for the foot of --help.
inline constexpr std::string_view kExitCodeHelp =
    "Exit codes:\n"
    "  0    done\n"
    "  2    usage: an option or its value is wrong\n"
    "  3    input or output: a file, checkpoint, tokenizer or text is missing or unusable, or the disk is full\n"
    "  4    memory: the budget is too small (the message names the minimum), or the system has no more\n"
    "  5    a device or feature is not available here\n"
    "  6    a .scrooge file is damaged, or of another version or source\n"
    "  70   a fault in scrooge itself\n"
    "  130  cancelled\n";

int exit_code_of(scrooge_status status);

// Prints "scrooge: <status>: <message>" as one line on standard error and returns the exit code.
int report_error(const Error& error);

// The same for a wrong combination of options; a second line points to the subcommand's help.
int report_usage(std::string_view message, std::string_view subcommand);

}  // namespace scrooge::cli
