// SPDX-License-Identifier: Apache-2.0
// What a well-formed file tells, and what is not there.
#include <gtest/gtest.h>

#include <set>

#include "tests/hostile/saved_calibration_damage.h"
#include "tests/reader/comparison.h"
#include "tests/reader/memory_file.h"

namespace scrooge::reader_test {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

class Read : public testing::Test {
 protected:
  // The sample with another index, which the library may or may not accept.
  Bytes changed(const std::function<void(ModelMetadata&)>& change) const {
    ModelMetadata metadata = sample_.metadata;
    change(metadata);
    return with_index(sample_.file, sample_.superblock, metadata);
  }
  static scrooge_reader_status opened(std::span<const std::byte> content) {
    const MemoryFile file(content);
    scrooge_reader reader;
    return file.open(reader);
  }
  static scrooge_reader_status checked(std::span<const std::byte> content) {
    const MemoryFile file(content);
    scrooge_reader reader;
    std::vector<scrooge_reader_name> room;
    return open_and_check(file.bytes(), reader, room);
  }

  const hostile::Sample& sample_ = hostile::small_sample();
};

TEST_F(Read, TellsWhatTheLibraryTells) {
  const MemoryFile file(sample_.file);
  scrooge_reader reader;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  EXPECT_EQ(difference(reader, sample_.metadata), "") << "names compared one by one";
  std::vector<scrooge_reader_name> room(reader.name_room);
  ASSERT_EQ(scrooge_reader_check(&reader, room.data(), room.size()), SCROOGE_READER_OK);
  EXPECT_EQ(difference(reader, sample_.metadata), "") << "names found by binary search";
}

TEST_F(Read, LendsRawSegments) {
  const MemoryFile file(sample_.file);
  scrooge_reader reader;
  scrooge_reader_segment segment;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  ASSERT_EQ(scrooge_reader_find_segment(&reader, SCROOGE_READER_SEGMENT_CONFIG, nullptr, &segment), SCROOGE_READER_OK);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(segment.data), segment.size), "{\"hidden_size\":40}");
  EXPECT_EQ(scrooge_reader_verify_segment(&segment), SCROOGE_READER_OK);
  file.bytes()[segment.offset] ^= std::byte{1};
  EXPECT_EQ(scrooge_reader_verify_segment(&segment), SCROOGE_READER_CHECKSUM);
}

TEST_F(Read, FindsABitOfAPlaneChanged) {
  const MemoryFile file(sample_.file);
  scrooge_reader reader;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  for (uint32_t i = 0; i < reader.tensor_count; ++i) {
    scrooge_reader_tensor tensor;
    ASSERT_EQ(scrooge_reader_get_tensor(&reader, i, &tensor), SCROOGE_READER_OK);
    for (uint32_t j = 0; j < tensor.plane_count; ++j) {
      const scrooge_reader_plane& plane = tensor.planes[j];
      EXPECT_EQ(scrooge_reader_verify_plane(&plane), SCROOGE_READER_OK) << tensor.name;
      file.bytes()[plane.offset + plane.size - 1] ^= std::byte{0x80};
      EXPECT_EQ(scrooge_reader_verify_plane(&plane), SCROOGE_READER_CHECKSUM) << tensor.name;
    }
  }
}

TEST_F(Read, SaysWhatIsNotThere) {
  const MemoryFile file(sample_.file);
  scrooge_reader reader;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  std::vector<scrooge_reader_name> room(reader.name_room);
  constexpr auto kNone = SCROOGE_READER_NOT_FOUND;
  scrooge_reader_segment segment;
  scrooge_reader_tensor tensor;
  const scrooge_reader_plane* plane;
  const char *key, *value;
  uint32_t index;
  EXPECT_EQ(scrooge_reader_get_segment(&reader, reader.segment_count, &segment), kNone);
  EXPECT_EQ(scrooge_reader_find_segment(&reader, SCROOGE_READER_SEGMENT_TOKENIZER, nullptr, &segment), kNone);
  EXPECT_EQ(scrooge_reader_find_segment(&reader, SCROOGE_READER_SEGMENT_CONFIG, "config", &segment), kNone);
  EXPECT_EQ(scrooge_reader_get_attribute(&reader, reader.attribute_count, &key, &value), kNone);
  EXPECT_EQ(scrooge_reader_find_attribute(&reader, "Clip", &value), kNone);
  EXPECT_EQ(scrooge_reader_get_tensor(&reader, reader.tensor_count, &tensor), kNone);
  for (const bool sorted : {false, true}) {
    if (sorted) {
      ASSERT_EQ(scrooge_reader_check(&reader, room.data(), room.size()), SCROOGE_READER_OK);
    }
    for (const char* name : {"", "b0", "b0.qq", "z"}) {
      EXPECT_EQ(scrooge_reader_find_tensor(&reader, name, &index), kNone) << name;
    }
  }
  ASSERT_EQ(scrooge_reader_get_tensor(&reader, 1, &tensor), SCROOGE_READER_OK);
  EXPECT_EQ(scrooge_reader_get_plane(&tensor, SCROOGE_READER_PLANE_CODES, &plane), kNone);
}

TEST_F(Read, RefusesArgumentsThatAreNot) {
  const MemoryFile file(sample_.file);
  scrooge_reader reader;
  constexpr auto kInvalid = SCROOGE_READER_INVALID_ARGUMENT;
  EXPECT_EQ(scrooge_reader_open(nullptr, file.bytes().data(), file.bytes().size()), kInvalid);
  EXPECT_EQ(scrooge_reader_open(&reader, nullptr, 0), kInvalid);
  EXPECT_EQ(scrooge_reader_open(&reader, file.bytes().data() + 32, 64), SCROOGE_READER_MISALIGNED);
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  std::vector<scrooge_reader_name> room(reader.name_room);
  EXPECT_EQ(scrooge_reader_check(&reader, room.data(), room.size() - 1), kInvalid);
  EXPECT_EQ(scrooge_reader_check(&reader, nullptr, room.size()), kInvalid);
  EXPECT_EQ(scrooge_reader_get_tensor(&reader, 0, nullptr), kInvalid);
  EXPECT_EQ(scrooge_reader_find_tensor(&reader, nullptr, nullptr), kInvalid);
  EXPECT_EQ(scrooge_reader_verify_plane(nullptr), kInvalid);
  EXPECT_EQ(scrooge_reader_verify_segment(nullptr), kInvalid);
}

TEST_F(Read, RefusesResultsOfACalibration) {
  const hostile::Sample& results = hostile::calibration_sample();
  ASSERT_FALSE(results.file.empty());
  EXPECT_EQ(opened(results.file), SCROOGE_READER_CALIBRATION);
}

TEST_F(Read, RefusesFeaturesItDoesNotKnow) {
  for (int bit = 2; bit < 64; ++bit) {
    const Bytes file = changed([&](ModelMetadata& m) { m.info.required_features = uint64_t{1} << bit; });
    EXPECT_EQ(opened(file), SCROOGE_READER_UNSUPPORTED_FEATURE) << bit;
  }
  EXPECT_EQ(opened(changed([](ModelMetadata& m) { m.info.optional_features = ~uint64_t{0}; })), SCROOGE_READER_OK);
}

TEST_F(Read, RefusesLayoutsItDoesNotKnow) {
  const auto with = [&](TensorLayout layout, uint64_t features) {
    return opened(changed([&](ModelMetadata& m) {
      m.info.required_features = features;
      m.info.layout = layout;
    }));
  };
  EXPECT_EQ(with({static_cast<LayoutId>(3), 0, 0}, kFeatureLayouts), SCROOGE_READER_UNSUPPORTED_LAYOUT);
  EXPECT_EQ(with({static_cast<LayoutId>(65535), 4, 8}, kFeatureLayouts), SCROOGE_READER_UNSUPPORTED_LAYOUT);
  EXPECT_EQ(with({LayoutId::kInterleaved, 4, 8}, kFeatureLayouts), SCROOGE_READER_OK);
  EXPECT_EQ(with({LayoutId::kInterleaved, 4, 8}, 0), SCROOGE_READER_BAD_SCHEME) << "without its feature";
  EXPECT_EQ(with({LayoutId::kInterleaved, 5, 8}, kFeatureLayouts), SCROOGE_READER_BAD_SCHEME);
  EXPECT_EQ(with({LayoutId::kInterleaved, 8, 0}, kFeatureLayouts), SCROOGE_READER_BAD_SCHEME);
  EXPECT_EQ(with({LayoutId::kInterleaved, 8, 6}, kFeatureLayouts), SCROOGE_READER_BAD_SCHEME);
  EXPECT_EQ(with({LayoutId::kInterleaved, 8, 68}, kFeatureLayouts), SCROOGE_READER_BAD_SCHEME);
  EXPECT_EQ(with({LayoutId::kAwq, 8, 0}, kFeatureLayouts), SCROOGE_READER_BAD_SCHEME);
}

TEST_F(Read, AcceptsSegmentsAndPlanesInAnyOrder) {
  const Bytes file = changed([](ModelMetadata& m) {
    std::swap(m.segments[0], m.segments[1]);
    for (auto& tensor : m.tensors) {
      for (auto& plane : tensor.planes) plane.segment = 0;
    }
    std::reverse(m.tensors.begin(), m.tensors.end());
  });
  const auto library = library_reads(file);
  ASSERT_TRUE(library.ok()) << library.status().message();
  const MemoryFile memory(file);
  scrooge_reader reader;
  std::vector<scrooge_reader_name> room;
  ASSERT_EQ(open_and_check(memory.bytes(), reader, room), SCROOGE_READER_OK);
  EXPECT_EQ(difference(reader, *library), "");
}

TEST_F(Read, FindsOverlapsInAnyOrder) {
  EXPECT_EQ(opened(changed([](ModelMetadata& m) {
              std::reverse(m.tensors.begin(), m.tensors.end());
              m.tensors[2].planes[2].offset = m.tensors[1].planes[0].offset;
            })),
            SCROOGE_READER_OVERLAP);
  EXPECT_EQ(opened(changed([](ModelMetadata& m) {
              m.segments.push_back(m.segments[0]);
              m.segments.back().name = "other";
            })),
            SCROOGE_READER_OVERLAP);
}

TEST_F(Read, NeverChoosesBetweenTwoTensorsOfOneName) {
  const MemoryFile file(changed([](ModelMetadata& m) { m.tensors[1].description.name = "b0.q"; }));
  scrooge_reader reader;
  uint32_t index = 0;
  ASSERT_EQ(file.open(reader), SCROOGE_READER_OK);
  EXPECT_EQ(scrooge_reader_find_tensor(&reader, "b0.q", &index), SCROOGE_READER_DUPLICATE);
  EXPECT_EQ(scrooge_reader_find_tensor(&reader, "b0.scale", &index), SCROOGE_READER_OK);
  EXPECT_EQ(index, 2u);
  EXPECT_EQ(checked(file.bytes()), SCROOGE_READER_DUPLICATE);
}

TEST_F(Read, NamesTheEntryAtFault) {
  const MemoryFile file(changed([](ModelMetadata& m) { m.tensors[2].description.rows = 2; }));
  scrooge_reader reader;
  EXPECT_EQ(file.open(reader), SCROOGE_READER_BAD_PLANE);
  EXPECT_EQ(reader.fault, 2u);
}

TEST_F(Read, EveryStatusHasItsOwnText) {
  std::set<std::string> texts;
  int count = 0;
  const std::string unknown = scrooge_reader_status_string(static_cast<scrooge_reader_status>(999));
  for (int i = 0; i < 100; ++i) {
    const std::string text = scrooge_reader_status_string(static_cast<scrooge_reader_status>(i));
    if (text == unknown) continue;
    texts.insert(text);
    ++count;
  }
  EXPECT_EQ(texts.size(), static_cast<size_t>(count));
  EXPECT_EQ(count, 24);
}

}  // namespace
}  // namespace scrooge::reader_test
