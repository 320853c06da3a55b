// SPDX-License-Identifier: Apache-2.0
// How long a job is going to work: operations counted from shapes, over the rates of the device. An estimate for people
// who choose between settings, within a factor of about two; nothing depends on it.
#pragma once

#include <string_view>
#include <vector>

#include "src/pipeline/block_quantizer.h"
#include "src/pipeline/device_rates.h"

namespace scrooge::pipeline {

struct TimeItem {
  const char* purpose;  // static: "scale search", "error correction", ...
  double seconds = 0;
};

struct TimePlan {
  std::vector<TimeItem> items;  // of the whole job; what takes no time at all is left out
  double fast_seconds = 0;      // of the same job at effort fast; 0 where nothing is calibrated
  DeviceRates rates;

  double seconds() const;
  // Of the item of that name; 0 where there is none.
  double seconds_of(std::string_view purpose) const;
  // estimated_seconds, estimated_seconds_fast, estimated_ratio, rates and items, into an open object.
  void write_json(JsonWriter& json) const;
};

// `chunking` counts only where the options calibrate. `output_bytes`: of the file.
TimePlan plan_time(const ModelSource& source, const calibration::Chunking& chunking,
                   const BlockQuantizerOptions& options, uint64_t output_bytes, const DeviceRates& rates);

}  // namespace scrooge::pipeline
