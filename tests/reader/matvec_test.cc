// SPDX-License-Identifier: Apache-2.0
// bindings/c/run_matvec.c, run as a user runs it, against the library's rows times the same vector.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "tests/support/model_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::reader_test {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

struct Output {
  int status = -1;
  std::string text;
};

Output run(const std::string& arguments) {
  Output output;
  std::FILE* pipe = ::popen(concat(SCROOGE_RUN_MATVEC, " ", arguments, " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char part[256];
  while (std::fgets(part, sizeof part, pipe) != nullptr) output.text += part;
  output.status = ::pclose(pipe);
  return output;
}

std::vector<double> numbers(const std::string& text) {
  std::vector<double> all;
  const char* at = text.c_str();
  for (char* end = nullptr;; at = end) {
    const double value = std::strtod(at, &end);
    if (end == at) return all;
    all.push_back(value);
  }
}

class Matvec : public testing::Test {
 protected:
  void SetUp() override {
    auto writer = ModelWriter::create(path_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->begin_segment("block.0", SegmentKind::kBlock).ok());
    for (const TensorDescription& tensor : tensors()) ASSERT_TRUE(add(*writer, tensor).ok()) << tensor.name;
    ASSERT_TRUE(writer->end_segment().ok());
    ModelInfo info;
    info.architecture = "llama";
    info.tag = "w4";
    ASSERT_TRUE(writer->finish(info).ok());
  }
  static std::vector<TensorDescription> tensors() {
    std::vector<TensorDescription> all = {dense("norm", 1, 40, DType::kF32)};
    for (const int bits : {2, 3, 4, 8}) {
      for (const int64_t group : {0, 13, 32}) {
        for (const bool symmetric : {false, true}) {
          QuantSpec spec;
          spec.bits = bits;
          spec.group = group;
          spec.symmetric = symmetric;
          all.push_back(quantized(concat("w", bits, ".", group, ".", symmetric), 16, 129, spec));
          all.back().input_scale = group == 32;
        }
      }
    }
    for (const TensorLayout layout : {TensorLayout{LayoutId::kInterleaved, 8, 8}, TensorLayout{LayoutId::kAwq, 0, 0}}) {
      all.push_back(quantized(layout_name(layout), 16, 129, {}));
      all.back().layout = layout;
    }
    return all;
  }

  const test::TempFolder folder_;
  const std::string path_ = folder_ / "m.scrooge";
};

TEST_F(Matvec, ListsTheTensors) {
  const Output output = run(path_);
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.text.find("llama, w4: 27 tensors\nnorm [1, 40]\nw2.0.false [16, 129] 2 bits\n"), 0u) << output.text;
}

TEST_F(Matvec, IsTheLibrarysRowsTimesTheVector) {
  const auto library = ModelReader::open(path_);
  ASSERT_TRUE(library.ok()) << library.status().message();
  for (const TensorRecord& record : library->tensors()) {
    const TensorDescription& tensor = record.description;
    if (tensor.kind != TensorKind::kQuantized) continue;
    const Output output = run(concat(path_, " ", tensor.name));
    ASSERT_EQ(output.status, 0) << output.text;
    const std::vector<double> y = numbers(output.text);
    ASSERT_EQ(y.size(), tensor.rows) << tensor.name;
    std::vector<float> row(tensor.cols);
    for (uint64_t n = 0; n < tensor.rows; ++n) {
      ASSERT_TRUE(library->read_rows(record, n, 1, row).ok());
      double wanted = 0, size = 0;
      for (uint64_t k = 0; k < tensor.cols; ++k) {
        const double product = static_cast<double>(row[k]) * ((static_cast<double>(37 * k % 64) - 32) / 32);
        wanted += product;
        size += std::fabs(product);
      }
      // Rounding of K sums in f32; zero * sum may be some times larger than the result.
      const double tolerance = 0x1p-24 * static_cast<double>(tensor.cols) * 4 * size;
      EXPECT_NEAR(y[n], wanted, tolerance) << tensor.name << " row " << n;
    }
  }
}

TEST_F(Matvec, SaysWhatIsWrong) {
  EXPECT_EQ(run(path_ + " absent").text, "absent: there is none of that name, kind or number\n");
  EXPECT_NE(run(path_ + " norm").status, 0);
  EXPECT_NE(run(folder_ / "absent").status, 0);
  write_bytes(path_, std::as_bytes(std::span("GGUF and more", 13)));
  EXPECT_EQ(run(path_).text, path_ + ": not a .scrooge file\n");
}

}  // namespace
}  // namespace scrooge::reader_test
