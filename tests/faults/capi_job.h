// SPDX-License-Identifier: Apache-2.0
// The toy job in this process, through the C ABI.
#pragma once

#include <gtest/gtest.h>
#include <scrooge/scrooge.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>

#include "tests/faults/toy_files.h"
#include "tests/support/temp_folder.h"

namespace scrooge::faults {

class CapiJob {
 public:
  CapiJob() {
    message_.reserve(4096);  // takes nothing later
    write_whole(model_, toy_model());
    write_whole(text_, toy_text());
    reset();
  }

  // Whose strings are this object's.
  scrooge_quantize_options options() const {
    scrooge_quantize_options result;
    scrooge_quantize_options_init(&result, sizeof result);
    result.checkpoint = model_.c_str();
    result.output = output_.c_str();
    result.calibration_text = text_.c_str();
    result.samples = 9;
    result.length = 64;
    result.group = 8;
    result.grid = 3;
    result.threads = 1;
    return result;
  }

  // Spills all that may be.
  void spill(scrooge_quantize_options& job_options) const {
    job_options.spill = folder_.path().c_str();
    scrooge_job* job = nullptr;
    scrooge_plan plan{};
    plan.struct_size = sizeof plan;
    EXPECT_EQ(scrooge_job_prepare(&job_options, &job, nullptr), SCROOGE_OK);
    EXPECT_EQ(scrooge_job_get_plan(job, &plan, nullptr), SCROOGE_OK);
    scrooge_job_destroy(job);
    job_options.memory = plan.minimum_bytes;
  }

  // An older output, and nothing else.
  void reset() const {
    std::filesystem::remove_all(folder_ / "out");
    std::filesystem::create_directory(folder_ / "out");
    write_whole(output_, kOldOutput);
  }

  // The whole life of a job.
  scrooge_status run(const scrooge_quantize_options& job_options) {
    char report[1 << 14];
    size_t required = 0;
    scrooge_job* job = nullptr;
    scrooge_error* error = nullptr;
    scrooge_status status = scrooge_job_prepare(&job_options, &job, &error);
    if (status == SCROOGE_OK) status = scrooge_job_convert(job, &error);
    if (status == SCROOGE_OK) status = scrooge_job_get_report_json(job, report, sizeof report, &required, &error);
    // There may have been no memory for an error object.
    EXPECT_TRUE(error == nullptr || scrooge_error_get_status(error) == status);
    message_ = scrooge_error_get_message(error);
    scrooge_error_destroy(error);
    scrooge_job_destroy(job);
    return status;
  }

  const std::string& message() const { return message_; }
  std::string output() const { return read_whole(output_); }
  // Beside the output.
  size_t leftovers() const {
    const std::filesystem::directory_iterator entries(folder_ / "out");
    return static_cast<size_t>(std::distance(begin(entries), end(entries))) - 1;
  }

 private:
  test::TempFolder folder_;
  const std::string model_ = folder_ / "model.gguf";
  const std::string text_ = folder_ / "text.txt";
  const std::string output_ = folder_ / "out/model.scrooge";
  std::string message_;
};

}  // namespace scrooge::faults
