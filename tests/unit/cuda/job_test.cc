// SPDX-License-Identifier: Apache-2.0
// The whole job of a tiny model on the CUDA backend's host code and kernels, with the fake driver under them.
#include <gtest/gtest.h>

#include <cmath>

#include "src/container/model_reader.h"
#include "src/container/verify.h"
#include "src/pipeline/saved_calibration.h"
#include "tests/support/cuda_shim/fake_blas.h"
#include "tests/support/cuda_shim/fake_driver.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

class CudaJobTest : public JobTest {
 protected:
  ~CudaJobTest() override { test::shim::set_card_capability(86); }

  QuantizeOptions small(const std::string& output, const std::string& device) const {
    QuantizeOptions o = options("tiny_llama", output);
    o.samples = 3;
    o.length = 32;
    o.grid = 4;
    o.device = device;
    o.device_memory = uint64_t{4} << 30;
    return o;
  }
  static void run(QuantizeOptions o) {
    auto job = QuantizeJob::prepare(std::move(o));
    ASSERT_TRUE(job.ok()) << job.status().message();
    const Status status = (*job)->convert();
    ASSERT_TRUE(status.ok()) << status.message();
  }
  // Every tensor's name and stored bytes. The rest of a file names the device.
  static std::string planes(const std::string& output) {
    const auto reader = container::ModelReader::open(output);
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    std::string all;
    if (!reader.ok()) return all;
    for (const container::TensorRecord& tensor : reader->tensors()) {
      all += tensor.description.name;
      for (const container::PlaneRecord& plane : tensor.planes) {
        const std::span<const std::byte> stored = reader->plane(tensor, plane.kind);
        all.append(reinterpret_cast<const char*>(stored.data()), stored.size());
      }
    }
    return all;
  }
  static SavedBlock block(const QuantizeOptions& o, int64_t index) {
    const auto saved = SavedCalibration::open(o.save_calibration);
    const auto source = ModelSource::open(o.checkpoint, {});
    EXPECT_TRUE(saved.ok() && source.ok() && saved->check(**source, o.spec).ok());
    auto found = saved->block(**source, index);
    EXPECT_TRUE(found.ok()) << found.status().message();
    return found.ok() ? *std::move(found) : SavedBlock();
  }
};

// Rounding to nearest is decisions alone.
TEST_F(CudaJobTest, RoundingToNearestGivesTheProcessorsBytes) {
  QuantizeOptions host = small("host.scrooge", "cpu");
  host.method = Method::kRtn;
  QuantizeOptions card = host;
  card.output = path("card.scrooge");
  card.device = "cuda-shim";
  run(host);
  const uint64_t before = test::shim::kernels_run();
  run(card);
  EXPECT_GT(test::shim::kernels_run(), before);
  EXPECT_TRUE(planes(card.output) == planes(host.output));
}

// Neither side may round products to bf16 here, and every block's inputs are the original model's, so that statistics
// differ by the order of f32 sums alone.
TEST_F(CudaJobTest, StatisticsAndChoicesAreTheProcessors) {
  test::shim::set_card_capability(75);
  QuantizeOptions host = small("host.scrooge", "cpu-eigen");
  host.save_calibration = path("host.calibration");
  host.propagate = Propagate::kNone;
  QuantizeOptions card = small("card.scrooge", "cuda-shim");
  card.save_calibration = path("card.calibration");
  card.propagate = Propagate::kNone;
  run(host);
  run(card);
  ASSERT_TRUE(container::verify(card.output).ok());
  for (int64_t index = 0; index < 2; ++index) {
    const SavedBlock expected = block(host, index);
    const SavedBlock actual = block(card, index);
    ASSERT_EQ(actual.stages.size(), expected.stages.size());
    for (size_t s = 0; s < expected.stages.size(); ++s) {
      SCOPED_TRACE(testing::Message() << "block " << index << ", stage " << s);
      const SavedBlock::Stage& e = expected.stages[s];
      const SavedBlock::Stage& a = actual.stages[s];
      double greatest = 0;
      for (const float mean : e.mean) greatest = std::max(greatest, std::fabs(static_cast<double>(mean)));
      for (size_t i = 0; i < e.mean.size(); ++i) EXPECT_NEAR(a.mean[i], e.mean[i], 1e-5 * greatest) << i;
      for (size_t i = 0; i < e.scale.size(); ++i) EXPECT_NEAR(a.scale[i], e.scale[i], 1e-4 * e.scale[i]) << i;
      ASSERT_EQ(a.linears.size(), e.linears.size());
      for (size_t l = 0; l < e.linears.size(); ++l) EXPECT_EQ(a.linears[l].clip_index, e.linears[l].clip_index) << l;
    }
  }
}

TEST_F(CudaJobTest, RepeatsToTheByteAndGivesEverythingBack) {
  const test::shim::Outstanding before = test::shim::outstanding();
  QuantizeOptions first = small("first.scrooge", "cuda-shim");
  QuantizeOptions second = small("second.scrooge", "cuda-shim");
  run(first);
  run(second);
  EXPECT_TRUE(bytes(first.output) == bytes(second.output));
  EXPECT_EQ(test::shim::outstanding(), before);
  EXPECT_EQ(test::shim::blas_objects(), 0);
}

}  // namespace
}  // namespace scrooge::pipeline
