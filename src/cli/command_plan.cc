// SPDX-License-Identifier: Apache-2.0
// scrooge plan: what a quantization would need, from shapes alone; writes nothing.
#include <cstdio>
#include <memory>
#include <scrooge/scrooge.hpp>

#include "src/cli/arguments.h"
#include "src/cli/commands.h"
#include "src/cli/exit_code.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct PlanArguments {
  QuantizeArguments quantize;
  SessionOptions session;
  bool json = false;
};

void print_plan(const scrooge_plan& plan) {
  const std::string budget = plan.budget_bytes == UINT64_MAX ? "no limit" : format_size(plan.budget_bytes);
  std::printf("blocks   %u\n", plan.blocks);
  std::printf("tokens   %s (%s dropped)\n", format_count(plan.tokens).c_str(),
              format_count(plan.tokens_dropped).c_str());
  std::printf("memory   peak %s, minimum %s, budget %s\n", format_size(plan.peak_bytes).c_str(),
              format_size(plan.minimum_bytes).c_str(), budget.c_str());
  if (plan.spill_bytes > 0) std::printf("spill    %s on disk\n", format_size(plan.spill_bytes).c_str());
  std::printf("output   %s, %s bits per weight\n", format_size(plan.output_bytes).c_str(),
              format_fixed(plan.bits_per_weight, 3).c_str());
}

int run_plan(const PlanArguments& arguments) {
  Session session(arguments.session);
  scrooge_quantize_options options = to_options(arguments.quantize);
  session.attach(options);
  const Expected<Job> job = Job::prepare(options);
  session.finish();
  if (!job) return report_error(job.error());
  if (arguments.json) {
    const Expected<std::string> json = job->plan_json();
    if (!json) return report_error(json.error());
    std::printf("%s\n", json->c_str());
    return kExitOk;
  }
  const Expected<scrooge_plan> plan = job->plan();
  if (!plan) return report_error(plan.error());
  print_plan(*plan);
  return kExitOk;
}

}  // namespace

Command add_plan_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("plan", "Show the memory and the output size a quantization needs");
  auto arguments = std::make_shared<PlanArguments>();
  add_quantize_options(*app, arguments->quantize);
  app->add_option("-o,--output", arguments->quantize.output, "The file that would be written")->type_name("FILE");
  app->add_flag("--json", arguments->json, "The whole plan, stage by stage, as JSON");
  add_session_options(*app, arguments->session);
  app->footer(
      "Takes every option of 'scrooge quantize', and writes nothing.\n\n"
      "Examples:\n"
      "  scrooge plan Qwen3-4B --samples 128 --length 2048\n"
      "  scrooge plan Qwen3-4B --memory 2GiB --bits 3 --group 64\n"
      "  scrooge plan Qwen3-4B --json > plan.json");
  return {app, [arguments] { return run_plan(*arguments); }};
}

}  // namespace scrooge::cli
