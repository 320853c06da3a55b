// SPDX-License-Identifier: Apache-2.0
// model.scrooge.states: what is not intact is passed over, as if it were not there; the job runs its finished blocks
// again. Only where no file can be is that an error.
#include <sys/stat.h>

#include <filesystem>

#include "tests/hostile/hostile_case.h"
#include "tests/support/states_file.h"

namespace scrooge::hostile {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFile = "model.scrooge.states";
constexpr StatusCode kNone = StatusCode::kNotFound;  // no states to go on from

std::string file_of(const std::string& first, const std::string& second) { return first + second; }
std::string empty_slot() { return std::string(test::kStatesSlot, '\0'); }

std::string with_number(std::string file, size_t at, uint64_t number, bool sealed = true) {
  file.replace(at, sizeof number, test::ByteWriter().put(number).bytes());
  if (sealed) test::seal_states(file, at / test::kStatesSlot);
  return file;
}

void add_contents(std::vector<Case>& cases) {
  const auto none = [&](std::string name, std::string content) {
    cases.push_back(file_case(std::move(name), kFile, std::move(content), kNone, "nothing to go on from"));
  };
  const std::string good = file_of(test::states_slot(3, 1.0f), empty_slot());
  none("empty file", "");
  none("a byte", "S");
  none("zeros", file_of(empty_slot(), empty_slot()));
  none("text", std::string(9000, 'x'));
  none("a model", "\x89SCRG\r\n\x1a and more" + std::string(8192, '\0'));
  none("magic alone", "SCRGSTT1");
  none("another version", with_number(good, 0, 0x3254545347524353));  // SCRGSTT2
  none("a header cut short", good.substr(0, 63));
  none("a header and no states", good.substr(0, 64));
  none("states a byte short", good.substr(0, test::kStatesHeader + test::kStatesBytes - 1));
  none("block 4, behind the last finished one", file_of(test::states_slot(4, 1.0f), empty_slot()));
  for (const uint64_t block : {uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
    none(concat("block ", block), file_of(test::states_slot(block, 1.0f), empty_slot()));
  }
  for (const uint64_t bytes : {uint64_t{0}, test::kStatesBytes - 4, test::kStatesBytes + 4, uint64_t{1} << 40,
                               uint64_t{1} << 63, ~uint64_t{0}}) {
    none(concat("states of ", bytes, " bytes"), file_of(test::states_slot(3, 1.0f, bytes), empty_slot()));
  }
  none("another job", with_number(good, 16, 1));
  none("a digest of other states", with_number(good, 32, 1));
  none("a header whose checksum is wrong", with_number(good, 56, 1, false));
  for (size_t bit = 0; bit < 8 * (test::kStatesHeader + test::kStatesBytes); bit += 37) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    none(concat("bit ", bit, " flipped"), std::move(flipped));
  }
}

void add_things(std::vector<Case>& cases) {
  const auto instead = [&](std::string name, StatusCode code, const std::function<void(const std::string&)>& make) {
    cases.push_back({std::move(name),
                     [make](const Place& place) {
                       fs::remove(place.path(kFile));
                       make(place.path(kFile));
                     },
                     code, ""});
  };
  instead("folder", StatusCode::kIoError, [](const std::string& path) { fs::create_directory(path); });
  instead("link", StatusCode::kIoError, [](const std::string& path) {
    test::write_file(path + ".other", "");
    fs::create_symlink(path + ".other", path);
  });
  instead("device", StatusCode::kIoError, [](const std::string& path) { fs::create_symlink("/dev/zero", path); });
  instead("pipe", StatusCode::kInvalidArgument, [](const std::string& path) { (void)::mkfifo(path.c_str(), 0600); });
}

}  // namespace

Format states_format() {
  return {"states", std::string(kFile),
          // The damaged slot beside one that is intact is told apart by the unit tests; here the file is all there is.
          [](const Place& place) { place.write(kFile, file_of(test::states_slot(3, 1.0f), empty_slot())); },
          [](const std::string& folder) -> Status {
            float first = 0;
            SCROOGE_ASSIGN_OR_RETURN(const int64_t block, test::load_states(folder + "/model.scrooge", 3, &first));
            if (block < 0) return error(kNone, folder, "/", kFile, ": nothing to go on from");
            return block == 3 && first == 1.0f ? Status() : error(StatusCode::kInternal, kFile, ": other states");
          },
          [] {
            std::vector<Case> cases;
            add_contents(cases);
            add_things(cases);
            return cases;
          }};
}

}  // namespace scrooge::hostile
