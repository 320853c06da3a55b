// SPDX-License-Identifier: Apache-2.0
// Header-only C++17 over scrooge.h: handles that close themselves, and Expected<T> in place of status and error object.
// It adds no symbol, no policy and no exception of its own; every rule of scrooge.h (ownership, threads, callbacks)
// holds. Handles are movable and not copyable.
//
//   scrooge_quantize_options options = scrooge::quantize_options();
//   options.checkpoint = "model"; options.output = "model.scrooge"; options.calibration_text = "text.txt";
//   scrooge::Expected<scrooge::Job> job = scrooge::Job::prepare(options);
//   if (!job) return complain(job.error().message);
//   if (scrooge::Expected<void> done = job->convert(); !done) return complain(done.error().message);
#ifndef SCROOGE_SCROOGE_HPP_
#define SCROOGE_SCROOGE_HPP_

#include <scrooge/scrooge.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scrooge {

struct Error {
  scrooge_status status = SCROOGE_OK;
  std::string message;  // the full sentence: file, field, remedy
};

// A value or an error. REQUIRES: ok() before value(), * and ->; !ok() before error().
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}
  Expected(Error error) : error_(std::move(error)) {}
  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}
  bool ok() const noexcept { return error_.status == SCROOGE_OK; }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

namespace detail {

// Frees `error` (which may be NULL) after copying its text.
inline Error take(scrooge_status status, scrooge_error* error) {
  std::unique_ptr<scrooge_error, void (*)(scrooge_error*)> owner(error, &scrooge_error_destroy);
  return Error{status, scrooge_error_get_message(error)};
}

// call(scrooge_error**) -> status.
template <typename Call>
Expected<void> check(Call&& call) {
  scrooge_error* error = nullptr;
  const scrooge_status status = call(&error);
  if (status != SCROOGE_OK) return take(status, error);
  return {};
}

// Same, for a call that fills a T.
template <typename T, typename Call>
Expected<T> fill(T value, Call&& call) {
  scrooge_error* error = nullptr;
  const scrooge_status status = call(value, &error);
  if (status != SCROOGE_OK) return take(status, error);
  return value;
}

// The two-call form: call(data, capacity, size_t* required, scrooge_error**) -> status, repeated with room enough.
template <typename Container, typename Call>
Expected<Container> grow(std::size_t capacity, Call&& call) {
  Container buffer;
  for (int attempt = 0;; ++attempt) {
    buffer.resize(capacity);
    std::size_t required = 0;
    scrooge_error* error = nullptr;
    const scrooge_status status = call(capacity == 0 ? nullptr : buffer.data(), capacity, &required, &error);
    if (required > capacity && attempt < 3) {
      scrooge_error_destroy(error);
      capacity = required;
      continue;
    }
    if (status != SCROOGE_OK) return take(status, error);
    buffer.resize(required);
    return buffer;
  }
}

template <typename Call>
Expected<std::string> text(Call&& call, std::size_t capacity = 0) {
  Expected<std::string> result = grow<std::string>(capacity, std::forward<Call>(call));
  if (result && !result->empty()) result->pop_back();  // the final NUL
  return result;
}

template <typename T>
T sized() {
  T value{};
  value.struct_size = static_cast<std::uint32_t>(sizeof(T));
  return value;
}

}  // namespace detail

inline scrooge_quantize_options quantize_options() {
  scrooge_quantize_options options;
  scrooge_quantize_options_init(&options, sizeof options);
  return options;
}

// "minimal", "fast", "production", "max".
inline Expected<void> apply_preset(scrooge_quantize_options& options, const std::string& name) {
  return detail::check(
      [&](scrooge_error** error) { return scrooge_quantize_options_preset(&options, name.c_str(), error); });
}

inline scrooge_evaluate_options evaluate_options() {
  scrooge_evaluate_options options;
  scrooge_evaluate_options_init(&options, sizeof options);
  return options;
}

inline Expected<std::vector<scrooge_device_info>> devices() {
  std::vector<scrooge_device_info> list;
  const std::uint32_t count = scrooge_device_count();
  for (std::uint32_t index = 0; index < count; ++index) {
    auto info = detail::fill(
        detail::sized<scrooge_device_info>(),
        [&](scrooge_device_info& out, scrooge_error** error) { return scrooge_device_get_info(index, &out, error); });
    if (!info) return info.error();
    list.push_back(*info);
  }
  return list;
}

// What options.device means by `name`.
inline Expected<scrooge_device_info> find_device(const std::string& name) {
  return detail::fill(detail::sized<scrooge_device_info>(), [&](scrooge_device_info& out, scrooge_error** error) {
    return scrooge_device_find(name.c_str(), &out, error);
  });
}

class Job {
 public:
  static Expected<Job> prepare(const scrooge_quantize_options& options) {
    scrooge_job* handle = nullptr;
    auto done = detail::check([&](scrooge_error** error) { return scrooge_job_prepare(&options, &handle, error); });
    if (!done) return done.error();
    return Job(handle);
  }
  Expected<scrooge_plan> plan() const {
    return detail::fill(detail::sized<scrooge_plan>(), [&](scrooge_plan& out, scrooge_error** error) {
      return scrooge_job_get_plan(get(), &out, error);
    });
  }
  // REQUIRES: index < plan()->items. Its texts live as long as the job.
  Expected<scrooge_plan_item> plan_item(std::uint32_t index) const {
    return detail::fill(detail::sized<scrooge_plan_item>(), [&](scrooge_plan_item& out, scrooge_error** error) {
      return scrooge_job_get_plan_item(get(), index, &out, error);
    });
  }
  // REQUIRES: index < plan()->disks. Its texts live as long as the job.
  Expected<scrooge_disk> disk(std::uint32_t index) const {
    return detail::fill(detail::sized<scrooge_disk>(), [&](scrooge_disk& out, scrooge_error** error) {
      return scrooge_job_get_disk(get(), index, &out, error);
    });
  }
  Expected<scrooge_time_plan> time_plan() const {
    return detail::fill(detail::sized<scrooge_time_plan>(), [&](scrooge_time_plan& out, scrooge_error** error) {
      return scrooge_job_get_time_plan(get(), &out, error);
    });
  }
  // REQUIRES: index < time_plan().items.
  Expected<scrooge_time_item> time_item(std::uint32_t index) const {
    return detail::fill(detail::sized<scrooge_time_item>(), [&](scrooge_time_item& out, scrooge_error** error) {
      return scrooge_job_get_time_item(get(), index, &out, error);
    });
  }
  Expected<std::string> plan_json() const {
    return detail::text([&](char* out, std::size_t capacity, std::size_t* required, scrooge_error** error) {
      return scrooge_job_get_plan_json(get(), out, capacity, required, error);
    });
  }
  Expected<void> convert() {
    return detail::check([&](scrooge_error** error) { return scrooge_job_convert(get(), error); });
  }
  // After convert().
  Expected<scrooge_guards> guards() const {
    return detail::fill(detail::sized<scrooge_guards>(), [&](scrooge_guards& out, scrooge_error** error) {
      return scrooge_job_get_guards(get(), &out, error);
    });
  }
  // From any thread, and from a signal handler.
  void cancel() noexcept { scrooge_job_cancel(get()); }
  Expected<std::string> report_json() const {
    return detail::text([&](char* out, std::size_t capacity, std::size_t* required, scrooge_error** error) {
      return scrooge_job_get_report_json(get(), out, capacity, required, error);
    });
  }
  scrooge_job* get() const noexcept { return handle_.get(); }

 private:
  explicit Job(scrooge_job* handle) : handle_(handle, &scrooge_job_destroy) {}
  std::unique_ptr<scrooge_job, void (*)(scrooge_job*)> handle_;
};

// Bytes lent by the model: valid as long as it is open.
struct Plane {
  const void* data = nullptr;
  std::uint64_t size = 0;
};

class Model {
 public:
  static Expected<Model> open(const std::string& path, std::int32_t level = SCROOGE_OPEN_STRUCTURE) {
    scrooge_model* handle = nullptr;
    auto done =
        detail::check([&](scrooge_error** error) { return scrooge_model_open(path.c_str(), level, &handle, error); });
    if (!done) return done.error();
    return Model(handle);
  }
  std::uint64_t tensor_count() const { return scrooge_model_tensor_count(get()); }
  Expected<scrooge_tensor_info> tensor(std::uint64_t index) const {
    return detail::fill(detail::sized<scrooge_tensor_info>(), [&](scrooge_tensor_info& out, scrooge_error** error) {
      return scrooge_model_get_tensor(get(), index, &out, error);
    });
  }
  // SCROOGE_CONTENTS_*
  std::int32_t contents() const { return scrooge_model_contents(get()); }
  std::uint64_t stage_count() const { return scrooge_model_stage_count(get()); }
  Expected<scrooge_stage_info> stage(std::uint64_t index) const {
    return detail::fill(detail::sized<scrooge_stage_info>(), [&](scrooge_stage_info& out, scrooge_error** error) {
      return scrooge_model_get_stage(get(), index, &out, error);
    });
  }
  std::uint64_t linear_count() const { return scrooge_model_linear_count(get()); }
  Expected<scrooge_linear_info> linear(std::uint64_t index) const {
    return detail::fill(detail::sized<scrooge_linear_info>(), [&](scrooge_linear_info& out, scrooge_error** error) {
      return scrooge_model_get_linear(get(), index, &out, error);
    });
  }
  std::uint64_t source_count() const { return scrooge_model_source_count(get()); }
  Expected<scrooge_source_info> source(std::uint64_t index) const {
    return detail::fill(detail::sized<scrooge_source_info>(), [&](scrooge_source_info& out, scrooge_error** error) {
      return scrooge_model_get_source(get(), index, &out, error);
    });
  }
  Expected<std::uint64_t> find(const std::string& name) const {
    return detail::fill(std::uint64_t{0}, [&](std::uint64_t& out, scrooge_error** error) {
      return scrooge_model_find_tensor(get(), name.c_str(), &out, error);
    });
  }
  Expected<Plane> plane(std::uint64_t index, std::int32_t plane) const {
    return detail::fill(Plane{}, [&](Plane& out, scrooge_error** error) {
      return scrooge_model_get_plane(get(), index, plane, &out.data, &out.size, error);
    });
  }
  // Rows [first, first + count) as f32. REQUIRES: `out` holds count * columns floats.
  Expected<void> read_rows(std::uint64_t index, std::uint64_t first, std::uint64_t count,
                           std::vector<float>& out) const {
    return detail::check([&](scrooge_error** error) {
      return scrooge_model_read_rows(get(), index, first, count, out.data(), out.size(), error);
    });
  }
  Expected<std::string> json() const {
    return detail::text([&](char* out, std::size_t capacity, std::size_t* required, scrooge_error** error) {
      return scrooge_model_get_json(get(), out, capacity, required, error);
    });
  }
  scrooge_model* get() const noexcept { return handle_.get(); }

 private:
  explicit Model(scrooge_model* handle) : handle_(handle, &scrooge_model_close) {}
  std::unique_ptr<scrooge_model, void (*)(scrooge_model*)> handle_;
};

// Reads every byte of the file; the result as JSON.
inline Expected<std::string> verify(const std::string& path, scrooge_progress_fn progress = nullptr,
                                    void* user = nullptr) {
  // Room from the start, because each call reads the whole file.
  constexpr std::size_t kRoom = std::size_t{64} << 10;
  return detail::text(
      [&](char* out, std::size_t capacity, std::size_t* required, scrooge_error** error) {
        return scrooge_verify(path.c_str(), progress, user, out, capacity, required, error);
      },
      kRoom);
}

inline scrooge_repack_options repack_options() {
  scrooge_repack_options options;
  scrooge_repack_options_init(&options, sizeof options);
  return options;
}

// A file in another layout.
inline Expected<void> repack(const scrooge_repack_options& options) {
  return detail::check([&](scrooge_error** error) { return scrooge_repack(&options, error); });
}

inline Expected<scrooge_evaluation> evaluate(const scrooge_evaluate_options& options) {
  return detail::fill(detail::sized<scrooge_evaluation>(), [&](scrooge_evaluation& out, scrooge_error** error) {
    return scrooge_evaluate(&options, &out, error);
  });
}

class Tokenizer {
 public:
  static Expected<Tokenizer> open(const std::string& path) {
    scrooge_tokenizer* handle = nullptr;
    auto done =
        detail::check([&](scrooge_error** error) { return scrooge_tokenizer_open(path.c_str(), &handle, error); });
    if (!done) return done.error();
    return Tokenizer(handle);
  }
  Expected<std::vector<std::int32_t>> encode(std::string_view text) const {
    return detail::grow<std::vector<std::int32_t>>(
        0, [&](std::int32_t* ids, std::size_t capacity, std::size_t* required, scrooge_error** error) {
          return scrooge_tokenizer_encode(get(), text.data(), text.size(), ids, capacity, required, error);
        });
  }
  Expected<std::string> decode(const std::vector<std::int32_t>& ids) const {
    return detail::text([&](char* out, std::size_t capacity, std::size_t* required, scrooge_error** error) {
      return scrooge_tokenizer_decode(get(), ids.data(), ids.size(), out, capacity, required, error);
    });
  }
  std::int32_t vocabulary_size() const { return scrooge_tokenizer_vocabulary_size(get()); }
  scrooge_tokenizer* get() const noexcept { return handle_.get(); }

 private:
  explicit Tokenizer(scrooge_tokenizer* handle) : handle_(handle, &scrooge_tokenizer_close) {}
  std::unique_ptr<scrooge_tokenizer, void (*)(scrooge_tokenizer*)> handle_;
};

}  // namespace scrooge

#endif  // SCROOGE_SCROOGE_HPP_
