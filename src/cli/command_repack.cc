// SPDX-License-Identifier: Apache-2.0
// scrooge repack: a .scrooge file in the order that a device's kernels want, and back.
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

struct RepackArguments {
  std::string input;
  std::string output;
  std::string layout;
  SessionOptions session;
};

int run_repack(const RepackArguments& arguments) {
  Session session(arguments.session);
  scrooge_repack_options options = repack_options();
  options.input = given(arguments.input);
  options.output = given(arguments.output);
  options.layout = given(arguments.layout);
  options.progress = &Session::on_progress;
  options.progress_user = &session;
  const Expected<void> done = repack(options);
  session.finish();
  if (!done) return report_error(done.error());
  if (arguments.session.quiet) return kExitOk;
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(arguments.output, error);
  std::printf("wrote    %s, %s, layout %s\n", arguments.output.c_str(), format_size(error ? 0 : size).c_str(),
              arguments.layout.c_str());
  return kExitOk;
}

}  // namespace

Command add_repack_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("repack", "Put a .scrooge file in the layout that a device's kernels want");
  auto arguments = std::make_shared<RepackArguments>();
  app->add_option("file", arguments->input, "The .scrooge file, of any layout")->required()->type_name("FILE");
  app->add_option("-o,--output", arguments->output, "The file to write; never the input")
      ->required()
      ->type_name("FILE");
  add_layout_option(*app, arguments->layout)->required();
  add_session_options(*app, arguments->session);
  app->footer(
      "Checks every byte of FILE on the way. Nothing is lost: back in its old layout a file has its old bytes.\n"
      "interleaved4 and interleaved8 put 4 or 8 rows side by side, for NEON, i8mm and wider vectors; awq is the word\n"
      "order of AutoAWQ's kernels, for 4 bits and row counts that are multiples of 8.\n\n"
      "Examples:\n"
      "  scrooge repack qwen3.scrooge -o qwen3-arm.scrooge --layout interleaved8\n"
      "  scrooge repack qwen3-arm.scrooge -o qwen3.scrooge --layout canonical");
  return {app, [arguments] { return run_repack(*arguments); }};
}

}  // namespace scrooge::cli
