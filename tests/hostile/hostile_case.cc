// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/hostile_case.h"

#include <filesystem>
#include <system_error>

namespace scrooge::hostile {

namespace fs = std::filesystem;

void Place::write(std::string_view name, std::string_view content) const {
  std::error_code ignored;
  fs::remove(path(name), ignored);
  test::write_file(path(name), content);
}

void Place::borrow(std::string_view golden, std::string_view name) const {
  // Not a link: that would touch the original, which jobs of other tests read at this moment.
  std::error_code failure;
  fs::copy_file(concat(SCROOGE_SOURCE_DIR "/tests/golden/", golden), path(name), failure);
}

Case file_case(std::string name, std::string_view file, std::string content, StatusCode code, std::string mention) {
  return {std::move(name),
          [file = std::string(file), content = std::move(content)](const Place& place) { place.write(file, content); },
          code, std::move(mention)};
}

}  // namespace scrooge::hostile
