// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "schema/scrooge_model_generated.h"
#include "src/base/checked_size.h"
#include "src/container/metadata_codec.h"

namespace scrooge::container {
namespace {

namespace fb = ::flatbuffers;

// Root, block, linear: the schema is this deep, and a later one may be a little deeper.
constexpr uint32_t kMaxDepth = 8;
// No table takes less than its own vtable offset and the offset that leads to it.
constexpr uint64_t kMinTableBytes = 8;

// Copies out of a verified buffer. The verifier allows tables, texts and lists to be shared, so a small buffer could
// otherwise unfold into an endless model: every copy is charged against an allowance that any unshared buffer stays
// far below. The first failure sticks; later reads return empty values.
class Decoder {
 public:
  Decoder(uint64_t buffer_bytes, const std::string& path) : path_(path), allowance_(8 * buffer_bytes + (64 << 10)) {}

  Status take_status() { return std::move(status_); }

  ModelMetadata model(const format::Model& source) {
    ModelMetadata out;
    out.version_major = source.version_major();
    out.version_minor = source.version_minor();
    ModelInfo& info = out.info;
    info.required_features = source.required_features();
    info.optional_features = source.optional_features();
    info.tag = text(source.tag());
    info.architecture = text(source.architecture());
    info.method = text(source.method());
    info.spec = scheme(source.scheme(), "scheme", info.layout);
    info.seed = source.seed();
    info.grid = source.grid();
    info.propagate = text(source.propagate());
    list(source.attributes(), info.attributes, [&](const format::KeyValue& item) {
      return Attribute{text(item.key()), text(item.value())};
    });
    info.library_version = text(source.library_version());
    info.source_format = text(source.source_format());
    list(source.sources(), info.sources, [&](const format::Source& item) {
      return Source{text(item.name()), item.size(), text(item.sha256())};
    });
    if (const auto* tokens = source.tokens()) {
      info.tokens = {tokens->used(),   tokens->dropped(),  tokens->rows(),
                     tokens->length(), tokens->held_out(), tokens->statistics()};
    }
    list(source.segments(), out.segments, [&](const format::Segment& item) {
      return SegmentRecord{text(item.name()), static_cast<SegmentKind>(item.kind()), item.offset(), item.size(),
                           item.xxh64()};
    });
    list(source.tensors(), out.tensors, [&](const format::Tensor& item) { return tensor(item); });
    list(source.blocks(), info.blocks, [&](const format::Block& item) { return block(item); });
    return out;
  }

 private:
  bool charge(CheckedSize bytes) {
    if (!status_.ok()) return false;
    if (!bytes.fits_in(allowance_)) {
      fail("index", "holds far more than its size allows; tables are shared without end");
      return false;
    }
    allowance_ -= bytes.value();
    return true;
  }

  void fail(std::string_view where, std::string_view what, StatusCode code = StatusCode::kBadModelFile) {
    if (status_.ok()) status_ = error(code, path_, ": ", where, ": ", what);
  }

  std::string text(const fb::String* source) {
    if (source == nullptr || !charge(source->size())) return {};
    if (source->size() > kMaxTextBytes) {
      fail("index", "a text is longer than 65536 bytes");
      return {};
    }
    return std::string(source->data(), source->size());
  }

  template <typename Table, typename Item, typename Decode>
  void list(const fb::Vector<fb::Offset<Table>>* source, std::vector<Item>& out, Decode decode) {
    if (source == nullptr || !charge(CheckedSize(source->size()) * sizeof(Item))) return;
    out.reserve(source->size());
    for (const Table* item : *source) {
      if (!status_.ok()) return;
      out.push_back(decode(*item));
    }
  }

  template <typename Item>
  void numbers(const fb::Vector<Item>* source, std::vector<Item>& out) {
    if (source == nullptr || !charge(CheckedSize(source->size()) * sizeof(Item))) return;
    out.assign(source->begin(), source->end());
  }

  QuantSpec scheme(const format::Scheme* source, std::string_view owner, TensorLayout& layout) {
    QuantSpec spec;
    if (source == nullptr) {
      fail(owner, "has no scheme");
      return spec;
    }
    spec.bits = source->bits();
    spec.group = source->group();
    spec.symmetric = source->symmetric();
    spec.scale_dtype = static_cast<DType>(source->scale_dtype());
    spec.range = static_cast<RangeRule>(source->range());
    layout = {static_cast<LayoutId>(source->layout_id()), source->layout_rows(), source->layout_chunk()};
    if (!is_known(layout.id) || source->layout_version() != kLayoutVersion) {
      fail(owner, "its layout is unknown to this version; update the library", StatusCode::kUnsupportedVersion);
    }
    const bool zeros = has_zeros(spec, layout);
    const auto zero_kind = zeros ? format::ZeroKind::integer : format::ZeroKind::none;
    const bool bits_known = spec.bits >= 1 && spec.bits <= 8;
    const int32_t code_bias = !zeros && bits_known ? spec.symmetric_zero() : 0;
    if (source->axis() != 1 || source->zero_kind() != zero_kind || source->zero_bias() != 0 ||
        source->code_bias() != code_bias) {
      fail(owner, "its axis, zero kind or biases do not fit its scheme");
    }
    return spec;
  }

  TensorRecord tensor(const format::Tensor& source) {
    TensorRecord out;
    TensorDescription& description = out.description;
    description.name = text(source.name());
    description.rows = source.rows();
    description.cols = source.cols();
    description.kind = static_cast<TensorKind>(source.kind());
    description.dtype = static_cast<DType>(source.dtype());
    description.folded = source.folded();
    if (description.kind == TensorKind::kQuantized) {
      description.spec =
          scheme(source.scheme(), concat("tensor \"", printable(description.name), "\""), description.layout);
    } else if (source.scheme() != nullptr) {
      fail(concat("tensor \"", printable(description.name), "\""), "has a scheme but is not quantized");
    }
    list(source.planes(), out.planes, [](const format::Plane& item) {
      return PlaneRecord{static_cast<PlaneKind>(item.kind()),
                         item.segment(),
                         item.offset(),
                         item.size(),
                         item.xxh64(),
                         item.row_bytes()};
    });
    description.input_scale = out.plane(PlaneKind::kInputScale) != nullptr;
    return out;
  }

  BlockReport block(const format::Block& source) {
    BlockReport out;
    out.index = source.index();
    out.tokens = source.tokens();
    list(source.scale_sets(), out.scale_sets, [&](const format::ScaleSet& item) {
      return ScaleSetReport{text(item.name()),    text(item.producer()), text(item.candidate()),    item.alpha(),
                            item.loss_identity(), item.loss_chosen(),    text(item.scale_tensor()), item.damping()};
    });
    list(source.linears(), out.linears, [&](const format::Linear& item) {
      LinearReport linear{text(item.name()),    item.loss_rtn(), item.loss(), item.fell_back(), {}, {},
                          text(item.rounding())};
      numbers(item.clip_histogram(), linear.clip_histogram);
      numbers(item.clip_candidates(), linear.clip_candidates);
      return linear;
    });
    return out;
  }

  const std::string& path_;
  uint64_t allowance_;
  Status status_;
};

}  // namespace

Result<ModelMetadata> decode_metadata(std::span<const std::byte> bytes, const std::string& path) {
  if (bytes.size() > kMaxMetadataBytes) {
    return error(StatusCode::kBadModelFile, path, ": the index is above ", kMaxMetadataBytes, " bytes");
  }
  fb::Verifier::Options limits;
  limits.max_depth = kMaxDepth;
  limits.max_tables = static_cast<fb::uoffset_t>(bytes.size() / kMinTableBytes + 1);
  limits.check_nested_flatbuffers = false;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  fb::Verifier verifier(data, bytes.size(), limits);
  if (!format::VerifyModelBuffer(verifier)) {
    return error(StatusCode::kBadModelFile, path, ": the index is not a well-formed SCR1 buffer; fetch the file again");
  }
  Decoder decoder(bytes.size(), path);
  ModelMetadata metadata = decoder.model(*format::GetModel(data));
  SCROOGE_RETURN_IF_ERROR(decoder.take_status());
  return metadata;
}

}  // namespace scrooge::container
