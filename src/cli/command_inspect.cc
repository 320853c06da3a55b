// SPDX-License-Identifier: Apache-2.0
// scrooge inspect: what is in a .scrooge file, be it a model or what a calibration found.
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <scrooge/scrooge.hpp>
#include <vector>

#include "src/cli/arguments.h"
#include "src/cli/calibration_table.h"
#include "src/cli/commands.h"
#include "src/cli/console.h"
#include "src/cli/exit_code.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

struct InspectArguments {
  std::string file;
  uint64_t tensors = 20;
  bool json = false;
};

struct Tensor {
  scrooge_tensor_info info;
  uint64_t bytes;  // of all its planes
};

constexpr std::array<const char*, 3> kKindNames{"dense", "quantized", "auxiliary"};
constexpr std::array<const char*, 4> kDtypeNames{"f32", "f16", "bf16", "u8"};
constexpr std::array<const char*, 3> kLayoutNames{"canonical", "interleaved", "awq"};

template <std::size_t Size>
const char* name_in(const std::array<const char*, Size>& names, int32_t value) {
  return value >= 0 && static_cast<std::size_t>(value) < Size ? names[static_cast<std::size_t>(value)] : "?";
}

Expected<std::vector<Tensor>> list_tensors(const Model& model) {
  std::vector<Tensor> tensors;
  for (uint64_t index = 0; index < model.tensor_count(); ++index) {
    const Expected<scrooge_tensor_info> info = model.tensor(index);
    if (!info) return info.error();
    Tensor tensor{*info, 0};
    for (const int32_t which : {SCROOGE_PLANE_DATA, SCROOGE_PLANE_CODES, SCROOGE_PLANE_SCALES, SCROOGE_PLANE_ZEROS}) {
      const Expected<Plane> plane = model.plane(index, which);
      if (!plane) return plane.error();
      tensor.bytes += plane->size;
    }
    tensors.push_back(tensor);
  }
  return tensors;
}

// "interleaved4"; "mixed layouts" where tensors differ.
std::string layout_text(const std::vector<Tensor>& tensors) {
  std::string common;
  for (const Tensor& tensor : tensors) {
    if (tensor.info.kind != SCROOGE_TENSOR_QUANTIZED) continue;
    std::string name = name_in(kLayoutNames, static_cast<int32_t>(tensor.info.layout));
    if (tensor.info.layout == SCROOGE_LAYOUT_INTERLEAVED) name += std::to_string(tensor.info.layout_rows);
    if (!common.empty() && common != name) return "mixed layouts";
    common = name;
  }
  return common;
}

void print_kinds(const std::vector<Tensor>& tensors) {
  double quantized_bits = 0;
  double quantized_weights = 0;
  for (int32_t kind = 0; kind < static_cast<int32_t>(kKindNames.size()); ++kind) {
    uint64_t count = 0;
    uint64_t bytes = 0;
    for (const Tensor& tensor : tensors) {
      if (tensor.info.kind != kind) continue;
      ++count;
      bytes += tensor.bytes;
      if (kind != SCROOGE_TENSOR_QUANTIZED) continue;
      quantized_bits += 8.0 * static_cast<double>(tensor.bytes);
      quantized_weights += static_cast<double>(tensor.info.rows) * static_cast<double>(tensor.info.columns);
    }
    std::printf("%-10s %6s tensors %12s", name_in(kKindNames, kind), format_count(count).c_str(),
                format_size(bytes).c_str());
    if (kind == SCROOGE_TENSOR_QUANTIZED && quantized_weights > 0) {
      std::printf("  %s bits per weight, %s", format_fixed(quantized_bits / quantized_weights, 3).c_str(),
                  layout_text(tensors).c_str());
    }
    std::printf("\n");
  }
}

void print_tensor(const Tensor& tensor) {
  const scrooge_tensor_info& info = tensor.info;
  std::string scheme = "-";
  if (info.kind == SCROOGE_TENSOR_QUANTIZED) {
    const std::string group = info.group == 0 || info.group >= info.columns ? "row" : "g" + std::to_string(info.group);
    scheme = std::to_string(info.bits) + "-bit " + group + (info.symmetric != 0 ? " sym" : " asym");
  }
  const std::string shape = std::to_string(info.rows) + " x " + std::to_string(info.columns);
  std::printf("%-10s %-18s %-5s %-16s %12s  %s\n", name_in(kKindNames, info.kind), shape.c_str(),
              name_in(kDtypeNames, info.dtype), scheme.c_str(), format_size(tensor.bytes).c_str(),
              without_control_characters(info.name).c_str());
}

int print_model(const InspectArguments& arguments, const Model& model) {
  const Expected<std::vector<Tensor>> tensors = list_tensors(model);
  if (!tensors) return report_error(tensors.error());
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(arguments.file, error);
  std::printf("%s: %s, %s\n\n", arguments.file.c_str(), format_size(error ? 0 : size).c_str(),
              format_quantity(tensors->size(), "tensor").c_str());
  print_kinds(*tensors);
  std::printf("\n%-10s %-18s %-5s %-16s %12s  %s\n", "kind", "shape", "type", "scheme", "bytes", "name");
  const uint64_t shown = arguments.tensors == 0 ? tensors->size() : arguments.tensors;
  for (std::size_t i = 0; i < tensors->size() && i < shown; ++i) print_tensor((*tensors)[i]);
  if (shown < tensors->size()) {
    std::printf("... and %s more; --tensors 0 shows all\n", format_count(tensors->size() - shown).c_str());
  }
  return kExitOk;
}

int print_calibration(const std::string& file, const Model& model) {
  const Expected<std::string> table = calibration_table(model);
  if (!table) return report_error(table.error());
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(file, error);
  std::printf("%s: %s, what a calibration found; a job starts from it with --from-calibration\n\n%s", file.c_str(),
              format_size(error ? 0 : size).c_str(), table->c_str());
  return kExitOk;
}

int run_inspect(const InspectArguments& arguments) {
  const Expected<Model> model = Model::open(arguments.file, SCROOGE_OPEN_STRUCTURE);
  if (!model) return report_error(model.error());
  if (!arguments.json && model->contents() == SCROOGE_CONTENTS_CALIBRATION) {
    return print_calibration(arguments.file, *model);
  }
  if (!arguments.json) return print_model(arguments, *model);
  const Expected<std::string> json = model->json();
  if (!json) return report_error(json.error());
  std::printf("%s\n", json->c_str());
  return kExitOk;
}

}  // namespace

Command add_inspect_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("inspect", "Show what is in a .scrooge file or in calibration results");
  auto arguments = std::make_shared<InspectArguments>();
  app->add_option("file", arguments->file, "The .scrooge file, or what --save-calibration wrote")
      ->required()
      ->type_name("FILE");
  add_number(*app, "--tensors", arguments->tensors, "Tensors to list; 0: all");
  app->add_flag("--json", arguments->json, "Everything about the file, as JSON");
  app->footer(
      "Checks the file's structure but not its checksums; 'scrooge verify' does that.\n\n"
      "Examples:\n"
      "  scrooge inspect qwen3.scrooge\n"
      "  scrooge inspect qwen3.scrooge --tensors 0\n"
      "  scrooge inspect qwen3.scrooge --json > qwen3.json");
  return {app, [arguments] { return run_inspect(*arguments); }};
}

}  // namespace scrooge::cli
