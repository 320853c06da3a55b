// SPDX-License-Identifier: Apache-2.0
#include "src/base/text.h"

#include <gtest/gtest.h>

namespace scrooge {
namespace {

TEST(Text, ConcatJoinsEveryKind) { EXPECT_EQ(concat("a", 'b', 3, -4, true, 0.5, std::string("c")), "ab3-4true0.5c"); }

TEST(Text, ParseBytesTakesBinaryUnitsOnly) {
  uint64_t bytes = 0;
  EXPECT_TRUE(parse_bytes("512MiB", bytes));
  EXPECT_EQ(bytes, 512ull << 20);
  EXPECT_TRUE(parse_bytes("1.5 GiB", bytes));
  EXPECT_EQ(bytes, 3ull << 29);
  EXPECT_TRUE(parse_bytes("4096", bytes));
  EXPECT_EQ(bytes, 4096u);
  for (const char* bad : {"", "MiB", "-1", "1MB", "1e3", "1 2", "99999999999TiB", "nan"}) {
    EXPECT_FALSE(parse_bytes(bad, bytes)) << bad;
  }
}

TEST(Text, FormatBytesUsesBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(256ull << 20), "256.0 MiB");
}

TEST(Text, PrintableEscapesControlAndNonAscii) { EXPECT_EQ(printable("a\n\xff"), "a\\x0a\\xff"); }

}  // namespace
}  // namespace scrooge
