// SPDX-License-Identifier: Apache-2.0
// scrooge eval: perplexity of a model on a text, and how far it is from a reference.
#include <cstdio>
#include <memory>
#include <scrooge/scrooge.hpp>

#include "src/cli/arguments.h"
#include "src/cli/commands.h"
#include "src/cli/exit_code.h"
#include "src/cli/json_object.h"
#include "src/cli/plan_table.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct EvalArguments {
  std::string model;
  std::string reference;
  std::string text;
  std::string token_ids;
  uint32_t context = 0;
  uint32_t max_windows = 0;
  ResourceArguments resources;
  SessionOptions session;
  bool json = false;
};

std::string to_json(const scrooge_evaluation& result) {
  JsonObject object;
  object.add("perplexity", result.perplexity).add("tokens", result.tokens).add("tokens_dropped", result.tokens_dropped);
  if (result.has_reference != 0) {
    object.add("kl", result.kl).add("top1", result.top1).add("reference_perplexity", result.reference_perplexity);
  }
  object.add("peak_bytes", result.peak_bytes).add("device_peak_bytes", result.device_peak_bytes);
  object.add("seconds", result.seconds);
  return object.text();
}

void print_result(const scrooge_evaluation& result) {
  std::printf("perplexity            %s\n", format_fixed(result.perplexity, 4).c_str());
  if (result.has_reference != 0) {
    std::printf("reference perplexity  %s\n", format_fixed(result.reference_perplexity, 4).c_str());
    std::printf("KL divergence         %s nats\n", format_fixed(result.kl, 6).c_str());
    std::printf("same likeliest token  %s%%\n", format_fixed(100 * result.top1, 2).c_str());
  }
  std::printf("tokens                %s scored, %s dropped\n", format_count(result.tokens).c_str(),
              format_count(result.tokens_dropped).c_str());
  std::printf("memory                peak %s\n", format_size(result.peak_bytes).c_str());
  if (result.device_peak_bytes > 0) {
    std::printf("device memory         peak %s\n", format_size(result.device_peak_bytes).c_str());
  }
  std::printf("time                  %s\n", format_duration(result.seconds).c_str());
}

int run_eval(const EvalArguments& arguments) {
  if (arguments.text.empty() && arguments.token_ids.empty()) {
    return report_usage("--text TEXT or --token-ids FILE is required", "eval");
  }
  Session session(arguments.session);
  scrooge_evaluate_options options = evaluate_options();
  options.model = given(arguments.model);
  options.reference = given(arguments.reference);
  options.text = given(arguments.text);
  options.token_ids = given(arguments.token_ids);
  options.context = arguments.context;
  options.max_windows = arguments.max_windows;
  options.threads = arguments.resources.threads;
  options.memory = arguments.resources.memory;
  options.device_memory = arguments.resources.device_memory;
  // Said here: the result has no room for it.
  const Expected<scrooge_device_info> device = find_device(arguments.resources.device);
  if (!device) return report_error(device.error());
  if (device->reason[0] != '\0') session.remark("device " + device_text(device->id, device->name, device->reason));
  options.device = device->id;
  session.attach(options);
  const Expected<scrooge_evaluation> result = evaluate(options);
  session.finish();
  if (!result) return report_error(result.error());
  if (arguments.json) {
    std::printf("%s\n", to_json(*result).c_str());
  } else {
    print_result(*result);
  }
  return kExitOk;
}

}  // namespace

Command add_eval_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("eval", "Measure perplexity, and the distance to a reference");
  auto arguments = std::make_shared<EvalArguments>();
  arguments->context = evaluate_options().context;
  app->add_option("model", arguments->model, "A .scrooge file or a checkpoint")->required()->type_name("MODEL");
  CLI::Option* text = app->add_option("--text", arguments->text, "UTF-8 text file to score")->type_name("TEXT");
  app->add_option("--token-ids", arguments->token_ids, "Token ids instead of text")->type_name("FILE")->excludes(text);
  add_number(*app, "--context", arguments->context, "Tokens per window; windows do not overlap")
      ->check(CLI::PositiveNumber);
  app->add_option("--reference", arguments->reference, "Compare with this checkpoint: KL divergence, top-1 agreement")
      ->type_name("CHECKPOINT");
  add_number(*app, "--max-windows", arguments->max_windows, "Score at most so many windows; 0: all");
  add_resource_options(*app, arguments->resources);
  app->add_flag("--json", arguments->json, "The figures as JSON");
  add_session_options(*app, arguments->session);
  app->footer(
      "Examples:\n"
      "  scrooge eval qwen3.scrooge --text test.txt --context 2048\n"
      "  scrooge eval qwen3.scrooge --text test.txt --context 512 --reference Qwen3-4B --max-windows 20\n"
      "  scrooge eval Qwen3-4B --token-ids test.ids --json");
  return {app, [arguments] { return run_eval(*arguments); }};
}

}  // namespace scrooge::cli
