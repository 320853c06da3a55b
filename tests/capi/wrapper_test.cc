// SPDX-License-Identifier: Apache-2.0
// scrooge.hpp compiled alone, and the paths that need no model: errors travel with their text, handles move.
#include <scrooge/scrooge.hpp>

#include <cstdio>
#include <string>
#include <type_traits>

static_assert(std::is_nothrow_move_constructible_v<scrooge::Job> && !std::is_copy_constructible_v<scrooge::Job>);
static_assert(std::is_nothrow_move_constructible_v<scrooge::Model> && !std::is_copy_constructible_v<scrooge::Model>);
static_assert(!std::is_copy_constructible_v<scrooge::Tokenizer>);

namespace {

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

}  // namespace

int main(int argc, char** argv) {
  scrooge_quantize_options options = scrooge::quantize_options();
  expect(options.struct_size == sizeof(options) && options.bits == 4, "the options carry their size and defaults");
  expect(scrooge::apply_preset(options, "fast").ok() && options.samples == 32, "presets are applied");
  expect(!scrooge::apply_preset(options, "huge").ok(), "and refused");
  options.checkpoint = "no/such/checkpoint";
  options.output = "never_written.scrooge";
  options.method = SCROOGE_METHOD_RTN;
  const scrooge::Expected<scrooge::Job> job = scrooge::Job::prepare(options);
  expect(!job && job.error().status != SCROOGE_OK, "a missing checkpoint is an error");
  expect(job.error().message.find("no/such/checkpoint") != std::string::npos, "which names the checkpoint");

  const scrooge::Expected<scrooge::Model> model = scrooge::Model::open("no_such_file.scrooge");
  expect(!model && model.error().status == SCROOGE_NOT_FOUND, "a missing model file is not found");
  expect(!scrooge::verify("no_such_file.scrooge"), "nor does it verify");
  scrooge_repack_options layout = scrooge::repack_options();
  layout.input = "no_such_file.scrooge";
  layout.output = "never_written.scrooge";
  const scrooge::Expected<void> repacked = scrooge::repack(layout);
  expect(!repacked && repacked.error().status == SCROOGE_NOT_FOUND, "nor can it be repacked");
  const scrooge::Expected<std::vector<scrooge_device_info>> devices = scrooge::devices();
  expect(devices.ok() && !devices->empty(), "there is at least one device");
  const scrooge::Expected<scrooge_device_info> cpu = scrooge::find_device("cpu");
  expect(cpu.ok() && std::string(cpu->id) == "cpu", "the host is found by its name");

  if (argc > 1) {
    scrooge::Expected<scrooge::Tokenizer> opened = scrooge::Tokenizer::open(argv[1]);
    expect(opened.ok(), "the tokenizer of the checkpoint opens");
    if (!opened) return 1;
    const scrooge::Tokenizer tokenizer = *std::move(opened);
    const scrooge::Expected<std::vector<std::int32_t>> ids = tokenizer.encode("humbug");
    expect(ids.ok() && !ids->empty(), "text has ids");
    if (!ids) return 1;
    const scrooge::Expected<std::string> text = tokenizer.decode(*ids);
    expect(text.ok() && *text == "humbug", "ids give the text back");
    const scrooge::Expected<std::vector<std::int32_t>> none = tokenizer.encode("");
    expect(none.ok() && none->empty(), "no text has no ids");
    expect(tokenizer.vocabulary_size() > 0, "the vocabulary is not empty");
  }
  return failures == 0 ? 0 : 1;
}
