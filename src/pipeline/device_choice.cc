// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/device_choice.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <vector>

#include "src/base/text.h"

namespace scrooge::pipeline {

using backend::Backend;
using backend::DeviceInfo;

namespace {

// The smaller the better, among devices that may be chosen by themselves.
int rank(const DeviceInfo& info) { return info.host_memory ? 2 : info.integrated ? 1 : 0; }

std::string_view kind_of(const DeviceInfo& info) {
  if (info.host_memory) return "no graphics processor to use";
  return info.integrated ? "an integrated graphics processor" : "a card with memory of its own";
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Status unfit(const ChosenDevice& device) {
  return error(StatusCode::kUnavailable, "device ", device.id(), " (", printable(device.info.name),
               ") cannot be used: ", device.info.unfit);
}

// Those of a backend that lists none, or that cannot: none.
std::vector<ChosenDevice> devices_of(const Backend& backend) {
  std::vector<ChosenDevice> devices;
  auto listed = backend.list_devices();
  if (!listed.ok()) return devices;
  for (size_t i = 0; i < listed->size(); ++i) {
    devices.push_back({&backend, static_cast<int>(i), std::move((*listed)[i]), {}});
  }
  return devices;
}

std::vector<ChosenDevice> all_devices(std::span<const Backend> backends) {
  std::vector<ChosenDevice> devices;
  for (const Backend& backend : backends) {
    for (ChosenDevice& device : devices_of(backend)) devices.push_back(std::move(device));
  }
  return devices;
}

std::string list_of(std::span<const ChosenDevice> devices) {
  std::string text;
  for (const ChosenDevice& device : devices) {
    text += concat(text.empty() ? "" : ", ", device.id(), " (", printable(device.info.name), ")");
  }
  return text;
}

// By the name of its backend. A backend that lists no device, being for tests or for an option, has one all the same,
// which says what it is once it is made.
Result<ChosenDevice> named(const Backend& backend, int index, std::string_view name) {
  auto listed = backend.list_devices();
  if (!listed.ok()) return listed.status().with_context(concat("device ", printable(name)));
  if (listed->empty()) {
    MemoryBudget unused;
    SCROOGE_ASSIGN_OR_RETURN(const auto device, backend.create(index, {1, &unused}));
    return ChosenDevice{&backend, index, device->describe(), {}};
  }
  if (static_cast<size_t>(index) >= listed->size()) {
    return error(StatusCode::kInvalidArgument, "device: ", printable(name), " does not exist; ", backend.name, " has ",
                 listed->size(), listed->size() == 1 ? " device" : " devices");
  }
  ChosenDevice device{&backend, index, std::move((*listed)[static_cast<size_t>(index)]), {}};
  if (!device.info.unfit.empty()) return unfit(device);
  return device;
}

// What speaks against devices that would have come before.
std::string passed_over(std::span<const ChosenDevice> devices, const ChosenDevice& best) {
  std::string text;
  for (const ChosenDevice& device : devices) {
    const bool before = device.info.software || !device.info.unfit.empty();
    if (!before || &device == &best) continue;
    text += concat("; not ", device.id(), " (", printable(device.info.name),
                   device.info.unfit.empty() ? "): computes in software" : concat("): ", device.info.unfit));
  }
  return text;
}

// What only making the device shows, such as a driver that computes wrongly, becomes its `unfit`.
bool can_be_made(ChosenDevice& device) {
  if (device.info.host_memory) return true;
  MemoryBudget unused;
  const auto made = device.create({1, &unused});
  if (made.ok() || made.status().code() != StatusCode::kUnavailable) return true;
  device.info.unfit = made.status().message();
  return false;
}

Result<ChosenDevice> best_of(std::span<const Backend> backends) {
  std::vector<ChosenDevice> devices = all_devices(backends);
  ChosenDevice* best = nullptr;
  do {
    best = nullptr;
    for (ChosenDevice& device : devices) {
      if (device.info.software || !device.info.unfit.empty()) continue;
      if (best == nullptr || rank(device.info) < rank(best->info)) best = &device;
    }
  } while (best != nullptr && !can_be_made(*best));
  if (best == nullptr) {
    return error(StatusCode::kUnavailable, "device: auto finds none that fits", passed_over(devices, ChosenDevice()));
  }
  ChosenDevice chosen = *best;
  chosen.reason = concat(kind_of(chosen.info), passed_over(devices, *best));
  return chosen;
}

// One card that several backends have counts as the first one's; two cards of one name in one backend are two.
void drop_other_backends(std::vector<ChosenDevice>& devices) {
  std::vector<ChosenDevice> kept;
  for (ChosenDevice& device : devices) {
    const bool elsewhere = std::any_of(kept.begin(), kept.end(), [&](const ChosenDevice& earlier) {
      return earlier.info.name == device.info.name && earlier.backend != device.backend;
    });
    if (!elsewhere) kept.push_back(std::move(device));
  }
  devices = std::move(kept);
}

Result<ChosenDevice> by_part_of_name(std::string_view name, std::span<const Backend> backends) {
  const std::vector<ChosenDevice> devices = all_devices(backends);
  const std::string wanted = lower(name);
  std::vector<ChosenDevice> matching;
  for (const ChosenDevice& device : devices) {
    if (lower(device.info.name).find(wanted) != std::string::npos) matching.push_back(device);
  }
  // One card may be unfit for one backend and fit for another.
  const auto fit = [](const ChosenDevice& device) { return device.info.unfit.empty(); };
  if (std::any_of(matching.begin(), matching.end(), fit)) {
    matching.erase(std::remove_if(matching.begin(), matching.end(), std::not_fn(fit)), matching.end());
  }
  drop_other_backends(matching);
  if (matching.size() > 1) {
    return error(StatusCode::kInvalidArgument, "device: \"", printable(name),
                 "\" is part of several names: ", list_of(matching), "; give one of these ids");
  }
  if (matching.empty()) {
    std::string known;
    for (const Backend& backend : backends) known += concat(known.empty() ? "" : ", ", backend.name);
    return error(StatusCode::kUnavailable, "device: \"", printable(name), "\" is not in this build; it has ", known,
                 "; nor is it part of the name of a device there is: ", list_of(devices));
  }
  if (!matching.front().info.unfit.empty()) return unfit(matching.front());
  matching.front().reason = concat("its name has \"", printable(name), "\" in it");
  return std::move(matching.front());
}

const Backend* find(std::string_view name, std::span<const Backend> backends) {
  const auto found = std::find_if(backends.begin(), backends.end(), [&](const Backend& b) { return b.name == name; });
  return found == backends.end() ? nullptr : &*found;
}

}  // namespace

std::string ChosenDevice::id() const {
  return index == 0 ? std::string(backend->name) : concat(backend->name, ":", index);
}

Result<ChosenDevice> choose_device(std::string_view name, std::span<const Backend> backends) {
  if (name.empty()) return error(StatusCode::kInvalidArgument, "device: no name given; see 'scrooge devices'");
  if (name == "auto") return best_of(backends);
  const size_t colon = name.find(':');
  if (const Backend* const backend = find(name.substr(0, colon), backends)) {
    int index = 0;
    if (colon == std::string_view::npos) return named(*backend, index, name);
    const std::string_view digits = name.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (failure != std::errc() || end != digits.data() + digits.size() || index < 0) {
      return error(StatusCode::kInvalidArgument, "device: \"", printable(name), "\" is not NAME or NAME:INDEX");
    }
    return named(*backend, index, name);
  }
  return by_part_of_name(name, backends);
}

}  // namespace scrooge::pipeline
