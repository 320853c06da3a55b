// SPDX-License-Identifier: Apache-2.0
#include "src/cli/arguments.h"

#include <array>
#include <scrooge/scrooge.hpp>
#include <utility>
#include <vector>

#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

using Names = std::vector<std::pair<std::string, int32_t>>;

const Names& method_names() {
  static const Names names{{"awq", SCROOGE_METHOD_AWQ}, {"rtn", SCROOGE_METHOD_RTN}};
  return names;
}
const Names& propagate_names() {
  static const Names names{
      {"linear", SCROOGE_PROPAGATE_LINEAR}, {"block", SCROOGE_PROPAGATE_BLOCK}, {"none", SCROOGE_PROPAGATE_NONE}};
  return names;
}
const Names& effort_names() {
  static const Names names{
      {"fast", SCROOGE_EFFORT_FAST}, {"default", SCROOGE_EFFORT_DEFAULT}, {"max", SCROOGE_EFFORT_MAX}};
  return names;
}
const Names& sampling_names() {
  static const Names names{
      {"first", SCROOGE_SAMPLING_FIRST}, {"even", SCROOGE_SAMPLING_EVEN}, {"random", SCROOGE_SAMPLING_RANDOM}};
  return names;
}
const Names& states_names() {
  static const Names names{
      {"auto", SCROOGE_STATES_AUTO}, {"keep", SCROOGE_STATES_KEEP}, {"replay", SCROOGE_STATES_REPLAY}};
  return names;
}
const Names& scale_names() {
  static const Names names{{"fp16", SCROOGE_SCALE_FP16}, {"bf16", SCROOGE_SCALE_BF16}};
  return names;
}

std::string name_of(const Names& names, int32_t value) {
  for (const auto& [name, number] : names) {
    if (number == value) return name;
  }
  return names.front().first;
}

// REQUIRES: `name` was checked against `names`.
int32_t value_of(const Names& names, const std::string& name) {
  for (const auto& [candidate, number] : names) {
    if (candidate == name) return number;
  }
  return names.front().second;
}

std::string choices(const Names& names) {
  std::string list;
  for (const auto& [name, number] : names) list += (list.empty() ? "" : "|") + name;
  return list;
}

CLI::Validator one_of(const Names& names) {
  return CLI::Validator(
      [names](std::string& text) {
        for (const auto& [name, number] : names) {
          if (name == text) return std::string();
        }
        return "'" + text + "' is not one of " + choices(names);
      },
      "");
}

// Refuses what the library has no preset of.
CLI::Validator preset_name() {
  return CLI::Validator(
      [](std::string& text) {
        scrooge_quantize_options options = quantize_options();
        const Expected<void> done = apply_preset(options, text);
        return done ? std::string() : done.error().message;
      },
      "");
}

// Options take their values in the order in which they were added, wherever they stand on the command line: this one
// comes before those it sets, which then win.
void add_preset_option(CLI::App& command, QuantizeArguments& arguments) {
  command
      .add_option_function<std::string>(
          "--preset",
          [&arguments](const std::string& name) {
            scrooge_quantize_options options = quantize_options();
            if (!apply_preset(options, name)) return;
            arguments.preset = name;
            arguments.samples = options.samples;
            arguments.length = options.length;
            arguments.effort = name_of(effort_names(), options.effort);
          },
          "Sets --samples, --length and --effort, where they are not given: minimal for the least memory, fast for the "
          "least time, production, max for the best result")
      ->check(preset_name())
      ->type_name("minimal|fast|production|max");
}

}  // namespace

CLI::Validator budget_value() {
  return CLI::Validator(
      [](std::string& text) {
        if (text == "unlimited") {
          text = std::to_string(UINT64_MAX);
          return std::string();
        }
        const std::optional<uint64_t> bytes = parse_size(text);
        if (!bytes || *bytes == 0)
          return "'" + text + "' is not a size; write bytes, a number with KiB, MiB, GiB or TiB, or unlimited";
        text = std::to_string(*bytes);
        return std::string();
      },
      "");
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) {
          return "'" + text + "' is not a whole number";
        }
        // A leading zero would be read as octal.
        const std::size_t first = text.find_first_not_of('0');
        text = first == std::string::npos ? "0" : text.substr(first);
        return std::string();
      },
      "");
}

CLI::Option* add_layout_option(CLI::App& command, std::string& layout) {
  // The library takes the name; checked here so that a slip is told before any file is opened.
  static const Names names{{"canonical", 0}, {"interleaved4", 0}, {"interleaved8", 0}, {"awq", 0}};
  return command.add_option("--layout", layout, "Order of the quantized weights, as a device's kernels want them")
      ->check(one_of(names))
      ->type_name(choices(names));
}

void add_session_options(CLI::App& command, SessionOptions& options) {
  CLI::Option* quiet =
      command.add_flag("-q,--quiet", options.quiet, "No progress and no summary; warnings and errors only");
  command.add_flag("-v,--verbose", options.verbose, "Also what the library remarks on the way")->excludes(quiet);
}

void add_resource_options(CLI::App& command, ResourceArguments& arguments) {
  command
      .add_option("--memory", arguments.memory,
                  "Host memory budget, such as 512MiB or 1.5GiB, or unlimited (default: what is free, less a tenth)")
      ->transform(budget_value())
      ->type_name("BYTES");
  command
      .add_option(
          "--device-memory", arguments.device_memory,
          "Budget of a device with memory of its own (default: what it has free, less a tenth); where the device "
          "computes in host memory, as cpu does, the smaller of both is the budget")
      ->transform(budget_value())
      ->type_name("BYTES");
  add_number(command, "--threads", arguments.threads, "Threads; 0: all processors of this process");
  command
      .add_option("--device", arguments.device,
                  "Where to compute: an id of 'scrooge devices', auto for the best fit, or a "
                  "part of a device's name")
      ->type_name("ID")
      ->capture_default_str();
}

QuantizeArguments::QuantizeArguments() {
  const scrooge_quantize_options defaults = quantize_options();
  samples = defaults.samples;
  length = defaults.length;
  bits = defaults.bits;
  group = defaults.group;
  symmetric = defaults.symmetric != 0;
  method = name_of(method_names(), defaults.method);
  scale_type = name_of(scale_names(), defaults.scale_type);
  layout = defaults.layout == nullptr ? "canonical" : defaults.layout;
  propagate = name_of(propagate_names(), defaults.propagate);
  grid = defaults.grid;
  no_clip = defaults.clip == 0;
  effort = name_of(effort_names(), defaults.effort);
  seed = defaults.seed;
  sampling = name_of(sampling_names(), defaults.sampling);
  states = name_of(states_names(), defaults.states);
  held_out = defaults.held_out;
  outliers = defaults.outliers;
  max_tokens_per_sample = defaults.max_tokens_per_sample;
  resources.threads = defaults.threads;
  resources.memory = defaults.memory;
  resources.device_memory = defaults.device_memory;
  if (defaults.device != nullptr) resources.device = defaults.device;
}

void add_quantize_options(CLI::App& command, QuantizeArguments& arguments) {
  command.add_option("checkpoint", arguments.checkpoint, "Folder with config.json and safetensors, or a GGUF file")
      ->required()
      ->type_name("CHECKPOINT");
  const auto choice = [&](const char* name, std::string& value, const Names& names, const char* help) {
    command.add_option(name, value, help)->check(one_of(names))->type_name(choices(names))->capture_default_str();
  };

  CLI::Option* text =
      command.add_option("--calibration", arguments.calibration, "UTF-8 text file to calibrate on")->type_name("TEXT");
  command.add_option("--calibration-ids", arguments.calibration_ids, "Token ids instead of text")
      ->type_name("FILE")
      ->excludes(text);
  CLI::Option* from =
      command
          .add_option("--from-calibration", arguments.from_calibration,
                      "Instead of calibrating: scales and clip ranges that --save-calibration kept; with --rounding "
                      "nearest (default) or heuristic")
          ->type_name("FILE");
  add_preset_option(command, arguments);
  add_number(command, "--samples", arguments.samples, "Rows of calibration tokens")->check(CLI::PositiveNumber);
  add_number(command, "--length", arguments.length, "Tokens per row")->check(CLI::PositiveNumber);
  choice("--sampling", arguments.sampling, sampling_names(), "Rows of the text to take, where it has more");
  command.get_option("--sampling")->each([&arguments](const std::string&) { arguments.sampling_given = true; });
  add_number(command, "--seed", arguments.seed, "Chooses the rows of --sampling random, which it implies")
      ->each([&arguments](const std::string&) { arguments.seed_given = true; });
  // Rows that are not random have no seed, be it 0.
  command.parse_complete_callback([&arguments] {
    if (arguments.seed_given && arguments.sampling_given && arguments.sampling != "random") {
      throw CLI::ValidationError("--seed", "chooses rows at random, but --sampling is " + arguments.sampling);
    }
  });
  command.add_option("--held-out", arguments.held_out, "Percent of the tokens kept apart to check the result on")
      ->check(CLI::Range(0.0, 50.0))
      ->type_name("P")
      ->capture_default_str();
  command.add_option("--outlier-percent", arguments.outliers, "Most extreme tokens left out of the statistics")
      ->check(CLI::Range(0.0, 50.0))
      ->type_name("P")
      ->capture_default_str();
  add_number(command, "--max-tokens-per-sample", arguments.max_tokens_per_sample,
             "Tokens of a row, evenly spaced, that enter the statistics; 0: all");

  add_number(command, "--bits", arguments.bits, "Bits per weight: 2, 3, 4 or 8")->check(CLI::IsMember({2, 3, 4, 8}));
  add_number(command, "--group", arguments.group, "Weights per scale along the input; 0: one group per row");
  CLI::Option* symmetric = command.add_flag("--symmetric", arguments.symmetric, "No zero points");
  command.add_flag("--asymmetric", arguments.asymmetric, "A zero point per group (default)")->excludes(symmetric);
  choice("--scale-type", arguments.scale_type, scale_names(), "Type of the stored scales");
  add_layout_option(command, arguments.layout)->capture_default_str();

  choice("--method", arguments.method, method_names(), "Activation-aware, or plain round-to-nearest");
  add_number(command, "--grid", arguments.grid, "Steps of the scale search; 0: no scaling");
  command.add_flag("--no-clip", arguments.no_clip, "Do not search the clip range");
  choice(
      "--effort", arguments.effort, effort_names(),
      "fast: round to nearest; default: second-order rounding, descent, error correction, refitted scales; max: more "
      "rounds of the last");
  command.add_option("--rounding", arguments.rounding, "Instead of the effort's: nearest, heuristic or gptq")
      ->type_name("NAME");
  command.add_option("--correct", arguments.correct, "Error correction, 0 to 1, instead of the effort's")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("C");
  command
      .add_option("--refine", arguments.refine, "Sweeps of coordinate descent on the codes, instead of the effort's")
      ->check(CLI::Range(0, 100))
      ->type_name("N");
  command.add_option("--refit", arguments.refit, "Sweeps of scale refitting, instead of the effort's")
      ->check(CLI::Range(0, 100))
      ->type_name("N");
  choice("--propagate", arguments.propagate, propagate_names(),
         "Earlier quantization errors that calibration sees: of every linear, of whole blocks, none");
  add_resource_options(command, arguments.resources);
  command.add_flag("--reproducible", arguments.reproducible,
                   "The same bytes on every processor and system: arithmetic on the cpu in one fixed order; slower");
  command.add_option("--spill", arguments.spill, "Folder on disk for what the memory budget has no room for")
      ->type_name("FOLDER");
  choice("--states", arguments.states, states_names(),
         "After an interruption: go on from hidden states kept on disk, or run finished blocks again");
  // What would have no say.
  for (const char* name :
       {"--calibration", "--calibration-ids", "--preset", "--samples", "--length", "--sampling", "--seed", "--held-out",
        "--outlier-percent", "--max-tokens-per-sample", "--method", "--grid", "--effort", "--propagate", "--spill"}) {
    from->excludes(command.get_option(name));
  }
}

scrooge_quantize_options to_options(const QuantizeArguments& arguments) {
  scrooge_quantize_options options = quantize_options();
  options.checkpoint = given(arguments.checkpoint);
  options.output = given(arguments.output);
  options.calibration_text = given(arguments.calibration);
  options.calibration_ids = given(arguments.calibration_ids);
  options.from_calibration = given(arguments.from_calibration);
  options.save_calibration = given(arguments.save_calibration);
  options.samples = arguments.samples;
  options.length = arguments.length;
  options.bits = arguments.bits;
  options.group = arguments.group;
  options.symmetric = arguments.symmetric ? 1 : 0;
  options.method = value_of(method_names(), arguments.method);
  options.scale_type = value_of(scale_names(), arguments.scale_type);
  options.layout = given(arguments.layout);
  options.propagate = value_of(propagate_names(), arguments.propagate);
  options.grid = arguments.grid;
  options.clip = arguments.no_clip ? 0 : 1;
  options.effort = value_of(effort_names(), arguments.effort);
  options.rounding = given(arguments.rounding);
  options.correct = arguments.correct;
  options.refit = arguments.refit;
  options.refine = arguments.refine;
  options.sampling = value_of(sampling_names(), arguments.sampling);
  if (arguments.seed_given) options.sampling = SCROOGE_SAMPLING_RANDOM;
  options.held_out = arguments.held_out;
  options.outliers = arguments.outliers;
  options.max_tokens_per_sample = arguments.max_tokens_per_sample;
  options.spill = given(arguments.spill);
  options.fresh = arguments.fresh ? 1 : 0;
  options.states = value_of(states_names(), arguments.states);
  options.threads = arguments.resources.threads;
  options.seed = arguments.seed;
  options.memory = arguments.resources.memory;
  options.device_memory = arguments.resources.device_memory;
  options.device = given(arguments.resources.device);
  options.reproducible = arguments.reproducible ? 1 : 0;
  return options;
}

}  // namespace scrooge::cli
