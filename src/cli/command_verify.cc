// SPDX-License-Identifier: Apache-2.0
// scrooge verify: reads every byte of a .scrooge file and checks it.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <scrooge/scrooge.hpp>

#include "src/cli/arguments.h"
#include "src/cli/commands.h"
#include "src/cli/exit_code.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct VerifyArguments {
  std::string file;
  SessionOptions session;
  bool json = false;
};

int run_verify(const VerifyArguments& arguments) {
  Session session(arguments.session);
  const Expected<std::string> result = verify(arguments.file, &Session::on_progress, &session);
  session.finish();
  if (!result) return report_error(result.error());
  if (arguments.json) {
    std::printf("%s\n", result->c_str());
    return kExitOk;
  }
  if (arguments.session.quiet) return kExitOk;
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(arguments.file, error);
  std::printf("%s: ok, %s, every checksum matches\n", arguments.file.c_str(), format_size(error ? 0 : size).c_str());
  return kExitOk;
}

}  // namespace

Command add_verify_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("verify", "Check every byte of a .scrooge file");
  auto arguments = std::make_shared<VerifyArguments>();
  app->add_option("file", arguments->file, "The .scrooge file")->required()->type_name("FILE");
  app->add_flag("--json", arguments->json, "The result as JSON");
  add_session_options(*app, arguments->session);
  app->footer(
      "Exit code 6 means that the file is damaged.\n\n"
      "Examples:\n"
      "  scrooge verify qwen3.scrooge\n"
      "  scrooge verify qwen3.scrooge --quiet && scp qwen3.scrooge board:");
  return {app, [arguments] { return run_verify(*arguments); }};
}

}  // namespace scrooge::cli
