// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/disk.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/faults/toy_files.h"

namespace scrooge::faults {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSector = 512;

// Of a file that has both; what is beyond the end of one is zero in it.
std::string mixed(std::string synced, std::string present, std::mt19937_64& random) {
  const size_t size = random() % 2 == 0 ? synced.size() : present.size();
  synced.resize(size);
  present.resize(size);
  for (size_t begin = 0; begin < size; begin += kSector) {
    if (random() % 2 == 0) synced.replace(begin, kSector, present, begin, kSector);
  }
  return synced;
}

std::map<std::string, std::string> synced_names(const std::string& shadow) {
  std::map<std::string, std::string> names;
  std::ifstream lines(shadow + "/names");
  std::string inode;
  std::string name;
  while (lines >> inode && std::getline(lines.ignore(), name)) names[name] = inode;
  return names;
}

std::map<std::string, std::string> present_names(const std::string& folder) {
  std::map<std::string, std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) == 0) names[entry.path().filename()] = std::to_string(info.st_ino);
  }
  return names;
}

}  // namespace

void cut_power(const std::string& folder, const std::string& shadow, Loss loss, std::mt19937_64& random) {
  const auto names = loss == Loss::kAll ? synced_names(shadow) : present_names(folder);
  std::map<std::string, std::string> left;
  for (const auto& [name, inode] : names) {
    const std::string synced = fs::exists(shadow + "/" + inode) ? read_whole(shadow + "/" + inode) : std::string();
    if (loss == Loss::kAll) {
      left[name] = synced;
      continue;
    }
    const std::string present = read_whole(folder + "/" + name);
    if (loss == Loss::kSectors) left[name] = mixed(synced, present, random);
    if (loss == Loss::kBytes) {
      left[name] = synced;
      if (random() % 2 == 0) left[name].resize(present.size());
    }
  }
  fs::remove_all(folder);
  fs::create_directory(folder);
  for (const auto& [name, bytes] : left) write_whole(folder + "/" + name, bytes);
}

}  // namespace scrooge::faults
