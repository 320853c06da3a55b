// SPDX-License-Identifier: Apache-2.0
// What ops_bench prints: a table for people, or one JSON object a line, each as soon as it is known, so that a run that
// is stopped keeps what it has.
#pragma once

#include <optional>
#include <string_view>

#include "src/backend/device.h"
#include "tests/bench/ops/measure.h"

namespace scrooge::bench {

class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  void device(std::string_view name, const backend::DeviceInfo& info, int threads);
  void peaks(const ShapeSet& set, const Peaks& peaks, bool measured);
  void timed(const ShapeSet& set, const Case& item, const Timing& timing, double floor);
  void failed(const ShapeSet& set, const Case& item, const Status& status);
  void not_run(const ShapeSet& set, const Case& item);  // the time was over

 private:
  bool json_;
};

}  // namespace scrooge::bench
