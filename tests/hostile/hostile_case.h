// SPDX-License-Identifier: Apache-2.0
// One malformed file with the status that refusing it must give, and how a table of them is run.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "tests/support/byte_writer.h"

namespace scrooge::hostile {

// The folder of one case: fresh, removed after it.
class Place {
 public:
  explicit Place(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  std::string path(std::string_view name) const { return concat(folder_, "/", name); }
  // Replaces the file, never what a link or a second name of it leads to.
  void write(std::string_view name, std::string_view content) const;
  // A copy of a file of tests/golden.
  void borrow(std::string_view golden, std::string_view name) const;

 private:
  std::string folder_;
};

struct Case {
  std::string name;  // unique in its format
  std::function<void(const Place&)> make;
  StatusCode code = StatusCode::kOk;
  std::string mention;  // what the message must name beside the file: a field, tensor, key
};

// A case that is one file and no more.
Case file_case(std::string name, std::string_view file, std::string content, StatusCode code, std::string mention = "");

struct Format {
  std::string name;
  std::string mention;                                    // every message names it: the file
  std::function<void(const Place&)> prepare;              // what lies in the folder before `make`; may be empty
  std::function<Status(const std::string& folder)> open;  // reads the folder as the library's users do
  std::function<std::vector<Case>()> cases;
};

Format safetensors_format();
Format shard_index_format();
Format config_format();
Format tokenizer_format();
Format gguf_format();
Format gguf_model_format();
Format scrooge_format();
Format calibration_text_format();
Format calibration_ids_format();
Format journal_format();
Format saved_calibration_format();
Format states_format();

// Where another format joins.
inline std::vector<Format> all_formats() {
  return {safetensors_format(),
          shard_index_format(),
          config_format(),
          tokenizer_format(),
          gguf_format(),
          gguf_model_format(),
          scrooge_format(),
          calibration_text_format(),
          calibration_ids_format(),
          journal_format(),
          saved_calibration_format(),
          states_format()};
}

}  // namespace scrooge::hostile
