// SPDX-License-Identifier: Apache-2.0
// scrooge devices: where --device can compute.
#include <cstdio>
#include <memory>
#include <scrooge/scrooge.hpp>
#include <vector>

#include "src/cli/commands.h"
#include "src/cli/exit_code.h"
#include "src/cli/json_object.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

std::string to_json(const scrooge_device_info& device) {
  JsonObject object;
  object.add("id", device.id).add("name", device.name).add("available", device.available != 0);
  object.add("total_bytes", device.total_bytes).add("free_bytes", device.free_bytes).add("features", device.features);
  object.add("driver", device.driver).add("own_memory", device.own_memory != 0).add("software", device.software != 0);
  object.add("unfit", device.unfit);
  return object.text();
}

void print_device(const scrooge_device_info& device) {
  std::printf("%-12s %-12s %s\n", device.id, device.available != 0 ? "available" : "unavailable", device.name);
  const auto line = [](const char* what, const std::string& text) {
    if (!text.empty()) std::printf("%-12s %-12s %s%s\n", "", "", what, text.c_str());
  };
  if (device.total_bytes > 0) {
    line(device.own_memory != 0 ? "own memory: " : "",
         format_size(device.free_bytes) + " of " + format_size(device.total_bytes) + " free");
  }
  line("driver: ", device.driver);
  if (device.available != 0) line("", device.features);
  line("cannot be used: ", device.unfit);
  if (device.software != 0) line("", "computes in software: --device auto does not take it");
}

int run_devices(bool json) {
  const Expected<std::vector<scrooge_device_info>> list = devices();
  if (!list) return report_error(list.error());
  if (!json) {
    for (const scrooge_device_info& device : *list) print_device(device);
    return kExitOk;
  }
  std::vector<std::string> elements;
  for (const scrooge_device_info& device : *list) elements.push_back(to_json(device));
  std::printf("%s\n", JsonObject().add_raw("devices", json_list(elements)).text().c_str());
  return kExitOk;
}

}  // namespace

Command add_devices_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("devices", "List the devices and what they can do");
  auto json = std::make_shared<bool>(false);
  app->add_flag("--json", *json, "As JSON");
  app->footer(
      "Examples:\n"
      "  scrooge devices\n"
      "  scrooge devices --json");
  return {app, [json] { return run_devices(*json); }};
}

}  // namespace scrooge::cli
