// SPDX-License-Identifier: Apache-2.0
// A plan of memory and of time as people read it.
#pragma once

#include <scrooge/scrooge.h>

#include <cstdint>
#include <string>
#include <vector>

namespace scrooge::cli {

// "228.2 MiB": one unit throughout a plan, so that its figures compare.
std::string format_mib(uint64_t bytes);

// "1.50 GiB, given", "21.3 GiB, free on this machine", "no limit"; `origin` is SCROOGE_BUDGET_*.
std::string budget_text(uint64_t bytes, int32_t origin);

// "cpu (AMD EPYC)", "cuda (NVIDIA H200): a card with memory of its own": with the reason where it was chosen.
std::string device_text(const std::string& id, const std::string& name, const std::string& reason);

// A line per item under `heading`, the items of a stage together in the order of its first one, and their sum. At most
// 100 columns; longer purposes are cut.
std::string plan_table(const std::vector<scrooge_plan_item>& items, const char* heading = "buffer");

// A line per part of the work, with its share, and their sum; "buffer" of plan_table is "work" here.
std::string time_table(const std::vector<scrooge_time_item>& items);

// "2:31, 1.9 times --effort fast; by a product timed on this machine": without the comparison where nothing is
// calibrated.
std::string time_text(const scrooge_time_plan& time);

}  // namespace scrooge::cli
