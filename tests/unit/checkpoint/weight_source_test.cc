// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/weight_source.h"

#include <thread>

#include "src/checkpoint/dequantize.h"
#include "src/checkpoint/mapped_weights.h"
#include "tests/unit/checkpoint/checkpoint_fixture.h"

namespace scrooge::checkpoint {
namespace {

class WeightSourceTest : public ModelFolderTest {
 protected:
  void open_weights(const std::string& content) {
    write("model.safetensors", content);
    auto opened = open();
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    weights_ = std::move(opened->weights);
  }
  std::unique_ptr<WeightSource> weights_;
};

TEST_F(WeightSourceTest, ReadsAnyRunOfRows) {
  open_weights(test::SafetensorsWriter().add_f32("w", {5, 3}, counting(15)).finish());
  const TensorInfo& tensor = *weights_->find("w");
  for (int64_t first = 0; first <= 5; ++first) {
    for (int64_t count = 0; count <= 5 - first; ++count) {
      std::vector<float> out(static_cast<size_t>(count * 3));
      ASSERT_TRUE(weights_->read_rows(tensor, first, count, out).ok());
      EXPECT_EQ(out, counting(out.size(), static_cast<float>(first * 3)));
    }
  }
}

TEST_F(WeightSourceTest, RowsOutsideOrAWrongBufferAreRefused) {
  open_weights(test::SafetensorsWriter().add_f32("w", {5, 3}, counting(15)).finish());
  const TensorInfo& tensor = *weights_->find("w");
  std::vector<float> out(6);
  const auto code = [&](int64_t first, int64_t count) { return weights_->read_rows(tensor, first, count, out).code(); };
  EXPECT_EQ(code(0, 2), StatusCode::kOk);
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{-1, 2},
                                     {4, 2},
                                     {6, 0},
                                     {0, -1},
                                     {0, 1},
                                     {0, 3},
                                     {INT64_MAX, 2},
                                     {2, INT64_MAX},
                                     {INT64_MIN, 2}}) {
    EXPECT_EQ(code(first, count), StatusCode::kInvalidArgument) << first << " " << count;
  }
}

TEST_F(WeightSourceTest, RowsLongerThanABatch) {
  constexpr int64_t kCols = 100'003;  // 400 KiB, not a multiple of anything
  open_weights(test::SafetensorsWriter().add_f32("w", {3, kCols}, counting(3 * kCols)).finish(1));
  EXPECT_EQ(read_all(*weights_, "w"), counting(3 * kCols));
}

TEST_F(WeightSourceTest, EmptyTensorsReadNothing) {
  open_weights(test::SafetensorsWriter().add_f32("a", {0, 4}, {}).add_f32("b", {4, 0}, {}).finish());
  EXPECT_TRUE(read_all(*weights_, "a").empty());
  EXPECT_TRUE(read_all(*weights_, "b").empty());
}

TEST_F(WeightSourceTest, ATruncatedFileIsAnErrorNotASignal) {
  const std::string content = test::SafetensorsWriter().add_f32("w", {64, 256}, counting(64 * 256)).finish();
  open_weights(content);
  EXPECT_TRUE(weights_->check_unchanged().ok());
  std::filesystem::resize_file(file("model.safetensors"), content.size() / 2);
  std::vector<float> out(64 * 256);
  EXPECT_EQ(weights_->read_rows(*weights_->find("w"), 0, 64, out).code(), StatusCode::kSourceChanged);
  EXPECT_EQ(weights_->check_unchanged().code(), StatusCode::kSourceChanged);
  // Grown again: the bytes are zeros without any error, which only check_unchanged() sees.
  std::filesystem::resize_file(file("model.safetensors"), content.size());
  EXPECT_EQ(weights_->check_unchanged().code(), StatusCode::kSourceChanged);
}

TEST_F(WeightSourceTest, HintsChangeNothing) {
  open_weights(test::SafetensorsWriter().add_f32("w", {64, 256}, counting(64 * 256)).finish());
  weights_->prefetch(*weights_->find("w"));
  weights_->drop(*weights_->find("w"));
  EXPECT_EQ(read_all(*weights_, "w"), counting(64 * 256));
}

TEST_F(WeightSourceTest, ThreadsMayShareIt) {
  open_weights(test::SafetensorsWriter().add_f32("w", {64, 256}, counting(64 * 256)).finish());
  std::vector<std::thread> threads;
  std::vector<int> equal(4);
  for (size_t i = 0; i < equal.size(); ++i) {
    threads.emplace_back([&, i] { equal[i] = read_all(*weights_, "w") == counting(64 * 256); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 1));
}

TEST(MappedWeights, TablesThatDoNotFitTheirFileAreRefused) {
  const test::TempFolder folder;
  test::write_file(folder / "w", std::string(64, '\0'));
  const auto code = [&](TensorInfo tensor) {
    std::vector<FileMap> files;
    auto file = FileMap::open(folder / "w");
    EXPECT_TRUE(file.ok());
    files.push_back(std::move(*file));
    return MappedWeights::make(std::move(files), {std::move(tensor)}).status().code();
  };
  EXPECT_EQ(code({"w", StoredType::kF32, {4, 4}, 64, 0, 0}), StatusCode::kOk);
  EXPECT_EQ(code({"w", StoredType::kF32, {4, 4}, 64, 0, 1}), StatusCode::kBadCheckpoint);
  EXPECT_EQ(code({"w", StoredType::kF32, {4, 4}, 64, 0, ~0ull - 8}), StatusCode::kBadCheckpoint);
  EXPECT_EQ(code({"w", StoredType::kF32, {4, 4}, 60, 0, 0}), StatusCode::kBadCheckpoint);
  EXPECT_EQ(code({"w", StoredType::kQ4_0, {1, 16}, 9, 0, 0}), StatusCode::kBadCheckpoint);
  EXPECT_EQ(code({"w", StoredType::kF32, {4, 4}, 64, 1, 0}), StatusCode::kInternal);
}

TEST(ElementCount, RefusesOverflowOfAnyPrefix) {
  const auto count = [](std::vector<int64_t> shape) { return element_count(shape); };
  EXPECT_EQ(count({}), 1u);
  EXPECT_EQ(count({3, 0, 5}), 0u);
  EXPECT_EQ(count({INT64_MAX}), static_cast<uint64_t>(INT64_MAX));
  EXPECT_EQ(count({-1}), std::nullopt);
  EXPECT_EQ(count({-1, -1}), std::nullopt);
  EXPECT_EQ(count({int64_t{1} << 62, 2}), std::nullopt);
  EXPECT_EQ(count({int64_t{1} << 62, 2, 0}), std::nullopt);
}

}  // namespace
}  // namespace scrooge::checkpoint
