// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <vector>

#include "src/base/file_map.h"
#include "src/checkpoint/load.h"

namespace scrooge::checkpoint {
namespace {

constexpr StoredType kAllTypes[] = {StoredType::kF32,  StoredType::kF16,  StoredType::kBF16, StoredType::kQ8_0,
                                    StoredType::kQ4_0, StoredType::kQ4_1, StoredType::kQ5_0, StoredType::kQ5_1,
                                    StoredType::kQ4_K, StoredType::kQ5_K, StoredType::kQ6_K};

struct Golden {
  StoredType type;
  std::vector<std::byte> blocks;
  std::vector<uint32_t> values;  // bit patterns
};

std::vector<Golden> read_golden() {
  const auto map = FileMap::open(SCROOGE_SOURCE_DIR "/tests/golden/gguf_blocks.bin");
  EXPECT_TRUE(map.ok()) << map.status().message();
  std::vector<Golden> records;
  if (!map.ok()) return records;
  const std::byte* at = map->bytes().data();
  const std::byte* end = at + map->size();
  while (at < end) {
    const std::string name = reinterpret_cast<const char*>(at);
    Golden record{};
    bool known = false;
    for (const StoredType type : kAllTypes) {
      if (stored_type_name(type) == name) record.type = type, known = true;
    }
    EXPECT_TRUE(known) << name;
    const auto bytes = load_le<uint32_t>(at + 8);
    const auto count = load_le<uint32_t>(at + 12);
    at += 16;
    record.blocks.assign(at, at + bytes);
    at += bytes;
    for (uint32_t i = 0; i < count; ++i) record.values.push_back(load_le<uint32_t>(at + size_t{4} * i));
    at += size_t{4} * count;
    records.push_back(std::move(record));
  }
  return records;
}

TEST(Dequantize, MatchesTheGgufPackageBitForBit) {
  std::set<StoredType> seen;
  for (const Golden& golden : read_golden()) {
    seen.insert(golden.type);
    SCOPED_TRACE(stored_type_name(golden.type));
    std::vector<float> out(golden.values.size());
    // One byte off any alignment: blocks must not need one.
    std::vector<std::byte> shifted(golden.blocks.size() + 1);
    std::copy(golden.blocks.begin(), golden.blocks.end(), shifted.begin() + 1);
    dequantize(golden.type, std::span(shifted).subspan(1), out);
    int different = 0;
    for (size_t i = 0; i < out.size(); ++i) different += std::bit_cast<uint32_t>(out[i]) != golden.values[i];
    EXPECT_EQ(different, 0);
  }
  EXPECT_EQ(seen.size(), std::size(kAllTypes));
}

TEST(StoredTypes, BitsPerWeightCountScales) {
  EXPECT_EQ(bits_per_weight(StoredType::kF32), 32);
  EXPECT_EQ(bits_per_weight(StoredType::kQ8_0), 8.5);
  EXPECT_EQ(bits_per_weight(StoredType::kQ4_0), 4.5);
  EXPECT_EQ(bits_per_weight(StoredType::kQ4_1), 5);
  EXPECT_EQ(bits_per_weight(StoredType::kQ4_K), 4.5);
  EXPECT_EQ(bits_per_weight(StoredType::kQ6_K), 6.5625);
}

}  // namespace
}  // namespace scrooge::checkpoint
