// SPDX-License-Identifier: Apache-2.0
#include "src/base/available_memory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "src/base/checked_size.h"
#include "src/base/uninterrupted.h"

namespace scrooge {
namespace {

constexpr uint64_t kUnlimited = AvailableMemory::kUnlimited;
constexpr size_t kMaxText = size_t{4} << 20;  // mountinfo of a machine with many containers is long
constexpr uint64_t kLeastMargin = uint64_t{64} << 20;

// The kernel's files have no size to ask for. Empty when missing or unreadable.
std::string read_text(const std::string& path) {
  struct Descriptor {
    const int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
  };
  std::string text;
  const Descriptor file{uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })};
  if (file.number < 0) return text;
  char buffer[4096];
  while (text.size() < kMaxText) {
    const ssize_t got = uninterrupted([&] { return ::read(file.number, buffer, sizeof buffer); });
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

// The first piece of `rest` before `separator`, which goes; the whole of it where there is none.
std::string_view next_piece(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

std::optional<uint64_t> number_at(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  const std::string_view after = text.substr(static_cast<size_t>(end - text.data()));
  if (!after.empty() && after.front() != ' ' && after.front() != '\n') return std::nullopt;
  return value;
}

// The number behind `name` at the start of a line, in units of `unit` bytes.
std::optional<uint64_t> field(std::string_view text, std::string_view name, uint64_t unit) {
  while (!text.empty()) {
    const std::string_view line = next_piece(text, '\n');
    if (!line.starts_with(name)) continue;
    const std::optional<uint64_t> number = number_at(line.substr(name.size()));
    const CheckedSize bytes = number ? CheckedSize(*number) * unit : CheckedSize(-1);
    if (bytes.valid()) return bytes.value();
  }
  return std::nullopt;
}

uint64_t less(uint64_t limit, uint64_t used) { return limit - std::min(limit, used); }

// A mount point's blanks are written in octal: "\040".
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4 && code < 256) {
      out.push_back(static_cast<char>(code));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct CgroupMount {
  std::string point;  // where the hierarchy is mounted; empty: nowhere
  std::string root;   // the group that is seen there
};

// mountinfo: ID PARENT DEVICE ROOT POINT OPTIONS [TAGS] - TYPE SOURCE OPTIONS
CgroupMount find_cgroup_mount(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) continue;
    for (int skipped = 0; skipped < 3; ++skipped) next_piece(line, ' ');
    CgroupMount mount;
    mount.root = unescape(next_piece(line, ' '));
    mount.point = unescape(next_piece(line, ' '));
    return mount;
  }
  return {};
}

// The group of the unified hierarchy, which has number 0 and no controllers: "0::/user.slice". Empty: none.
std::string own_group(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = next_piece(text, '\n');
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return {};
}

uint64_t group_free(const std::string& folder) {
  const std::string current = read_text(folder + "/memory.current");
  const std::optional<uint64_t> used = number_at(current);
  if (!used) return kUnlimited;
  uint64_t limit = kUnlimited;
  for (const char* name : {"/memory.max", "/memory.high"}) {
    // "max", and whatever else is no number, is no limit.
    const std::string text = read_text(folder + name);
    limit = std::min(limit, number_at(text).value_or(kUnlimited));
  }
  if (limit == kUnlimited) return kUnlimited;
  const std::string statistics = read_text(folder + "/memory.stat");
  const CheckedSize files = CheckedSize(field(statistics, "inactive_file ", 1).value_or(0)) +
                            CheckedSize(field(statistics, "active_file ", 1).value_or(0));
  return less(limit, less(*used, files.value_or(0)));
}

// The least over the process's group and those above it, as far up as the mount shows them.
uint64_t cgroup_free(const std::string& root) {
  const std::string groups = read_text(root + "/proc/self/cgroup");
  const std::string mounts = read_text(root + "/proc/self/mountinfo");
  std::string group = own_group(groups);
  const CgroupMount mount = find_cgroup_mount(mounts);
  if (group.empty() || mount.point.empty()) return kUnlimited;
  // A container may see its own group as the root of the mount, and the path of it from outside.
  if (mount.root != "/" && (group == mount.root || group.starts_with(mount.root + "/"))) {
    group.erase(0, mount.root.size());
  }
  uint64_t free = kUnlimited;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    free = std::min(free, group_free(root + mount.point + group));
    if (group.empty()) return free;
    group.erase(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

}  // namespace

AvailableMemory read_available_memory(const std::string& root, const ProcessLimits& limits) {
  AvailableMemory result;
  const auto consider = [&](uint64_t bytes, MemorySource source) {
    if (bytes < result.bytes) result = {bytes, source};
  };
  consider(cgroup_free(root), MemorySource::kCgroup);
  const std::string machine = read_text(root + "/proc/meminfo");
  consider(field(machine, "MemAvailable:", 1024).value_or(kUnlimited), MemorySource::kMachine);
  if (limits.data != kUnlimited || limits.address_space != kUnlimited) {
    const std::string process = read_text(root + "/proc/self/status");
    if (limits.data != kUnlimited) {
      consider(less(limits.data, field(process, "VmData:", 1024).value_or(0)), MemorySource::kProcess);
    }
    if (limits.address_space != kUnlimited) {
      consider(less(limits.address_space, field(process, "VmSize:", 1024).value_or(0)), MemorySource::kProcess);
    }
  }
  return result;
}

uint64_t memory_margin(uint64_t available) { return std::max(available / 10, kLeastMargin); }

AvailableMemory available_memory() {
  const auto limit_of = [](auto resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
    return static_cast<uint64_t>(limit.rlim_cur);
  };
  AvailableMemory result = read_available_memory("", {limit_of(RLIMIT_DATA), limit_of(RLIMIT_AS)});
  if (result.source != MemorySource::kUnknown) result.bytes = less(result.bytes, memory_margin(result.bytes));
  return result;
}

}  // namespace scrooge
