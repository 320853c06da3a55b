// SPDX-License-Identifier: Apache-2.0
// The scrooge command: parses, runs one subcommand, returns its exit code.
#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "src/cli/commands.h"
#include "src/cli/console.h"
#include "src/cli/exit_code.h"
#include "src/cli/help_format.h"

namespace scrooge::cli {
namespace {

int refuse(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  if (!chosen.empty()) return report_usage(error.what(), chosen.front()->get_name());
  // CLI11 would only say that a subcommand is missing.
  const std::vector<std::string> unknown = app.remaining();
  if (unknown.empty()) return report_usage("a command is required", "");
  return report_usage("'" + unknown.front() + "' is neither a command nor an option", "");
}

int run(int argc, char** argv) {
  CLI::App app("Quantizes large language models on the machine at hand, inside a memory budget.", "scrooge");
  app.formatter(std::make_shared<HelpFormat>());
  app.set_version_flag("--version", std::string("scrooge ") + scrooge_version_string());
  app.footer(std::string(kExitCodeHelp) + "\nRun 'scrooge COMMAND --help' for options and examples.");
  app.require_subcommand(1);
  // As in other commands: scripts append what overrides their defaults.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  const std::array<Command, 8> commands{add_plan_command(app),     add_quantize_command(app), add_inspect_command(app),
                                        add_verify_command(app),   add_repack_command(app),   add_eval_command(app),
                                        add_tokenize_command(app), add_devices_command(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return kExitInternal;
}

// Results that never reached their reader are no success: a full disk behind "> file", for instance.
int flush_results(int code) {
  const bool failed = std::ferror(stdout) != 0 || std::fflush(stdout) != 0;
  if (!failed || code != kExitOk) return code;
  return report_error(Error{SCROOGE_IO_ERROR, "standard output cannot be written"});
}

}  // namespace
}  // namespace scrooge::cli

int main(int argc, char** argv) {
#if defined(SIGXFSZ)
  // A file above the limit of the process (ulimit -f) is then an error of the write, which says what to do.
  (void)std::signal(SIGXFSZ, SIG_IGN);
#endif
#if defined(__GLIBC__)
  // One heap for all threads: the matrix library's aligned buffers otherwise leave each thread's heap full of holes,
  // tens of megabytes that no budget can see. The threads allocate seldom enough not to meet.
  (void)mallopt(M_ARENA_MAX, 1);
#endif
  try {
    return scrooge::cli::flush_results(scrooge::cli::run(argc, argv));
  } catch (const std::bad_alloc&) {
    // Without anything that needs memory itself.
    std::fputs("scrooge: out of memory: the command itself found no memory; close other programs\n", stderr);
    return scrooge::cli::kExitMemory;
  } catch (const std::exception& error) {
    return scrooge::cli::report_error({SCROOGE_INTERNAL, error.what()});
  }
}
