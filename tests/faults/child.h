// SPDX-License-Identifier: Apache-2.0
// A program run to its end, or to the moment it is killed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace scrooge::faults {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  bool hung = false;   // killed because it ran longer than anything here may
  std::string errors;  // what it wrote to standard error

  bool succeeded() const { return exit_code == 0; }
  // "exit code 3: ..." for messages of tests.
  std::string text() const;
};

// `arguments` begins with the program. `environment` ("NAME=value") comes on top of this process's own. `scratch` is a
// file for what it prints. With `kill_after` it is killed then, if it still runs.
Outcome run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  const std::string& scratch, std::chrono::microseconds kill_after = {});

}  // namespace scrooge::faults
