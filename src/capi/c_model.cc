// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "src/base/checked_size.h"
#include "src/base/json.h"
#include "src/capi/c_support.h"
#include "src/container/inspect.h"
#include "src/container/model_reader.h"
#include "src/container/verify.h"

struct scrooge_model {
  scrooge::container::ModelReader reader;
};

namespace scrooge::capi {
namespace {

using container::ModelReader;
using container::PlaneKind;
using container::TensorKind;
using container::TensorRecord;

Result<const TensorRecord*> tensor_at(const scrooge_model* model, uint64_t index) {
  if (model == nullptr) return error(StatusCode::kInvalidArgument, "model: null");
  const auto tensors = model->reader.tensors();
  if (index >= tensors.size()) {
    return error(StatusCode::kInvalidArgument, "index: ", index, ", the model has ", tensors.size(), " tensors");
  }
  return &tensors[static_cast<size_t>(index)];
}

scrooge_tensor_info describe(const TensorRecord& tensor) {
  const container::TensorDescription& from = tensor.description;
  scrooge_tensor_info info{};
  info.kind = static_cast<int32_t>(from.kind);
  info.name = from.name.c_str();
  info.rows = from.rows;
  info.columns = from.cols;
  info.dtype = static_cast<int32_t>(from.dtype);
  if (from.kind == TensorKind::kQuantized) {
    info.dtype = static_cast<int32_t>(from.spec.scale_dtype);
    info.bits = static_cast<uint32_t>(from.spec.bits);
    info.group = static_cast<uint64_t>(from.spec.group_length(static_cast<int64_t>(from.cols)));
    info.symmetric = from.spec.symmetric ? 1 : 0;
    info.layout = static_cast<uint32_t>(from.layout.id);
    info.layout_rows = from.layout.rows;
    info.layout_chunk = from.layout.chunk;
  }
  return info;
}

// Entry `index` of the lists that every block has, counted through all blocks; null behind the last.
template <typename Entry>
std::pair<const container::BlockReport*, const Entry*> entry_at(const scrooge_model& model,
                                                                std::vector<Entry> container::BlockReport::*list,
                                                                uint64_t index) {
  for (const container::BlockReport& block : model.reader.metadata().info.blocks) {
    const std::vector<Entry>& entries = block.*list;
    if (index < entries.size()) return {&block, &entries[static_cast<size_t>(index)]};
    index -= entries.size();
  }
  return {nullptr, nullptr};
}

template <typename Entry>
uint64_t entry_count(const scrooge_model* model, std::vector<Entry> container::BlockReport::*list) {
  uint64_t count = 0;
  if (model == nullptr) return count;
  for (const container::BlockReport& block : model->reader.metadata().info.blocks) count += (block.*list).size();
  return count;
}

constexpr auto kStages = &container::BlockReport::scale_sets;
constexpr auto kLinears = &container::BlockReport::linears;

Status write_stage(const scrooge_model* model, uint64_t index, scrooge_stage_info* out) {
  if (model == nullptr) return error(StatusCode::kInvalidArgument, "model: null");
  const auto [block, stage] = entry_at(*model, kStages, index);
  if (block == nullptr) {
    return error(StatusCode::kInvalidArgument, "index: ", index, ", the file has ", entry_count(model, kStages),
                 " stages");
  }
  scrooge_stage_info info{};
  info.block = block->index;
  info.name = stage->name.c_str();
  info.candidate = stage->candidate.c_str();
  info.alpha = stage->alpha;
  info.loss_identity = stage->loss_identity;
  info.loss_chosen = stage->loss_chosen;
  info.tokens = block->tokens;
  info.damping = stage->damping;
  return write_info(info, offsetof(scrooge_stage_info, damping), "info", out);
}

Status write_linear(const scrooge_model* model, uint64_t index, scrooge_linear_info* out) {
  if (model == nullptr) return error(StatusCode::kInvalidArgument, "model: null");
  const auto [block, linear] = entry_at(*model, kLinears, index);
  if (block == nullptr) {
    return error(StatusCode::kInvalidArgument, "index: ", index, ", the file has ", entry_count(model, kLinears),
                 " linears");
  }
  scrooge_linear_info info{};
  info.block = block->index;
  info.name = linear->name.c_str();
  info.loss = linear->loss;
  info.loss_rtn = linear->loss_rtn;
  info.fell_back = linear->fell_back ? 1 : 0;
  info.rounding = linear->rounding.c_str();
  return write_info(info, offsetof(scrooge_linear_info, rounding), "info", out);
}

Status write_source(const scrooge_model* model, uint64_t index, scrooge_source_info* out) {
  if (model == nullptr) return error(StatusCode::kInvalidArgument, "model: null");
  const std::vector<container::Source>& sources = model->reader.metadata().info.sources;
  if (index >= sources.size()) {
    return error(StatusCode::kInvalidArgument, "index: ", index, ", the file has ", sources.size(), " sources");
  }
  const container::Source& source = sources[static_cast<size_t>(index)];
  scrooge_source_info info{};
  info.name = source.name.c_str();
  info.sha256 = source.sha256.c_str();
  info.size = source.size;
  return write_info(info, sizeof info, "info", out);
}

std::string summary_json(const std::string& path, const container::VerifySummary& summary) {
  JsonWriter json;
  json.begin_object().field("file", path).field("ok", true).field("tensors", summary.tensors);
  json.field("quantized_tensors", summary.quantized_tensors).field("planes", summary.planes);
  json.field("bytes_checked", summary.bytes_checked).field("bits_per_weight", summary.bits_per_weight).end_object();
  return json.text();
}

}  // namespace
}  // namespace scrooge::capi

using scrooge::Status;
using scrooge::StatusCode;
using scrooge::capi::guarded;

extern "C" {

scrooge_status scrooge_model_open(const char* path, int32_t level, scrooge_model** model, scrooge_error** error) {
  if (model != nullptr) *model = nullptr;
  return guarded(error, [&]() -> Status {
    if (model == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "model: null");
    if (level < SCROOGE_OPEN_BOUNDS || level > SCROOGE_OPEN_CHECKSUMS) {
      return scrooge::error(StatusCode::kInvalidArgument, "level: ", level, " is not one of SCROOGE_OPEN_*");
    }
    SCROOGE_ASSIGN_OR_RETURN(auto reader,
                             scrooge::container::ModelReader::open(scrooge::capi::text_or_empty(path),
                                                                   static_cast<scrooge::container::OpenLevel>(level)));
    *model = new scrooge_model{std::move(reader)};
    return {};
  });
}

void scrooge_model_close(scrooge_model* model) { delete model; }

uint64_t scrooge_model_tensor_count(const scrooge_model* model) {
  return model == nullptr ? 0 : model->reader.tensors().size();
}

scrooge_status scrooge_model_get_tensor(const scrooge_model* model, uint64_t index, scrooge_tensor_info* info,
                                        scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const auto* tensor, scrooge::capi::tensor_at(model, index));
    return scrooge::capi::write_info(scrooge::capi::describe(*tensor), offsetof(scrooge_tensor_info, layout_rows),
                                     "info", info);
  });
}

scrooge_status scrooge_model_find_tensor(const scrooge_model* model, const char* name, uint64_t* index,
                                         scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    if (model == nullptr || name == nullptr || index == nullptr) {
      return scrooge::error(StatusCode::kInvalidArgument, "model, name and index must not be null");
    }
    const auto* tensor = model->reader.find(name);
    if (tensor == nullptr) {
      return scrooge::error(StatusCode::kMissingTensor, model->reader.path(), ": no tensor ", scrooge::printable(name));
    }
    *index = static_cast<uint64_t>(tensor - model->reader.tensors().data());
    return {};
  });
}

scrooge_status scrooge_model_get_plane(const scrooge_model* model, uint64_t index, int32_t plane, const void** data,
                                       uint64_t* size, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    if (data == nullptr || size == nullptr) {
      return scrooge::error(StatusCode::kInvalidArgument, "data and size must not be null");
    }
    if (plane < SCROOGE_PLANE_DATA || plane > SCROOGE_PLANE_ZEROS) {
      return scrooge::error(StatusCode::kInvalidArgument, "plane: ", plane, " is not one of SCROOGE_PLANE_*");
    }
    SCROOGE_ASSIGN_OR_RETURN(const auto* tensor, scrooge::capi::tensor_at(model, index));
    const auto bytes = model->reader.plane(*tensor, static_cast<scrooge::container::PlaneKind>(plane));
    *data = bytes.empty() ? nullptr : bytes.data();
    *size = bytes.size();
    return {};
  });
}

scrooge_status scrooge_model_read_rows(const scrooge_model* model, uint64_t index, uint64_t first, uint64_t count,
                                       float* out, uint64_t out_floats, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const auto* tensor, scrooge::capi::tensor_at(model, index));
    if (out == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "out: null");
    const scrooge::CheckedSize needed = scrooge::CheckedSize(count) * tensor->description.cols;
    if (!needed.fits_in(out_floats)) {
      return scrooge::error(StatusCode::kInvalidArgument, "out_floats: ", out_floats, ", ", count, " rows of ",
                            tensor->description.cols, " need more");
    }
    return model->reader.read_rows(*tensor, first, count, {out, static_cast<size_t>(needed.value())});
  });
}

int32_t scrooge_model_contents(const scrooge_model* model) {
  const bool calibration = model != nullptr && model->reader.metadata().info.is_calibration();
  return calibration ? SCROOGE_CONTENTS_CALIBRATION : SCROOGE_CONTENTS_MODEL;
}

uint64_t scrooge_model_stage_count(const scrooge_model* model) {
  return scrooge::capi::entry_count(model, scrooge::capi::kStages);
}

scrooge_status scrooge_model_get_stage(const scrooge_model* model, uint64_t index, scrooge_stage_info* info,
                                       scrooge_error** error) {
  return guarded(error, [&] { return scrooge::capi::write_stage(model, index, info); });
}

uint64_t scrooge_model_linear_count(const scrooge_model* model) {
  return scrooge::capi::entry_count(model, scrooge::capi::kLinears);
}

scrooge_status scrooge_model_get_linear(const scrooge_model* model, uint64_t index, scrooge_linear_info* info,
                                        scrooge_error** error) {
  return guarded(error, [&] { return scrooge::capi::write_linear(model, index, info); });
}

uint64_t scrooge_model_source_count(const scrooge_model* model) {
  return model == nullptr ? 0 : model->reader.metadata().info.sources.size();
}

scrooge_status scrooge_model_get_source(const scrooge_model* model, uint64_t index, scrooge_source_info* info,
                                        scrooge_error** error) {
  return guarded(error, [&] { return scrooge::capi::write_source(model, index, info); });
}

scrooge_status scrooge_model_get_json(const scrooge_model* model, char* buffer, size_t capacity, size_t* required,
                                      scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    if (model == nullptr) return scrooge::error(StatusCode::kInvalidArgument, "model: null");
    return scrooge::capi::write_text(scrooge::container::inspect_json(model->reader), buffer, capacity, required);
  });
}

scrooge_status scrooge_verify(const char* path, scrooge_progress_fn progress, void* user, char* result_json,
                              size_t capacity, size_t* required, scrooge_error** error) {
  return guarded(error, [&]() -> Status {
    const std::string name = scrooge::capi::text_or_empty(path);
    const auto sink = scrooge::capi::make_progress(progress, user);
    const scrooge::pipeline::Stopwatch watch;
    SCROOGE_ASSIGN_OR_RETURN(const auto summary, scrooge::container::verify(name, [&](uint64_t done, uint64_t total) {
                               if (!sink) return true;
                               scrooge::pipeline::Progress p;
                               p.phase = scrooge::pipeline::Phase::kVerify;
                               p.stage = "checksums";
                               p.fraction = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
                               p.elapsed_seconds = watch.seconds();
                               return sink(p);
                             }));
    if (required == nullptr) return {};
    return scrooge::capi::write_text(scrooge::capi::summary_json(name, summary), result_json, capacity, required);
  });
}

}  // extern "C"
