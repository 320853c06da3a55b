// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct AnyShape {
  std::string name() const { return "any"; }
};

class BufferTest : public ConformanceTest<AnyShape> {};

std::vector<std::byte> pattern(size_t size, uint64_t seed) {
  SeededValues seeded(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = std::byte(seeded.below(256));
  return bytes;
}

TEST_P(BufferTest, IsZeroFilledAndAligned) {
  for (Device* device : {&tested(), &reference()}) {
    for (const uint64_t size : {1ull, 255ull, 4096ull, 100001ull}) {
      auto buffer = device->allocate(size, "test");
      ASSERT_TRUE(buffer.ok()) << buffer.status().message();
      EXPECT_EQ((*buffer)->size(), size);
      if (device->describe().host_memory) {
        ASSERT_NE((*buffer)->host_data(), nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>((*buffer)->host_data()) % 256, 0u);
      }
      std::vector<std::byte> bytes(size, std::byte{1});
      expect_ok(device->download(**buffer, 0, bytes));
      EXPECT_EQ(bytes, std::vector<std::byte>(size));
    }
  }
}

TEST_P(BufferTest, MovesRangesAndNothingElse) {
  for (Device* device : {&tested(), &reference()}) {
    auto first = device->allocate(1000, "test");
    auto second = device->allocate(700, "test");
    ASSERT_TRUE(first.ok() && second.ok());
    std::vector<std::byte> expected = pattern(1000, 41);
    expect_ok(device->upload(**first, 0, expected));
    const std::vector<std::byte> patch = pattern(37, 42);
    expect_ok(device->upload(**first, 101, patch));
    std::memcpy(expected.data() + 101, patch.data(), patch.size());
    expect_ok(device->copy(**first, 90, **first, 500, 123));
    std::memcpy(expected.data() + 500, expected.data() + 90, 123);
    expect_ok(device->fill_zero(**first, 303, 55));
    std::memset(expected.data() + 303, 0, 55);
    std::vector<std::byte> actual(1000);
    expect_ok(device->download(**first, 0, actual));
    EXPECT_EQ(actual, expected);
    expect_ok(device->copy(**first, 300, **second, 3, 697));
    std::vector<std::byte> tail(697);
    expect_ok(device->download(**second, 3, tail));
    EXPECT_TRUE(std::equal(tail.begin(), tail.end(), expected.begin() + 300));
    expect_ok(device->upload(**second, 700, {}));
    expect_ok(device->synchronize());
  }
}

TEST_P(BufferTest, CountsAgainstTheBudget) {
  for (const std::string& name : {std::get<0>(GetParam()), std::string("reference")}) {
    MemoryBudget budget(1 << 20);
    auto device = create_device(name, {1, &budget});
    ASSERT_TRUE(device.ok());
    const uint64_t before = budget.used();
    auto large = (*device)->allocate(2 << 20, "weights");
    ASSERT_FALSE(large.ok());
    EXPECT_EQ(large.status().code(), StatusCode::kBudgetExceeded);
    EXPECT_NE(large.status().message().find("weights"), std::string_view::npos);
    EXPECT_EQ(budget.used(), before);
    {
      auto small = (*device)->allocate(100000, "weights");
      ASSERT_TRUE(small.ok());
      EXPECT_GE(budget.used(), before + 100000);
    }
    EXPECT_EQ(budget.used(), before);
  }
}

TEST_P(BufferTest, DescribesItself) {
  const DeviceInfo info = tested().describe();
  EXPECT_EQ(info.backend, std::get<0>(GetParam()));
  EXPECT_FALSE(info.name.empty());
}

TEST(BackendList, NamesWithIndexAndUnknownNames) {
  MemoryBudget budget;
  EXPECT_TRUE(create_device("reference:0", {1, &budget}).ok());
  for (const char* bad : {"reference:1", "reference:", "reference:x", "reference:-1"}) {
    const auto device = create_device(bad, {1, &budget});
    ASSERT_FALSE(device.ok()) << bad;
    EXPECT_EQ(device.status().code(), StatusCode::kInvalidArgument) << bad;
  }
  // A backend that this build lacks is missing, not misspelt: "cuda" must say so whatever the build.
  for (const char* missing : {"abacus", ""}) {
    EXPECT_EQ(create_device(missing, {1, &budget}).status().code(), StatusCode::kUnavailable) << missing;
  }
  EXPECT_NE(create_device("abacus", {1, &budget}).status().message().find("reference"), std::string_view::npos);
}

TEST(BackendList, ListsTheReference) {
  for (const Backend& candidate : all_backends()) {
    if (candidate.name != "reference") continue;
    const auto devices = candidate.list_devices();
    ASSERT_TRUE(devices.ok());
    ASSERT_EQ(devices->size(), 1u);
    EXPECT_EQ(devices->front().backend, "reference");
    return;
  }
  FAIL() << "no reference backend in this build";
}

SCROOGE_CONFORMANCE(BufferTest, AnyShape, AnyShape{});

}  // namespace
}  // namespace scrooge::test
