# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the memory benchmarks: runs a job below a real ceiling and says what it held.
#
# The ceiling is a memory cgroup of the budget and 32 MiB where one can be made (as root), in which the page cache counts
# too; elsewhere RLIMIT_DATA of the budget and 64 MiB, for it also counts what is reserved and never touched (thread
# stacks, holes of the heap, code made for products). The peak is anonymous and shared resident memory, sampled 20 times
# a second.

ceiling_cgroup="" ceiling_limit=""

# Before the first job; remove_ceiling at the end.
make_ceiling() {
  local place
  for place in /sys/fs/cgroup/memory:memory.limit_in_bytes /sys/fs/cgroup:memory.max; do
    [[ -z $ceiling_cgroup && -e ${place%:*}/cgroup.procs ]] && mkdir "${place%:*}/scrooge-bench-$$" 2>/dev/null || continue
    ceiling_cgroup=${place%:*}/scrooge-bench-$$ ceiling_limit=$ceiling_cgroup/${place#*:}
    [[ -w $ceiling_limit ]] || { rmdir "$ceiling_cgroup"; ceiling_cgroup=""; }
  done
}
remove_ceiling() { [[ -z $ceiling_cgroup ]] || rmdir "$ceiling_cgroup"; }
ceiling_text() {
  if [[ -n $ceiling_cgroup ]]; then echo "a memory cgroup, budget and 32 MiB"; else echo "RLIMIT_DATA, budget and 64 MiB"; fi
}

# Puts this process below the ceiling of a budget in MiB; 0 is none.
enter_ceiling() {
  (($1 > 0)) || return 0
  if [[ -n $ceiling_cgroup ]]; then
    echo $((($1 + 32) << 20)) >"$ceiling_limit"
    echo "$BASHPID" >"$ceiling_cgroup/cgroup.procs"
  else
    ulimit -d $((($1 + 64) << 10))
  fi
}

# below_ceiling BUDGET_MIB LOG COMMAND...: job_peak (KiB) and job_cpu (seconds of processor time) of it; its status.
below_ceiling() {
  local budget=$1 log=$2 now job
  shift 2
  (
    enter_ceiling "$budget"
    exec "$@"
  ) >"$log" 2>&1 &
  job=$! job_peak=0 job_cpu=0
  while kill -0 "$job" 2>/dev/null; do
    now=$(awk '/RssAnon|RssShmem/ { sum += $2 } END { print sum + 0 }' "/proc/$job/status" 2>/dev/null || echo 0)
    ((${now:-0} > job_peak)) && job_peak=$now
    now=$(awk -v hertz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hertz }' "/proc/$job/stat" 2>/dev/null || true)
    [[ -z $now || $now == 0 ]] || job_cpu=$now
    sleep 0.05
  done
  wait "$job" || { tail -n 2 "$log" >&2; return 1; }
}
