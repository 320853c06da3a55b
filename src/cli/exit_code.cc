// SPDX-License-Identifier: Apache-2.0
#include "src/cli/exit_code.h"

#include "src/cli/console.h"

namespace scrooge::cli {

int exit_code_of(scrooge_status status) {
  switch (status) {
    case SCROOGE_OK: return kExitOk;
    case SCROOGE_INVALID_ARGUMENT: return kExitUsage;
    case SCROOGE_OUT_OF_MEMORY:
    case SCROOGE_BUDGET_EXCEEDED: return kExitMemory;
    case SCROOGE_CANCELLED: return kExitCancelled;
    case SCROOGE_UNAVAILABLE:
    case SCROOGE_UNSUPPORTED: return kExitDevice;
    default: break;
  }
  if (status >= SCROOGE_NOT_FOUND && status < SCROOGE_BAD_MODEL_FILE) return kExitInput;
  if (status >= SCROOGE_BAD_MODEL_FILE && status <= SCROOGE_FINGERPRINT_MISMATCH) return kExitModelFile;
  return kExitInternal;
}

int report_error(const Error& error) {
  if (error.status == SCROOGE_CANCELLED) {
    // The library says what is kept for the next run; without that nothing is.
    const bool kept = error.message.find(';') != std::string::npos;
    print_notice(stderr, Notice::kError, kept ? error.message : "cancelled; nothing was written");
    return kExitCancelled;
  }
  std::string text = scrooge_status_string(error.status);
  if (!error.message.empty()) text += ": " + error.message;
  print_notice(stderr, Notice::kError, text);
  return exit_code_of(error.status);
}

int report_usage(std::string_view message, std::string_view subcommand) {
  print_notice(stderr, Notice::kError, message);
  const std::string command = subcommand.empty() ? "scrooge" : "scrooge " + std::string(subcommand);
  std::fprintf(stderr, "Run '%s --help' for its options and examples.\n", command.c_str());
  return kExitUsage;
}

}  // namespace scrooge::cli
