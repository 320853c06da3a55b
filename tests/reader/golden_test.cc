// SPDX-License-Identifier: Apache-2.0
// The golden models, quantized as a user does and repacked to every layout: all that the reader tells, and every row,
// is the library's.
#include "src/container/repack.h"
#include "tests/reader/comparison.h"
#include "tests/reader/memory_file.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::reader_test {
namespace {

class Golden : public pipeline::JobTest {
 protected:
  void expect_same(const std::string& path) {
    const auto library = container::ModelReader::open(path);
    ASSERT_TRUE(library.ok()) << library.status().message();
    const MemoryFile file(container::read_bytes(path));
    scrooge_reader reader;
    std::vector<scrooge_reader_name> room;
    ASSERT_EQ(open_and_check(file.bytes(), reader, room), SCROOGE_READER_OK) << reader.fault;
    EXPECT_EQ(difference(reader, library->metadata()), "");
    EXPECT_EQ(row_difference(reader, *library), "");
  }
  void quantize_and_compare(pipeline::QuantizeOptions options) {
    auto job = pipeline::QuantizeJob::prepare(options);
    ASSERT_TRUE(job.ok()) << job.status().message();
    const Status converted = (*job)->convert();
    ASSERT_TRUE(converted.ok()) << converted.message();
    expect_same(options.output);
    for (const char* layout : {"interleaved4", "interleaved8", "awq", "canonical"}) {
      if (std::string_view(layout) == "awq" && options.spec.bits != 4) continue;
      SCOPED_TRACE(layout);
      const auto repacked = container::repack(options.output, path("repacked.scrooge"), layout);
      ASSERT_TRUE(repacked.ok()) << repacked.status().message();
      expect_same(path("repacked.scrooge"));
    }
  }
};

TEST_F(Golden, LlamaIn4BitsAsymmetric) { quantize_and_compare(options("tiny_llama", "m.scrooge")); }

TEST_F(Golden, Qwen2In3BitsSymmetricWithBfloat16Scales) {
  pipeline::QuantizeOptions chosen = options("tiny_qwen2", "m.scrooge");
  chosen.spec.bits = 3;
  chosen.spec.symmetric = true;
  chosen.spec.scale_dtype = DType::kBF16;
  quantize_and_compare(chosen);
}

}  // namespace
}  // namespace scrooge::reader_test
