// SPDX-License-Identifier: Apache-2.0
// scrooge quantize: checkpoint in, .scrooge file out.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <scrooge/scrooge.hpp>
#include <utility>

#include "src/cli/arguments.h"
#include "src/cli/commands.h"
#include "src/cli/depfile.h"
#include "src/cli/exit_code.h"
#include "src/cli/plan_table.h"
#include "src/cli/progress_text.h"
#include "src/cli/size_text.h"
#include "src/cli/text_file.h"

namespace scrooge::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  QuantizeArguments quantize;
  SessionOptions session;
  std::string report;
  std::string depfile;
  bool json = false;
};

// What is written beside the output must not replace anything the job reads or writes. `path` may be empty.
Expected<void> check_beside(const char* option, const std::string& path, const QuantizeArguments& quantize) {
  if (path.empty()) return {};
  for (const std::string* other : {&quantize.output, &quantize.checkpoint, &quantize.calibration,
                                   &quantize.calibration_ids, &quantize.from_calibration, &quantize.save_calibration}) {
    if (!other->empty() && same_file(path, *other)) {
      return Error{SCROOGE_INPUT_IS_OUTPUT,
                   std::string(option) + " " + path + " names a file of the job itself; choose another"};
    }
  }
  return check_writable(path);
}

Expected<void> write_depfile(const Arguments& arguments) {
  const Expected<std::vector<std::string>> inputs = inputs_of(arguments.quantize);
  if (!inputs) return inputs.error();
  return write_text_file(arguments.depfile, makefile_rule(arguments.quantize.output, *inputs));
}

// "held out 1,536 tokens; 2 corrections dropped, 3 linears rounded to nearest"; damping only where there was more of it
// than is usual.
std::string guard_text(const scrooge_guards& guards) {
  if (guards.held_out_tokens == 0) return "no tokens held out: nothing checked the result";
  std::string text = "held out " + format_quantity(guards.held_out_tokens, "token") + "; " +
                     format_quantity(guards.overfit_corrections, "correction") + " dropped, " +
                     format_quantity(guards.nearest_linears, "linear") + " rounded to nearest";
  if (guards.damped_stages > 0) text += ", " + format_quantity(guards.damped_stages, "stage") + " damped by 10 %";
  if (guards.broken_down_stages > 0) {
    text += ", " + format_quantity(guards.broken_down_stages, "stage") + " without second-order rounding";
  }
  return text;
}

void print_summary(const Arguments& arguments, const scrooge_plan& plan, const Session& session,
                   const Expected<scrooge_guards>& guards, double seconds) {
  const std::string& output = arguments.quantize.output;
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(output, error);
  std::printf("wrote    %s, %s\n", output.c_str(), format_size(error ? plan.output_bytes : size).c_str());
  std::printf("weights  %s bits each\n", format_fixed(plan.bits_per_weight, 3).c_str());
  const std::string ratio = loss_ratio(session.loss(), session.loss_rtn());
  if (!ratio.empty()) std::printf("loss     %s\n", ratio.c_str());
  if (plan.device_own_memory != 0) {
    std::printf("device   peak %s; budget %s\n", format_size(session.device_peak_bytes()).c_str(),
                budget_text(plan.device_budget_bytes, plan.device_budget_origin).c_str());
  }
  std::printf("memory   peak %s and %s of the process itself; budget %s\n", format_size(session.peak_bytes()).c_str(),
              format_size(plan.overhead_bytes).c_str(), budget_text(plan.budget_bytes, plan.budget_origin).c_str());
  if (plan.tokens > 0) {
    std::string tokens = format_count(plan.tokens);
    if (guards) tokens += "; " + format_count(guards->statistics_tokens) + " in the statistics";
    std::printf("tokens   %s\n", tokens.c_str());
    if (guards) std::printf("guard    %s\n", guard_text(*guards).c_str());
  }
  std::printf("time     %s\n", format_duration(seconds).c_str());
}

int run_job(const Arguments& arguments, Session& session, Job& job, Clock::time_point start) {
  const Expected<void> done = [&] {
    const CancelTarget target(job.get());
    return job.convert();
  }();
  session.finish();
  if (!done) return report_error(done.error());
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

  if (!arguments.depfile.empty()) {
    const Expected<void> written = write_depfile(arguments);
    if (!written) return report_error(written.error());
  }
  if (arguments.json || !arguments.report.empty()) {
    const Expected<std::string> report = job.report_json();
    if (!report) return report_error(report.error());
    if (!arguments.report.empty()) {
      const Expected<void> written = write_text_file(arguments.report, *report + "\n");
      if (!written) return report_error(written.error());
    }
    if (arguments.json) std::printf("%s\n", report->c_str());
  }
  if (arguments.json || arguments.session.quiet) return kExitOk;
  const Expected<scrooge_plan> plan = job.plan();
  if (!plan) return report_error(plan.error());
  print_summary(arguments, *plan, session, job.guards(), seconds);
  return kExitOk;
}

int run_quantize(const Arguments& arguments) {
  const QuantizeArguments& quantize = arguments.quantize;
  if (quantize.method != "rtn" && quantize.calibration.empty() && quantize.calibration_ids.empty() &&
      quantize.from_calibration.empty()) {
    return report_usage(
        "--calibration TEXT or --calibration-ids FILE is required (--from-calibration and --method rtn need neither)",
        "quantize");
  }
  for (const auto& [option, path] : {std::pair("--report", &arguments.report), {"--depfile", &arguments.depfile}}) {
    const Expected<void> usable = check_beside(option, *path, quantize);
    if (!usable) return report_error(usable.error());
  }
  const Clock::time_point start = Clock::now();
  Session session(arguments.session);
  scrooge_quantize_options options = to_options(quantize);
  session.attach(options);
  Expected<Job> job = Job::prepare(options);
  if (!job) {
    session.finish();
    return report_error(job.error());
  }
  const Expected<scrooge_plan> plan = job->plan();
  if (plan && plan->device_reason[0] != '\0') {
    session.remark("device " + device_text(plan->device, plan->device_name, plan->device_reason));
  }
  return run_job(arguments, session, *job, start);
}

}  // namespace

Command add_quantize_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("quantize", "Quantize a checkpoint into one .scrooge file");
  auto arguments = std::make_shared<Arguments>();
  add_quantize_options(*app, arguments->quantize);
  app->add_option("-o,--output", arguments->quantize.output, "The .scrooge file to write")
      ->required()
      ->type_name("FILE");
  app->add_option("--save-calibration", arguments->quantize.save_calibration,
                  "Also write what the calibration finds, for --from-calibration")
      ->type_name("FILE");
  app->get_option("--from-calibration")->excludes(app->get_option("--save-calibration"));
  app->add_flag("--fresh", arguments->quantize.fresh, "Start over where an earlier run of this job was interrupted");
  app->add_option("--report", arguments->report, "Write everything measured to FILE, as JSON")->type_name("FILE");
  app->add_option("--depfile", arguments->depfile,
                  "Write what the output was made from to FILE, as a makefile rule, for Make and Ninja")
      ->type_name("FILE");
  app->add_flag("--json", arguments->json, "Print that report on standard output instead of the summary");
  add_session_options(*app, arguments->session);
  app->footer(
      "The output appears only when complete; Ctrl-C leaves an older file as it was. After an interruption the same\n"
      "command goes on behind the last finished block, which is kept in OUTPUT.partial with OUTPUT.journal.\n\n"
      "Examples:\n"
      "  scrooge quantize Qwen3-4B --output qwen3.scrooge --calibration wiki.txt\n"
      "  scrooge quantize Qwen3-4B -o qwen3.scrooge --calibration wiki.txt --preset minimal\n"
      "  scrooge quantize Qwen3-4B -o qwen3.scrooge --calibration wiki.txt --bits 3 --group 64 --memory 2GiB\n"
      "  scrooge quantize Qwen3-4B -o qwen3.scrooge --calibration wiki.txt --save-calibration qwen3.calib\n"
      "  scrooge quantize Qwen3-4B -o again.scrooge --from-calibration qwen3.calib --rounding heuristic\n"
      "  scrooge quantize Qwen3-4B -o rtn8.scrooge --method rtn --bits 8 --report rtn8.json");
  return {app, [arguments] { return run_quantize(*arguments); }};
}

}  // namespace scrooge::cli
