// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>

namespace scrooge::faults {
namespace {

// Whether the process ended within the time.
bool wait_for(int process, std::chrono::nanoseconds time) {
  const timespec limit{static_cast<time_t>(time.count() / 1'000'000'000),
                       static_cast<long>(time.count() % 1'000'000'000)};
  pollfd entry{process, POLLIN, 0};
  return ::ppoll(&entry, 1, &limit, nullptr) == 1;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::string Outcome::text() const {
  std::string result = hung          ? "hung"
                       : signal != 0 ? "signal " + std::to_string(signal)
                                     : "exit code " + std::to_string(exit_code);
  return result + ": " + errors;
}

Outcome run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  const std::string& scratch, std::chrono::microseconds kill_after) {
  constexpr std::chrono::seconds kLongest(120);  // also under sanitizers on a loaded machine
  std::vector<std::string> variables(environment);
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  Outcome outcome;
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, arguments.front().c_str(), &files, nullptr, pointers(arguments).data(),
                                   pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    outcome.errors = "not started: errno " + std::to_string(failed);
    return outcome;
  }
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0 || (kill_after.count() > 0 && !wait_for(process, kill_after))) {
    ::kill(pid, SIGKILL);
  } else if (!wait_for(process, kLongest)) {
    outcome.hung = true;
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(process);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  std::ifstream file(scratch, std::ios::binary);
  outcome.errors.assign(std::istreambuf_iterator<char>(file), {});
  return outcome;
}

}  // namespace scrooge::faults
