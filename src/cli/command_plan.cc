// SPDX-License-Identifier: Apache-2.0
// scrooge plan: what a quantization would need, from shapes alone; writes nothing.
#include <cstdio>
#include <memory>
#include <scrooge/scrooge.hpp>
#include <vector>

#include "src/cli/arguments.h"
#include "src/cli/commands.h"
#include "src/cli/console.h"
#include "src/cli/exit_code.h"
#include "src/cli/plan_advice.h"
#include "src/cli/plan_table.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct PlanArguments {
  QuantizeArguments quantize;
  SessionOptions session;
  bool json = false;
};

// Those in one memory.
std::vector<scrooge_plan_item> items_of(const Job& job, const scrooge_plan& plan, int32_t memory) {
  std::vector<scrooge_plan_item> items;
  for (uint32_t index = 0; index < plan.items; ++index) {
    const Expected<scrooge_plan_item> item = job.plan_item(index);
    if (item && item->memory == memory) items.push_back(*item);
  }
  return items;
}

// "preset fast: 32 rows of 512 tokens, effort fast; 290,111 tokens dropped, 1,536 held out"
std::string job_text(const QuantizeArguments& arguments, const scrooge_plan& plan) {
  if (!arguments.from_calibration.empty()) return "from the calibration results in " + arguments.from_calibration;
  if (plan.tokens == 0) return "round-to-nearest, without calibration";
  std::string text = arguments.preset.empty() ? "" : "preset " + arguments.preset + ": ";
  text += format_quantity(plan.tokens / arguments.length, "row") + " of " + format_count(arguments.length) + " tokens";
  text += ", effort " + arguments.effort + "; " + format_count(plan.tokens_dropped) + " tokens dropped";
  if (plan.held_out_tokens > 0) text += ", " + format_count(plan.held_out_tokens) + " held out";
  return text;
}

// What the job needs of each disk, and what is free there; a warning where that is less.
void print_disks(const Job& job, const scrooge_plan& plan) {
  for (uint32_t index = 0; index < plan.disks; ++index) {
    const Expected<scrooge_disk> disk = job.disk(index);
    if (!disk) continue;
    const std::string folder = without_control_characters(disk->folder);
    const bool known = disk->free_bytes != UINT64_MAX;
    std::printf("disk     %s needs %s (%s)%s\n", folder.c_str(), format_size(disk->bytes).c_str(), disk->purposes,
                known ? (", " + format_size(disk->free_bytes) + " free").c_str() : "");
    if (!known || disk->bytes <= disk->free_bytes) continue;
    const std::string missing = format_size(disk->bytes - disk->free_bytes);
    print_notice(stderr, Notice::kWarning,
                 disk->required_bytes <= disk->free_bytes
                     ? folder + ": " + missing +
                           " too little for hidden states to go on from; after an interruption "
                           "finished blocks would be run again"
                     : folder + ": " + missing + " too little on that disk; 'scrooge quantize' would refuse this job");
  }
}

void print_time(const Job& job) {
  const Expected<scrooge_time_plan> time = job.time_plan();
  if (!time) return;
  std::vector<scrooge_time_item> items;
  for (uint32_t index = 0; index < time->items; ++index) {
    const Expected<scrooge_time_item> item = job.time_item(index);
    if (item) items.push_back(*item);
  }
  std::printf("\n%s\n", time_table(items).c_str());
  std::printf("time     %s\n", time_text(*time).c_str());
}

void print_plan(const QuantizeArguments& arguments, const Job& job, const scrooge_plan& plan,
                const std::string& budget) {
  std::printf("job      %s\n", job_text(arguments, plan).c_str());
  std::printf("device   %s\n", device_text(plan.device, plan.device_name, plan.device_reason).c_str());
  std::printf("blocks   %u\n", plan.blocks);
  std::printf("output   %s, %s bits per weight\n\n", format_mib(plan.output_bytes).c_str(),
              format_fixed(plan.bits_per_weight, 3).c_str());
  if (plan.device_own_memory != 0) {
    const auto items = items_of(job, plan, SCROOGE_MEMORY_DEVICE);
    std::printf("%s\n", plan_table(items, "buffer on the device").c_str());
    std::printf("device   peak %s, minimum budget %s\n", format_mib(plan.device_peak_bytes).c_str(),
                format_mib(plan.device_minimum_bytes).c_str());
    std::printf("budget   %s\n\n", budget_text(plan.device_budget_bytes, plan.device_budget_origin).c_str());
  }
  std::printf("%s\n", plan_table(items_of(job, plan, SCROOGE_MEMORY_HOST)).c_str());
  std::printf("memory   peak %s with %s of the process itself, minimum budget %s\n",
              format_mib(plan.peak_bytes).c_str(), format_mib(plan.overhead_bytes).c_str(),
              format_mib(plan.minimum_bytes).c_str());
  if (plan.spill_bytes > 0) std::printf("spill    %s on disk\n", format_mib(plan.spill_bytes).c_str());
  if (plan.states_bytes > 0) {
    std::printf("states   %s on disk beside the output, to go on from\n", format_mib(plan.states_bytes).c_str());
  }
  std::printf("budget   %s\n", budget.c_str());
  print_disks(job, plan);
  print_time(job);
}

// The job in the least memory that it runs in: of the device where that alone was too small, else of the host.
Expected<Job> prepare_least(scrooge_quantize_options& options) {
  const scrooge_quantize_options given = options;
  options.device_memory = UINT64_MAX;
  Expected<Job> job = Job::prepare(options);
  if (job) {
    const Expected<scrooge_plan> plan = job->plan();
    if (!plan) return plan.error();
    if (plan->device_own_memory != 0) {
      options.device_memory = plan->device_minimum_bytes;
      return Job::prepare(options);
    }
  }
  options.memory = UINT64_MAX;
  // A second ceiling on the host's memory goes; the budget of a device stays where the job fits it.
  options.device_memory = given.device_memory;
  job = Job::prepare(options);
  if (!job) {
    options.device_memory = UINT64_MAX;
    job = Job::prepare(options);
    if (!job) return job;
  }
  const Expected<scrooge_plan> plan = job->plan();
  if (!plan) return plan.error();
  if (plan->device_own_memory == 0) options.device_memory = 0;
  options.memory = plan->minimum_bytes;
  return Job::prepare(options);
}

// For a budget that is too small: the job in the least it runs in, and what would make that less.
void print_refused(const QuantizeArguments& arguments, scrooge_quantize_options options) {
  options.log = nullptr;  // everything was said the first time
  const uint64_t memory = options.memory;
  const Expected<Job> job = prepare_least(options);
  if (!job) return;
  const Expected<scrooge_plan> plan = job->plan();
  if (!plan) return;
  print_plan(arguments, *job, *plan, "too small; this is the plan for the minimum");
  const bool of_device = plan->device_own_memory != 0 && options.memory == memory;
  const char* heading = "less by";
  for (const Advice& advice : lower_minimums(options, *plan, of_device)) {
    std::printf("%-7s  %-18s minimum %s\n", heading, advice.change.c_str(), format_mib(advice.minimum).c_str());
    heading = "";
  }
}

int run_plan(const PlanArguments& arguments) {
  Session session(arguments.session);
  scrooge_quantize_options options = to_options(arguments.quantize);
  session.attach(options);
  const Expected<Job> job = Job::prepare(options);
  session.finish();
  if (!job) {
    if (job.error().status == SCROOGE_BUDGET_EXCEEDED && !arguments.json) print_refused(arguments.quantize, options);
    session.finish();
    return report_error(job.error());
  }
  if (arguments.json) {
    const Expected<std::string> json = job->plan_json();
    if (!json) return report_error(json.error());
    std::printf("%s\n", json->c_str());
    return kExitOk;
  }
  const Expected<scrooge_plan> plan = job->plan();
  if (!plan) return report_error(plan.error());
  print_plan(arguments.quantize, *job, *plan, budget_text(plan->budget_bytes, plan->budget_origin));
  return kExitOk;
}

}  // namespace

Command add_plan_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("plan", "Show the memory, the time and the output size a quantization needs");
  auto arguments = std::make_shared<PlanArguments>();
  add_quantize_options(*app, arguments->quantize);
  app->add_option("-o,--output", arguments->quantize.output, "The file that would be written")->type_name("FILE");
  app->add_flag("--json", arguments->json, "The whole plan, stage by stage, as JSON");
  add_session_options(*app, arguments->session);
  app->footer(
      "Takes every option of 'scrooge quantize', and writes nothing. Where the budget is too small it shows the plan "
      "for\n"
      "the minimum, and what would lower that.\n\n"
      "Examples:\n"
      "  scrooge plan Qwen3-4B --samples 128 --length 2048\n"
      "  scrooge plan Qwen3-4B --memory 2GiB --bits 3 --group 64\n"
      "  scrooge plan Qwen3-4B --preset minimal --spill /var/tmp\n"
      "  scrooge plan Qwen3-4B --json > plan.json");
  return {app, [arguments] { return run_plan(*arguments); }};
}

}  // namespace scrooge::cli
