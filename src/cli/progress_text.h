// SPDX-License-Identifier: Apache-2.0
// The words of progress, as plain text without control characters.
#pragma once

#include <scrooge/scrooge.h>

#include <cstddef>
#include <string>

namespace scrooge::cli {

// The line redrawn while work goes on, at most `width` characters: what is being done, bar, percent, time left, memory
// now and at its peak, tokens per second. What does not fit is left out, the least useful part first.
std::string live_line(const scrooge_progress& progress, std::size_t width);

// The line that stays for a finished block: its times, memory before and after, and its loss against round-to-nearest.
std::string block_line(const scrooge_progress& progress);

// "0.620x round-to-nearest"; empty when there is nothing to compare.
std::string loss_ratio(double loss, double loss_rtn);

}  // namespace scrooge::cli
