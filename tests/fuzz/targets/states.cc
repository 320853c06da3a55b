// SPDX-License-Identifier: Apache-2.0
// Kept hidden states as the file beside an output: the first byte is the last finished block and, if odd, has the
// checksums of the headers put right.
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/states_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::fuzz {

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  const std::string both = test::states_slot(2, 1.0f) + test::states_slot(3, 2.0f);
  return {"\7" + both, "\6" + both, "\4" + both, "\6" + test::states_slot(3, 1.0f), "\7SCRGSTT1"};
}

void run(std::string_view input) {
  static const test::TempFolder folder;
  if (input.empty()) return;
  const auto choice = static_cast<uint8_t>(input.front());
  std::string file(input.substr(1));
  if (choice % 2 == 1) {
    test::seal_states(file, 0);
    test::seal_states(file, 1);
  }
  const std::string output = folder / "m.scrooge";
  test::write_file(pipeline::DurableStates::name_of(output), file);
  const int64_t last = choice / 2;
  const auto block = test::load_states(output, last);
  require(block.ok(), "states that are damaged are passed over");
  require(*block >= -1 && *block <= last, "states are behind a finished block");
  // What was found is found again, and not behind an earlier block.
  const auto again = test::load_states(output, last);
  require(again.ok() && *again == *block, "loading changes nothing");
  if (*block > 0) {
    const auto earlier = test::load_states(output, *block - 1);
    require(earlier.ok() && *earlier < *block, "states of a later block are of no use");
  }
}

}  // namespace scrooge::fuzz
