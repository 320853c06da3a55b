// SPDX-License-Identifier: Apache-2.0
// The C ABI: each byte of the input is a call or an argument of one. Files are tiny and real; pointers are null now and
// then, structs have wrong sizes, calls come in any order, callbacks cancel, the allocator runs dry.
#include "include/scrooge/scrooge.h"

#include <cstring>
#include <filesystem>
#include <memory>

#include "tests/fuzz/capi_files.h"
#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {
namespace {

constexpr size_t kRoom = 4096;  // of every output buffer and option struct
constexpr int kMostConverts = 2;

int32_t on_progress(void* user, const scrooge_progress* progress) {
  require(progress->struct_size == sizeof *progress && progress->stage != nullptr, "progress is filled");
  require(progress->fraction >= 0 && progress->fraction <= 1, "a fraction is between 0 and 1");
  auto& left = *static_cast<int*>(user);
  return left-- > 0 ? SCROOGE_CONTINUE : SCROOGE_CANCEL;
}

void on_log(void*, int32_t level, const char* text) {
  require(level >= SCROOGE_LOG_DEBUG && level <= SCROOGE_LOG_ERROR && text != nullptr, "a log line is filled");
}

void* allocate(void* user, size_t size, size_t alignment) {
  auto& left = *static_cast<int*>(user);
  return left-- > 0 ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment) : nullptr;
}

void release(void*, void* pointer, size_t) { std::free(pointer); }

class Session {
 public:
  explicit Session(std::string_view input) : reader_(input) {}
  ~Session() {
    scrooge_job_destroy(job_);
    scrooge_model_close(model_);
    scrooge_tokenizer_close(tokenizer_);
  }

  void run() {
    static constexpr void (Session::*kCalls[])() = {
        &Session::prepare, &Session::plan,    &Session::texts,    &Session::convert,
        &Session::cancel,  &Session::open,    &Session::tensors,  &Session::planes,
        &Session::rows,    &Session::verify,  &Session::evaluate, &Session::tokenize,
        &Session::decode,  &Session::devices, &Session::nothing,  &Session::repack};
    while (!reader_.empty()) (this->*reader_.pick(kCalls))();
  }

 private:
  // What convention 2 of the header promises of every call.
  void check(scrooge_status status) {
    require(std::strcmp(scrooge_status_string(status), "unknown status") != 0, "every status has a name");
    require(status != SCROOGE_INTERNAL, "no call finds a broken invariant");
    if (want_error_ && status != SCROOGE_OUT_OF_MEMORY) {
      require((error_ != nullptr) == (status != SCROOGE_OK), "a failure, and only a failure, gives an error");
      require(scrooge_error_get_status(error_) == status, "an error has the status that was returned");
    }
    require(status == SCROOGE_OK || error_ == nullptr || *scrooge_error_get_message(error_) != '\0',
            "an error has a message");
    scrooge_error_destroy(error_);
    error_ = nullptr;
  }
  scrooge_error** error() {
    want_error_ = reader_.byte() % 4 != 0;
    return want_error_ ? &error_ : nullptr;
  }
  template <typename T>
  T* often(T* pointer) {
    return reader_.byte() % 8 != 0 ? pointer : nullptr;
  }
  template <typename T>
  uint32_t struct_size() {
    const uint32_t sizes[] = {sizeof(T), sizeof(T), sizeof(T), 0, 4, sizeof(T) - 8, sizeof(T) + 8, kRoom};
    return reader_.pick(sizes);
  }
  uint64_t number() {
    static constexpr uint64_t kNumbers[] = {
        0, 1, 2, 3, 4, 8, 16, 64, 127, 1u << 20, (1u << 31) - 1, 1u << 31, UINT32_MAX, UINT64_MAX, 1ull << 63};
    return reader_.pick(kNumbers);
  }
  double fraction() {
    static constexpr double kFractions[] = {
        -1, 0, 0.5, 1, 10, 50, 51, 1e300, -1e300, __builtin_nan(""), __builtin_inf()};
    return reader_.pick(kFractions);
  }
  const char* path() { return capi_files().pick(reader_.byte()); }

  void prepare() {
    scrooge_job_destroy(job_);
    job_ = nullptr;
    const uint32_t size = struct_size<scrooge_quantize_options>();
    auto* options = new (room_) scrooge_quantize_options{};
    scrooge_quantize_options_init(options, size);
    budget_ = 1000;
    options->threads = 1;
    options->samples = 2;
    options->length = 4;
    options->group = 4;
    options->grid = 2;
    options->checkpoint = capi_files().checkpoint.c_str();
    options->calibration_ids = capi_files().ids.c_str();
    options->output = capi_files().output.c_str();
    for (int changes = reader_.byte() % 8; changes > 0; --changes) change(*options);
    scrooge_job** job = often(&job_);
    check(scrooge_job_prepare(often(options), job, error()));
  }

  void change(scrooge_quantize_options& o) {
    switch (reader_.byte() % 40) {
      case 0: o.checkpoint = path(); break;
      case 1: o.calibration_text = path(), o.calibration_ids = nullptr; break;
      case 2: o.calibration_ids = path(); break;
      case 3: o.samples = static_cast<uint32_t>(number()); break;
      case 4: o.length = static_cast<uint32_t>(number()); break;
      case 5: o.bits = reader_.byte() % 10; break;
      case 6: o.group = static_cast<uint32_t>(number()); break;
      case 7: o.symmetric = reader_.byte() % 3; break;
      case 8: o.method = reader_.byte() % 3; break;
      case 9: o.scale_type = reader_.byte() % 3; break;
      case 10: o.propagate = reader_.byte() % 4; break;
      case 11: o.grid = static_cast<uint32_t>(number() % 100); break;
      case 12: o.clip = reader_.byte() % 3 - 1; break;
      case 13: {
        static constexpr uint32_t kThreads[] = {0, 1, 2, 3, 1025, 1u << 31, UINT32_MAX};
        o.threads = reader_.pick(kThreads);
        break;
      }
      case 14: o.seed = number(); break;
      case 15: o.memory = number(); break;
      case 16: {
        static constexpr const char* kDevices[] = {"cpu", "reference", "", "auto", "cpu:9", "no such device", nullptr};
        o.device = reader_.pick(kDevices);
        break;
      }
      case 17: o.allocator = allocator(); break;
      case 18: o.progress = on_progress, o.progress_user = &budget_, budget_ = reader_.byte(); break;
      case 19: o.log = on_log; break;
      case 20: o.effort = reader_.byte() % 4; break;
      case 21: o.refit = static_cast<int32_t>(reader_.byte() % 4) - 1; break;
      case 22: {
        static constexpr const char* kRoundings[] = {"nearest", "heuristic", "gptq", "", "up", nullptr};
        o.rounding = reader_.pick(kRoundings);
        break;
      }
      case 23: o.correct = fraction(); break;
      case 24: o.refine = static_cast<int32_t>(reader_.byte() % 4) - 1; break;
      case 25: o.sampling = reader_.byte() % 4; break;
      case 26: o.held_out = fraction(); break;
      case 27: o.outliers = fraction(); break;
      case 28: o.max_tokens_per_sample = number(); break;
      case 29: o.next = &o; break;
      case 30: o.spill = path(); break;
      case 31: o.fresh = reader_.byte() % 3; break;
      case 32: o.states = static_cast<int32_t>(reader_.byte() % 4); break;
      case 33: o.struct_size = static_cast<uint32_t>(number() % kRoom); break;
      case 34: o.layout = layout(); break;
      case 36: o.device_memory = number(); break;
      case 37: preset(o); break;
      case 38: o.save_calibration = reader_.byte() % 8 == 0 ? path() : capi_files().calibration.c_str(); break;
      case 39: {
        o.from_calibration = reader_.byte() % 8 == 0 ? path() : capi_files().calibration.c_str();
        if (reader_.byte() % 8 != 0) o.calibration_ids = nullptr;
        break;
      }
      default: o.output = reader_.byte() % 2 == 0 ? nullptr : capi_files().output.c_str();
    }
  }

  void preset(scrooge_quantize_options& o) {
    static constexpr const char* kPresets[] = {"minimal", "fast", "production", "max", "", "no such preset", nullptr};
    check(scrooge_quantize_options_preset(often(&o), reader_.pick(kPresets), error()));
  }

  const scrooge_allocator* allocator() {
    budget_ = reader_.byte();
    hook_ = {sizeof hook_, 0, allocate, release, &budget_};
    if (reader_.byte() % 8 == 0) hook_.release = nullptr;
    if (reader_.byte() % 8 == 0) hook_.struct_size = 8;
    return &hook_;
  }

  void plan() {
    auto* plan = new (room_) scrooge_plan{};
    plan->struct_size = struct_size<scrooge_plan>();
    check(scrooge_job_get_plan(job_, often(plan), error()));
    auto* item = new (room_) scrooge_plan_item{};
    item->struct_size = struct_size<scrooge_plan_item>();
    check(scrooge_job_get_plan_item(job_, reader_.byte() % 32, often(item), error()));
    auto* time = new (room_) scrooge_time_plan{};
    time->struct_size = struct_size<scrooge_time_plan>();
    check(scrooge_job_get_time_plan(job_, often(time), error()));
    auto* part = new (room_) scrooge_time_item{};
    part->struct_size = struct_size<scrooge_time_item>();
    check(scrooge_job_get_time_item(job_, reader_.byte() % 16, often(part), error()));
    auto* guards = new (room_) scrooge_guards{};
    guards->struct_size = struct_size<scrooge_guards>();
    check(scrooge_job_get_guards(job_, often(guards), error()));
    auto* disk = new (room_) scrooge_disk{};
    disk->struct_size = struct_size<scrooge_disk>();
    check(scrooge_job_get_disk(job_, reader_.byte() % 4, often(disk), error()));
  }

  void texts() {
    size_t required = 0;
    const size_t capacity = number() % (kRoom + 1);
    if (reader_.byte() % 2 == 0) {
      check(scrooge_job_get_plan_json(job_, often(room_), capacity, often(&required), error()));
    } else if (reader_.byte() % 2 == 0) {
      check(scrooge_job_get_report_json(job_, often(room_), capacity, often(&required), error()));
    } else {
      check(scrooge_model_get_json(model_, often(room_), capacity, often(&required), error()));
    }
  }

  void convert() {
    if (++converts_ > kMostConverts) return;
    check(scrooge_job_convert(job_, error()));
  }

  void cancel() { scrooge_job_cancel(job_); }

  void open() {
    scrooge_model_close(model_);
    model_ = nullptr;
    const char* file = reader_.byte() % 4 == 0 ? path() : capi_files().model.c_str();
    const auto level = static_cast<int32_t>(reader_.byte() % 5) - 1;
    check(scrooge_model_open(file, level, often(&model_), error()));
  }

  void tensors() {
    auto* info = new (room_) scrooge_tensor_info{};
    info->struct_size = struct_size<scrooge_tensor_info>();
    check(scrooge_model_get_tensor(model_, number(), often(info), error()));
    uint64_t index = 0;
    static constexpr const char* kNames[] = {"b0.q", "b0.norm", "", "absent", nullptr};
    check(scrooge_model_find_tensor(model_, reader_.pick(kNames), often(&index), error()));
    require(scrooge_model_tensor_count(model_) > index || index == 0, "an index is below the count");
    auto* stage = new (room_) scrooge_stage_info{};
    stage->struct_size = struct_size<scrooge_stage_info>();
    check(scrooge_model_get_stage(model_, number(), often(stage), error()));
    auto* linear = new (room_) scrooge_linear_info{};
    linear->struct_size = struct_size<scrooge_linear_info>();
    check(scrooge_model_get_linear(model_, number(), often(linear), error()));
    require(scrooge_model_stage_count(model_) < 100 && scrooge_model_linear_count(model_) < 100, "a small model");
    require(scrooge_model_contents(model_) >= 0, "a file holds something");
  }

  void planes() {
    const void* data = nullptr;
    uint64_t size = 0;
    const auto plane = static_cast<int32_t>(reader_.byte() % 7) - 1;
    check(scrooge_model_get_plane(model_, number(), plane, often(&data), often(&size), error()));
    if (data == nullptr) return;
    volatile uint8_t sum = 0;
    for (uint64_t i = 0; i < size; ++i) sum = static_cast<uint8_t>(sum + static_cast<const uint8_t*>(data)[i]);
  }

  void rows() {
    std::vector<float> out(reader_.byte());
    const uint64_t index = number();
    const uint64_t first = number();
    const uint64_t count = number();
    check(scrooge_model_read_rows(model_, index, first, count, often(out.data()), out.size(), error()));
  }

  void verify() {
    size_t required = 0;
    int left = reader_.byte() % 4;
    const size_t capacity = number() % (kRoom + 1);
    const auto progress = reader_.byte() % 2 == 0 ? on_progress : nullptr;
    const char* file = reader_.byte() % 4 == 0 ? path() : capi_files().model.c_str();
    check(scrooge_verify(file, progress, &left, often(room_), capacity, often(&required), error()));
  }

  const char* layout() {
    static constexpr const char* kLayouts[] = {"canonical", "interleaved4", "interleaved8", "awq",
                                               "",          "tiles",        nullptr};
    return reader_.pick(kLayouts);
  }

  void repack() {
    auto* options = new (room_) scrooge_repack_options{};
    scrooge_repack_options_init(options, struct_size<scrooge_repack_options>());
    int left = reader_.byte();
    options->input = reader_.byte() % 2 == 0 ? path() : capi_files().model.c_str();
    options->output = often(capi_files().output.c_str());  // no other: the files are there for the next input too
    options->layout = layout();
    if (reader_.byte() % 2 == 0) options->progress = on_progress, options->progress_user = &left;
    check(scrooge_repack(often(options), error()));
  }

  void evaluate() {
    if (++converts_ > kMostConverts) return;
    auto* options = new (room_) scrooge_evaluate_options{};
    scrooge_evaluate_options_init(options, struct_size<scrooge_evaluate_options>());
    int left = reader_.byte();
    options->threads = 1;
    options->context = static_cast<uint32_t>(number());
    options->max_windows = reader_.byte() % 4;
    options->model = reader_.byte() % 4 == 0 ? path() : capi_files().checkpoint.c_str();
    options->reference = reader_.byte() % 2 == 0 ? path() : nullptr;
    options->token_ids = reader_.byte() % 4 == 0 ? path() : capi_files().ids.c_str();
    options->text = reader_.byte() % 8 == 0 ? path() : nullptr;
    if (reader_.byte() % 4 == 0) options->memory = number();
    if (reader_.byte() % 4 == 0) options->threads = reader_.byte() % 4;
    if (reader_.byte() % 4 == 0) options->allocator = allocator();
    if (reader_.byte() % 4 == 0) options->progress = on_progress, options->progress_user = &left;
    alignas(scrooge_evaluation) char result_room[kRoom] = {};
    auto* result = new (result_room) scrooge_evaluation{};
    result->struct_size = struct_size<scrooge_evaluation>();
    check(scrooge_evaluate(often(options), often(result), error()));
  }

  void tokenize() {
    if (tokenizer_ == nullptr || reader_.byte() % 4 == 0) {
      scrooge_tokenizer_close(tokenizer_);
      tokenizer_ = nullptr;
      const char* file = reader_.byte() % 4 == 0 ? path() : capi_files().checkpoint.c_str();
      check(scrooge_tokenizer_open(file, often(&tokenizer_), error()));
    }
    const std::string text(reader_.rest().substr(0, 32));
    std::vector<int32_t> ids(reader_.byte() % 64);
    size_t required = 0;
    check(scrooge_tokenizer_encode(tokenizer_, often(text.data()), text.size(), often(ids.data()), ids.size(),
                                   often(&required), error()));
  }

  void decode() {
    int32_t ids[4];
    for (int32_t& id : ids) id = static_cast<int32_t>(number());
    size_t required = 0;
    const size_t capacity = number() % (kRoom + 1);
    check(scrooge_tokenizer_decode(tokenizer_, often(ids), reader_.byte() % 5, often(room_), capacity, often(&required),
                                   error()));
    require(scrooge_tokenizer_vocabulary_size(tokenizer_) >= 0, "a vocabulary has a size");
  }

  void devices() {
    auto* info = new (room_) scrooge_device_info{};
    info->struct_size = struct_size<scrooge_device_info>();
    static constexpr const char* kNames[] = {"cpu", "auto", "cpu:1", "CPU:", ":", "e", "no such device", nullptr};
    check(scrooge_device_get_info(reader_.byte() % 2 == 0 ? 0 : static_cast<uint32_t>(number()), often(info), error()));
    check(scrooge_device_find(reader_.pick(kNames), often(info), error()));
  }

  void nothing() {
    scrooge_job_destroy(nullptr);
    scrooge_job_cancel(nullptr);
    scrooge_model_close(nullptr);
    scrooge_tokenizer_close(nullptr);
    scrooge_error_destroy(nullptr);
    scrooge_quantize_options_init(nullptr, sizeof(scrooge_quantize_options));
    scrooge_evaluate_options_init(nullptr, 0);
    require(scrooge_status_string(static_cast<scrooge_status>(number())) != nullptr, "every number has a text");
    require(scrooge_model_tensor_count(nullptr) == 0, "no model has no tensors");
  }

  Reader reader_;
  scrooge_job* job_ = nullptr;
  scrooge_model* model_ = nullptr;
  scrooge_tokenizer* tokenizer_ = nullptr;
  scrooge_error* error_ = nullptr;
  bool want_error_ = false;
  scrooge_allocator hook_{};
  int budget_ = 0;  // of callbacks and allocations
  int converts_ = 0;
  alignas(64) char room_[kRoom] = {};
};

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  // Call, then its arguments; 1 is "pointer given" and "error wanted".
  const std::string prepare = literal("\0\0\0\1\1\1");
  const std::string changed = literal("\0\0\2\10\1\24\0\1\1\1");
  return {prepare + literal("\1\0\1\1\3\1\2\4\0\1\1\1"), changed + "\3\1\4\3\1",
          literal("\5\1\3\1\1\6\0\1\1\0\1\1\7\2\1\1\1\1\10\50\1\1\1\1\1"),
          literal("\11\3\4\0\1\1\1\1\12\0\50\4\1\1\1\1\1\1\1\1\0\1\1\1"),
          literal("\13\1\1\1\1\40ab ba<s>\1\1\1\14\0\1\2\3\0\1\4\1\1\1\15\0\0\1\1\16\1")};
}

void run(std::string_view input) {
  Session(input.substr(0, 512)).run();
  // With its journal: an input must do the same whatever ran before it.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(capi_files().folder.path(), ignored)) {
    if (entry.path().string().starts_with(capi_files().output)) std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace scrooge::fuzz
