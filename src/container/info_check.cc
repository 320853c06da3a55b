// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "src/container/metadata_check.h"
#include "src/container/text_check.h"

namespace scrooge::container {
namespace {

class InfoCheck {
 public:
  InfoCheck(const ModelInfo& info, const std::string& path) : info_(info), path_(path) {}

  Status run() const {
    SCROOGE_RETURN_IF_ERROR(check_features());
    SCROOGE_RETURN_IF_ERROR(check_scheme());
    SCROOGE_RETURN_IF_ERROR(check_texts());
    SCROOGE_RETURN_IF_ERROR(check_attributes());
    SCROOGE_RETURN_IF_ERROR(check_sources());
    return check_blocks();
  }

 private:
  template <typename... Parts>
  Status fail(const Parts&... parts) const {
    return error(StatusCode::kBadModelFile, path_, ": ", parts...);
  }

  Status check_text(std::string_view field, std::string_view text) const {
    if (is_storable_text(text)) return {};
    return fail(field, " is not UTF-8 text of at most ", kMaxTextBytes, " bytes: \"", printable(text.substr(0, 80)),
                "\"");
  }

  Status check_features() const {
    if (const uint64_t unknown = info_.required_features & ~kKnownRequiredFeatures; unknown != 0) {
      return error(StatusCode::kUnsupportedVersion, path_,
                   ": required_features has bits that this version does not know (", unknown, "); update the library");
    }
    return {};
  }

  Status check_scheme() const {
    if (Status status = info_.spec.validate(); !status.ok()) return fail("scheme: ", status.message());
    const DType dtype = info_.spec.scale_dtype;
    if (dtype != DType::kF16 && dtype != DType::kBF16) return fail("scheme: scale dtype must be f16 or bf16");
    if (range_rule_name(info_.spec.range) == "unknown") return fail("scheme: the range rule is unknown");
    if (Status status = check_layout(info_.layout, info_.spec); !status.ok()) return fail("scheme: ", status.message());
    return {};
  }

  Status check_texts() const {
    SCROOGE_RETURN_IF_ERROR(check_text("tag", info_.tag));
    SCROOGE_RETURN_IF_ERROR(check_text("architecture", info_.architecture));
    SCROOGE_RETURN_IF_ERROR(check_text("method", info_.method));
    SCROOGE_RETURN_IF_ERROR(check_text("propagate", info_.propagate));
    SCROOGE_RETURN_IF_ERROR(check_text("library_version", info_.library_version));
    return check_text("source_format", info_.source_format);
  }

  Status check_attributes() const {
    std::vector<std::string_view> keys;
    for (const Attribute& attribute : info_.attributes) {
      SCROOGE_RETURN_IF_ERROR(check_text("attribute key", attribute.key));
      SCROOGE_RETURN_IF_ERROR(check_text("attribute value", attribute.value));
      if (attribute.key.empty()) return fail("an attribute has no key");
      keys.push_back(attribute.key);
    }
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) return fail("attribute \"", printable(*twice), "\" is there twice");
    return {};
  }

  Status check_sources() const {
    for (const Source& source : info_.sources) {
      SCROOGE_RETURN_IF_ERROR(check_text("source name", source.name));
      if (source.name.empty() || source.name.find_first_of("/\\") != std::string::npos) {
        return fail("source name \"", printable(source.name), "\" must be a base name");
      }
      const bool hexadecimal = source.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
      if (!hexadecimal || (source.sha256.size() != 64 && !source.sha256.empty())) {
        return fail("source \"", printable(source.name), "\": sha256 must be 64 lower-case hexadecimal digits");
      }
    }
    return {};
  }

  Status check_blocks() const {
    for (size_t i = 0; i < info_.blocks.size(); ++i) {
      const BlockReport& block = info_.blocks[i];
      if (i > 0 && block.index <= info_.blocks[i - 1].index) {
        return fail("block ", block.index, " does not come after block ", info_.blocks[i - 1].index);
      }
      for (const ScaleSetReport& set : block.scale_sets) {
        SCROOGE_RETURN_IF_ERROR(check_text("scale set name", set.name));
        SCROOGE_RETURN_IF_ERROR(check_text("scale set producer", set.producer));
        SCROOGE_RETURN_IF_ERROR(check_text("scale set candidate", set.candidate));
        SCROOGE_RETURN_IF_ERROR(check_text("scale set scale_tensor", set.scale_tensor));
      }
      for (const LinearReport& linear : block.linears) {
        SCROOGE_RETURN_IF_ERROR(check_text("linear name", linear.name));
        SCROOGE_RETURN_IF_ERROR(check_text("linear rounding", linear.rounding));
        if (linear.clip_histogram.size() != linear.clip_candidates.size()) {
          return fail("block ", block.index, ", linear \"", printable(linear.name),
                      "\": ", linear.clip_histogram.size(), " clip counts for ", linear.clip_candidates.size(),
                      " candidates");
        }
      }
    }
    return {};
  }

  const ModelInfo& info_;
  const std::string& path_;
};

}  // namespace

Status check_info(const ModelInfo& info, const std::string& path) { return InfoCheck(info, path).run(); }

}  // namespace scrooge::container
