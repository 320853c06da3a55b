// SPDX-License-Identifier: Apache-2.0
// What a .scrooge file says about itself, as plain structs that mirror schema/scrooge_model.fbs. Enum values are
// pinned: they are stored in files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/format.h"
#include "src/container/tensor_layout.h"
#include "src/tensor/dtype.h"
#include "src/tensor/quant_spec.h"

namespace scrooge::container {

enum class SegmentKind : uint8_t {
  // 0..15: tensor planes
  kBlock = 0,
  kEmbedding = 1,
  kHead = 2,
  kExtras = 3,
  // 16..31: one raw file each
  kConfig = 16,
  kTokenizer = 17,
  kTokenizerConfig = 18,
  kGgufHeader = 19,
  kOther = 20,
};

enum class TensorKind : uint8_t {
  kDense = 0,      // a weight kept in floating point
  kQuantized = 1,  // codes, scales and, when asymmetric, zeros
  kAuxiliary = 2,  // kept for information, not needed to run the model: scale vectors
};

enum class PlaneKind : uint8_t {
  kData = 0,  // dense and auxiliary: rows x cols elements
  // In the order of the tensor's layout, here the canonical one:
  kCodes = 1,       // rows x code_row_bytes(cols)
  kScales = 2,      // rows x groups(cols) elements of scale_dtype
  kZeros = 3,       // rows x zero_row_bytes(cols)
  kInputScale = 4,  // 1 x cols f32: the weights were multiplied by it, column by column, before quantization
};

constexpr bool is_known(SegmentKind kind) {
  return kind <= SegmentKind::kExtras || (kind >= SegmentKind::kConfig && kind <= SegmentKind::kOther);
}
constexpr bool is_blob(SegmentKind kind) { return static_cast<uint8_t>(kind) >= 16; }

// Static names, as the schema spells them; "unknown" outside the enum.
std::string_view segment_kind_name(SegmentKind kind);
std::string_view tensor_kind_name(TensorKind kind);
std::string_view plane_kind_name(PlaneKind kind);
std::string_view range_rule_name(RangeRule rule);

// A tensor before it has a place: everything its byte sizes follow from.
struct TensorDescription {
  std::string name;
  uint64_t rows = 1;  // N; 1 for vectors
  uint64_t cols = 1;  // K
  TensorKind kind = TensorKind::kDense;
  DType dtype = DType::kF16;  // dense and auxiliary only
  QuantSpec spec;             // quantized only; scale_dtype is kF16 or kBF16. Files always state axis 1, zero bias 0
  TensorLayout layout;        // quantized only
  bool input_scale = false;   // quantized only: has an input_scale plane
  // The AWQ scale is already folded into what produces the input. When false and there is an input_scale plane, the
  // runtime divides the linear's input by it.
  bool folded = false;
  friend bool operator==(const TensorDescription&, const TensorDescription&) = default;
};

struct PlaneRecord {
  PlaneKind kind = PlaneKind::kData;
  uint32_t segment = 0;  // index into ModelMetadata::segments
  uint64_t offset = 0;   // from the start of the file
  uint64_t size = 0;
  uint64_t xxh64 = 0;
  uint64_t row_bytes = 0;
  friend bool operator==(const PlaneRecord&, const PlaneRecord&) = default;
};

struct TensorRecord {
  TensorDescription description;
  std::vector<PlaneRecord> planes;  // in the order of PlaneKind

  // Null when absent.
  const PlaneRecord* plane(PlaneKind kind) const;
  friend bool operator==(const TensorRecord&, const TensorRecord&) = default;
};

struct SegmentRecord {
  std::string name;
  SegmentKind kind = SegmentKind::kBlock;
  uint64_t offset = 0;
  uint64_t size = 0;   // without the zero tail
  uint64_t xxh64 = 0;  // raw segments only; planes have their own
  friend bool operator==(const SegmentRecord&, const SegmentRecord&) = default;
};

struct Attribute {
  std::string key;
  std::string value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Source {
  std::string name;  // a base name: files must not depend on where they were made
  uint64_t size = 0;
  std::string sha256;  // 64 lower-case hexadecimal digits, or empty when not computed
  friend bool operator==(const Source&, const Source&) = default;
};

struct TokenAccounting {
  uint64_t used = 0;
  uint64_t dropped = 0;
  uint64_t rows = 0;
  uint64_t length = 0;
  uint64_t held_out = 0;    // of those used, kept apart to check the result on
  uint64_t statistics = 0;  // that entered the statistics; where blocks differ, of the one with the fewest
  friend bool operator==(const TokenAccounting&, const TokenAccounting&) = default;
};

struct ScaleSetReport {
  std::string name;       // "qkv"
  std::string producer;   // "input_layernorm"
  std::string candidate;  // which kind of candidate won: "identity", "mean_abs"
  double alpha = 0;
  double loss_identity = 0;
  double loss_chosen = 0;
  std::string scale_tensor;  // the auxiliary tensor that holds the vector, or empty
  double damping = 0;        // of second-order rounding, of the mean diagonal; 0 where none was used, or it broke down
  friend bool operator==(const ScaleSetReport&, const ScaleSetReport&) = default;
};

struct LinearReport {
  std::string name;
  double loss_rtn = 0;
  double loss = 0;
  bool fell_back = false;                // its stage was worse than round-to-nearest somewhere, and is not scaled
  std::vector<uint32_t> clip_histogram;  // groups that chose each candidate
  std::vector<float> clip_candidates;    // same length
  std::string rounding = {};             // the method its codes went through in the end; empty where not known
  friend bool operator==(const LinearReport&, const LinearReport&) = default;
};

struct BlockReport {
  uint32_t index = 0;
  uint64_t tokens = 0;
  std::vector<ScaleSetReport> scale_sets;
  std::vector<LinearReport> linears;
  friend bool operator==(const BlockReport&, const BlockReport&) = default;
};

// The part the caller of ModelWriter::finish supplies. No times and no paths: the same inputs give the same bytes.
struct ModelInfo {
  std::string tag;           // "awq_w4_g128_headfp16"
  std::string architecture;  // "llama"
  std::string method;        // "awq"
  QuantSpec spec;            // the common scheme; tensors carry their own
  TensorLayout layout;       // the common layout, likewise
  uint64_t seed = 0;
  uint32_t grid = 0;
  std::string propagate;
  std::vector<Attribute> attributes;  // every option used; keys unique
  std::string library_version;
  std::string source_format;
  std::vector<Source> sources;
  TokenAccounting tokens;
  std::vector<BlockReport> blocks;  // indices ascending
  uint64_t required_features = 0;   // kFeatureLayouts is set and cleared by whoever writes the file
  uint64_t optional_features = 0;

  bool is_calibration() const { return (required_features & kFeatureCalibration) != 0; }
  friend bool operator==(const ModelInfo&, const ModelInfo&) = default;
};

struct ModelMetadata {
  uint16_t version_major = kFormatMajor;
  uint16_t version_minor = 0;
  ModelInfo info;
  std::vector<SegmentRecord> segments;  // in file order
  std::vector<TensorRecord> tensors;    // in file order
  friend bool operator==(const ModelMetadata&, const ModelMetadata&) = default;
};

// Whether a tensor, or the common scheme, has another layout than the canonical one: the file needs kFeatureLayouts.
bool has_layouts(const ModelMetadata& metadata);
// Whether a report says something that version 1.2 brought: damping, the rounding of a linear, held-out tokens and
// those in the statistics.
bool has_guard(const ModelMetadata& metadata);
// Sets or clears that bit, and states the lowest version that has what the file uses: one with neither is what every
// reader of version 1.0 knows, byte for byte.
void settle_features(ModelMetadata& metadata);

// Bits per weight of all quantized tensors together, as stored: codes, scales and zeros over weights. 0 without any.
double bits_per_weight(const ModelMetadata& metadata);

}  // namespace scrooge::container
