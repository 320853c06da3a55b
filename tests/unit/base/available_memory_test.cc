// SPDX-License-Identifier: Apache-2.0
// Available memory, from a folder that stands for a machine.
#include "src/base/available_memory.h"

#include <gtest/gtest.h>

#include "tests/unit/base/scratch_files.h"

namespace scrooge {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

AvailableMemory found(uint64_t mib, MemorySource source) { return {mib * kMiB, source}; }

class AvailableMemoryTest : public ScratchFiles {
 protected:
  void write(const std::string& name, const std::string& content) const {
    const std::string file = folder() + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    put(file, content);
  }
  void machine(const std::string& available) const {
    write("/proc/meminfo", "MemTotal:       8388608 kB\nMemFree:  1024 kB\nMemAvailable:   " + available + "\n");
  }
  // A process in GROUP of a hierarchy that is mounted at /sys/fs/cgroup and shows the group ROOT there.
  void process(const std::string& group, const std::string& root = "/") const {
    write("/proc/self/cgroup", "4:memory:/other\n0::" + group + "\n");
    write("/proc/self/mountinfo",
          "22 1 0:20 / /proc rw,nosuid - proc proc rw\n"
          "31 23 0:27 " +
              root + " /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  // In MiB, as memory.stat's file pages.
  void group(const std::string& name, const std::string& max, uint64_t current, uint64_t files = 0) const {
    const std::string at = "/sys/fs/cgroup" + name;
    write(at + "/memory.max", max + "\n");
    write(at + "/memory.current", std::to_string(current * kMiB) + "\n");
    write(at + "/memory.stat", "anon 1\nfile 999999999999\ninactive_file " + std::to_string(files * kMiB) +
                                   "\nactive_file " + std::to_string(kMiB) + "\n");
  }
  static std::string mib(uint64_t value) { return std::to_string(value * kMiB); }
  AvailableMemory read(const ProcessLimits& limits = {}) const { return read_available_memory(folder(), limits); }
};

TEST_F(AvailableMemoryTest, NothingToReadIsUnlimited) {
  EXPECT_EQ(read(), AvailableMemory());
  EXPECT_EQ(read().bytes, AvailableMemory::kUnlimited);
}

TEST_F(AvailableMemoryTest, TheMachineSaysWhatIsAvailable) {
  machine("2097152 kB");
  EXPECT_EQ(read(), found(2048, MemorySource::kMachine));
}

TEST_F(AvailableMemoryTest, AGroupCountsItsFilePagesAsFree) {
  machine("8388608 kB");
  process("/job");
  group("/job", mib(1024), 600, 300);
  EXPECT_EQ(read(), found(1024 - 600 + 301, MemorySource::kCgroup));
}

TEST_F(AvailableMemoryTest, TheTightestOfTheGroupsAboveCounts) {
  machine("8388608 kB");
  process("/a/b/c");
  group("/a/b/c", "max", 10);
  group("/a/b", mib(900), 400);
  group("/a", mib(700), 600);
  group("", mib(5000), 10);
  EXPECT_EQ(read(), found(101, MemorySource::kCgroup));
}

TEST_F(AvailableMemoryTest, MemoryHighIsALimitToo) {
  process("/job");
  group("/job", "max", 100);
  write("/sys/fs/cgroup/job/memory.high", mib(500));
  EXPECT_EQ(read(), found(401, MemorySource::kCgroup));
}

TEST_F(AvailableMemoryTest, AContainerSeesItsOwnGroupAsTheRoot) {
  process("/docker/0123/inner", "/docker/0123");
  group("/inner", "max", 1);
  group("", mib(256), 57);
  EXPECT_EQ(read(), found(200, MemorySource::kCgroup));
}

TEST_F(AvailableMemoryTest, AFullGroupHasNothingFree) {
  process("/");
  group("", mib(64), 100);
  EXPECT_EQ(read(), (AvailableMemory{0, MemorySource::kCgroup}));
}

TEST_F(AvailableMemoryTest, AMachineTighterThanItsGroupCounts) {
  machine("102400 kB");
  process("/job");
  group("/job", mib(1024), 0);
  EXPECT_EQ(read(), found(100, MemorySource::kMachine));
}

TEST_F(AvailableMemoryTest, ProcessLimitsCountLessWhatIsInUse) {
  machine("8388608 kB");
  write("/proc/self/status", "Name:\tx\nVmSize:\t  204800 kB\nVmData:\t  102400 kB\n");
  EXPECT_EQ(read({400 * kMiB, AvailableMemory::kUnlimited}), found(300, MemorySource::kProcess));
  EXPECT_EQ(read({400 * kMiB, 450 * kMiB}), found(250, MemorySource::kProcess));
  EXPECT_EQ(read({AvailableMemory::kUnlimited, 100 * kMiB}), (AvailableMemory{0, MemorySource::kProcess}));
}

TEST_F(AvailableMemoryTest, TextThatMakesNoSenseSaysNothing) {
  for (const char* text : {"", "\n", "much", "-5", "99999999999999999999999", "12x", "0x10", "max"}) {
    machine(text);
    process("/job");
    group("/job", text, 5);
    EXPECT_EQ(read(), AvailableMemory()) << text;
    group("/job", mib(100), 5);
    write("/sys/fs/cgroup/job/memory.current", text);
    EXPECT_EQ(read(), AvailableMemory()) << text;
  }
  machine("18446744073709551615 kB");  // more bytes than 64 bits count
  EXPECT_EQ(read(), AvailableMemory());
  for (const char* text : {"", "0::", "0::relative", "1:name=systemd:/", "0::/../outside", "0:://"}) {
    write("/proc/self/cgroup", text);
    EXPECT_EQ(read(), AvailableMemory()) << text;
  }
  for (const char* text : {"", "-", " - cgroup2 ", "1 2 3 - cgroup2 x", "1 2 3 / \\ - cgroup2 x", "\n\n - \n"}) {
    write("/proc/self/cgroup", "0::/job");
    write("/proc/self/mountinfo", text);
    EXPECT_EQ(read(), AvailableMemory()) << text;
  }
}

TEST_F(AvailableMemoryTest, FoldersInPlaceOfFilesSayNothing) {
  for (const char* name : {"/proc/meminfo", "/proc/self/cgroup", "/proc/self/mountinfo"}) {
    std::filesystem::create_directories(folder() + name);
  }
  EXPECT_EQ(read(), AvailableMemory());
}

TEST_F(AvailableMemoryTest, AMountPointMayHaveBlanks) {
  write("/proc/self/cgroup", "0::/job");
  write("/proc/self/mountinfo", "31 23 0:27 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  write("/my groups/job/memory.max", mib(10));
  write("/my groups/job/memory.current", mib(4));
  EXPECT_EQ(read(), found(6, MemorySource::kCgroup));
}

TEST(MemoryMargin, IsATenthAndNeverSmall) {
  EXPECT_EQ(memory_margin(1000 * kMiB), 100 * kMiB);
  EXPECT_EQ(memory_margin(100 * kMiB), 64 * kMiB);
  EXPECT_EQ(memory_margin(0), 64 * kMiB);
}

#if defined(__linux__)
TEST(AvailableMemory, IsKnownOnThisMachine) {
  const AvailableMemory available = available_memory();
  EXPECT_NE(available.source, MemorySource::kUnknown);
  EXPECT_LT(available.bytes, uint64_t{1} << 50);
}
#endif

}  // namespace
}  // namespace scrooge
