// SPDX-License-Identifier: Apache-2.0
// replay_TARGET [FILE or FOLDER]...: runs the target on its seeds, on a fixed series of mutations of each, and on the
// given files. A find ends the program.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/boundary.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;
namespace fuzz = scrooge::fuzz;

constexpr int kMutations = 100;  // per seed

size_t replay_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  fuzz::run(content);
  return 1;
}

size_t replay(const fs::path& path) {
  if (!fs::is_directory(path)) return fs::exists(path) ? replay_file(path) : 0;
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) count += replay_file(entry.path());
  return count;
}

size_t replay_seeds() {
  size_t count = 0;
  for (const std::string& seed : fuzz::seeds()) {
    fuzz::run(seed);
    ++count;
    fuzz::Random random(count);
    std::string mutated = seed;
    for (int i = 0; i < kMutations; ++i) {
      // Every fourth begins anew, so that most stay near a well-formed file.
      mutated = fuzz::plant(i % 4 == 0 ? seed : mutated, fuzz::kInputKind, random);
      fuzz::run(mutated);
      ++count;
    }
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  for (int i = 1; i < argc; ++i) files += replay(argv[i]);
  const size_t made = replay_seeds();
  std::printf("%zu files and %zu seeds and mutations\n", files, made);
  return made > 0 ? 0 : 1;
}
