// SPDX-License-Identifier: Apache-2.0
#include "src/cli/cancel_scope.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "src/cli/exit_code.h"

namespace scrooge::cli {
namespace {

constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> g_signals_seen{0};
std::atomic<int> g_handlers_running{0};
std::atomic<scrooge_job*> g_job{nullptr};
std::array<struct sigaction, kSignals.size()> g_earlier;

static_assert(std::atomic<int>::is_always_lock_free && std::atomic<scrooge_job*>::is_always_lock_free,
              "a signal handler may only use lock-free atomics");

extern "C" void on_signal(int) {
  g_handlers_running.fetch_add(1);
  if (g_signals_seen.fetch_add(1) > 0) _exit(kExitCancelled);
  if (scrooge_job* job = g_job.load()) scrooge_job_cancel(job);
  g_handlers_running.fetch_sub(1);
}

}  // namespace

CancelScope::CancelScope() {
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &g_earlier[i]);
    // nohup asks for SIGHUP to be ignored, and gets it.
    if (kSignals[i] == SIGHUP && g_earlier[i].sa_handler == SIG_IGN) continue;
    sigaction(kSignals[i], &action, nullptr);
  }
}

CancelScope::~CancelScope() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &g_earlier[i], nullptr);
}

bool cancel_requested() { return g_signals_seen.load() > 0; }

CancelTarget::CancelTarget(scrooge_job* job) {
  g_job.store(job);
  if (cancel_requested()) scrooge_job_cancel(job);
}

CancelTarget::~CancelTarget() {
  g_job.store(nullptr);
  // A worker thread may be inside the handler with the job's address; the job must outlast it.
  while (g_handlers_running.load() > 0) std::this_thread::yield();
}

}  // namespace scrooge::cli
