// SPDX-License-Identifier: Apache-2.0
// model.scrooge.journal: other files in its place, and records whose checksum is right but whose content is not. (A
// record whose checksum is wrong is no error: it is what a crash leaves, and ends the journal.)
#include <cstring>
#include <filesystem>

#include "src/base/digest.h"
#include "src/pipeline/block_record.h"
#include "src/pipeline/journal.h"
#include "tests/hostile/hostile_case.h"
#include "tests/support/model_file.h"

namespace scrooge::hostile {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFile = "model.scrooge.journal";
constexpr std::string_view kMagic = "SCRGJRN1";
constexpr StatusCode kBad = StatusCode::kBadModelFile;
constexpr uint64_t kHuge = ~uint64_t{0};

pipeline::BlockRecord good_record() {
  pipeline::BlockRecord record;
  record.segment.info = container::sample_info();
  record.segment.segments.push_back({"block.0", container::SegmentKind::kBlock, 4096, 100, 0});
  record.figures.stages.resize(1);
  record.figures.linears.resize(1);
  record.unfolded.push_back({0, {1.0f, 2.0f}});
  return record;
}

std::string encoded(const pipeline::BlockRecord& record) {
  const auto bytes = pipeline::encode_record(record);
  return bytes.ok() ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : std::string();
}

std::string record_of(std::string_view payload) {
  test::ByteWriter out;
  out.put(static_cast<uint64_t>(payload.size())).raw(payload).pad_to(8);
  return out.put(xxh64(std::as_bytes(std::span(payload)))).bytes();
}

std::string journal_of(std::string_view payload) { return concat(kMagic, record_of("a=1\n"), record_of(payload)); }

std::string with_number(std::string bytes, size_t at, uint64_t number) {
  const std::string planted = test::ByteWriter().put(number).bytes();
  return bytes.replace(at, planted.size(), planted);
}

void add_files(std::vector<Case>& cases) {
  const auto file = [&](std::string name, std::string content) {
    cases.push_back(file_case(std::move(name), kFile, std::move(content), kBad, "not a journal"));
  };
  file("a model", "\x89SCRG\r\n\x1a and more");
  file("a GGUF file", "GGUF\3" + std::string(60, '\0'));
  file("text", "a=1\nb=2\nc=3\n");
  file("zeros behind a letter", "S" + std::string(4095, '\0'));
  file("another version", concat("SCRGJRN2", record_of("a=1\n")));
  file("lower-case magic", concat("scrgjrn1", record_of("a=1\n")));
  file("magic behind a byte order mark", concat("\xef\xbb\xbf", kMagic));
  cases.push_back({"folder",
                   [](const Place& place) {
                     fs::remove(place.path(kFile));
                     fs::create_directory(place.path(kFile));
                   },
                   StatusCode::kIoError, ""});
}

void add_records(std::vector<Case>& cases) {
  const auto record = [&](std::string name, std::string payload) {
    cases.push_back(file_case(std::move(name), kFile, journal_of(payload), kBad));
  };
  const auto changed = [&](std::string name, const std::function<void(pipeline::BlockRecord&)>& change) {
    pipeline::BlockRecord one = good_record();
    change(one);
    record(std::move(name), encoded(one));
  };
  const std::string good = encoded(good_record());
  uint64_t index = 0;
  std::memcpy(&index, good.data(), sizeof index);
  const size_t figures = 8 + index;
  record("empty record", "");
  record("a byte", "x");
  record("index of 0 bytes", with_number(good, 0, 0));
  record("index a byte short", with_number(good, 0, index - 1));
  record("index of the whole record", with_number(good, 0, good.size() - 8));
  record("index a byte beyond", with_number(good, 0, good.size() - 7));
  record("index of 2^63", with_number(good, 0, uint64_t{1} << 63));
  record("index of 2^64-1", with_number(good, 0, kHuge));
  record("index of zeros", test::ByteWriter().put(uint64_t{64}).bytes() + std::string(400, '\0'));
  record("cut behind the index", good.substr(0, figures));
  record("cut inside the figures", good.substr(0, figures + 20));
  record("a byte short", good.substr(0, good.size() - 1));
  record("a byte long", good + "x");
  const size_t stages = figures + 10 * 8;  // five numbers and five sizes lie before
  for (const uint64_t count : {uint64_t{0}, uint64_t{2}, uint64_t{1} << 32, (uint64_t{1} << 60) + 1, kHuge}) {
    record(concat(count, " stages"), with_number(good, stages, count));
  }
  const size_t linears = stages + 8 + 2 * 8;
  for (const uint64_t count : {uint64_t{0}, uint64_t{2}, uint64_t{1} << 58, kHuge}) {
    record(concat(count, " linears"), with_number(good, linears, count));
  }
  const size_t scales = linears + 8 + 8 * 8;
  record("2^60 lists of scales", with_number(good, scales, uint64_t{1} << 60));
  record("2^62+1 scales", with_number(good, scales + 16, (uint64_t{1} << 62) + 1));
  const auto number = [](uint64_t value) { return test::ByteWriter().put(value).bytes(); };
  record("an index of calibration results of 0 bytes", good + number(0));
  record("an index of calibration results beyond the end", good + number(1));
  record("an index of calibration results of 2^64-1", good + number(kHuge));
  record("an index of calibration results of zeros", good + number(64) + std::string(64, '\0'));
  pipeline::BlockRecord saving = good_record();
  saving.calibration = saving.segment;
  record("a byte behind the index of calibration results", encoded(saving) + "x");
  record("an index of calibration results a byte short", encoded(saving).substr(0, encoded(saving).size() - 1));
  changed("figures of two linears for one", [](auto& r) { r.figures.linears.resize(2); });
  changed("figures of no linear", [](auto& r) { r.figures.linears.clear(); });
  changed("figures of two stages for one", [](auto& r) { r.figures.stages.resize(2); });
  changed("two blocks in one record", [](auto& r) { r.segment.info.blocks.push_back(r.segment.info.blocks.front()); });
  changed("figures without a block", [](auto& r) { r.segment.info.blocks.clear(); });
}

}  // namespace

Format journal_format() {
  return {"journal", "model.scrooge.journal",
          [](const Place& place) { place.write(kFile, journal_of(encoded(good_record()))); },
          [](const std::string& folder) -> Status {
            SCROOGE_ASSIGN_OR_RETURN(const auto journal,
                                     pipeline::Journal::open(folder + "/model.scrooge", [] { return Status(); }));
            for (size_t i = 0; i < journal.size(); ++i) {
              SCROOGE_ASSIGN_OR_RETURN(const auto payload, journal.read(i));
              SCROOGE_RETURN_IF_ERROR(pipeline::decode_record(payload, folder + "/" + std::string(kFile)).status());
            }
            return {};
          },
          [] {
            std::vector<Case> cases;
            add_files(cases);
            add_records(cases);
            return cases;
          }};
}

}  // namespace scrooge::hostile
