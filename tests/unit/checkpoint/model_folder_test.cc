// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "tests/unit/checkpoint/checkpoint_fixture.h"

namespace scrooge::checkpoint {
namespace {

class ModelFolderOpen : public ModelFolderTest {};

TEST_F(ModelFolderOpen, SingleFileWithTexts) {
  write("config.json", "{\"model_type\":\"llama\"}");
  write("tokenizer.json", "{\"version\":\"1.0\"}");
  write("model.safetensors", shard("w", 3));
  const auto opened = open();
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->config_json, "{\"model_type\":\"llama\"}");
  EXPECT_EQ(opened->tokenizer_json, "{\"version\":\"1.0\"}");
  EXPECT_EQ(opened->tokenizer_config_json, "");
  EXPECT_EQ(opened->gguf, nullptr);
  EXPECT_TRUE(opened->warnings.empty());
  ASSERT_EQ(opened->text_files.size(), 2u);
  EXPECT_EQ(opened->text_files[1].path, file("tokenizer.json"));
  EXPECT_EQ(read_all(*opened->weights, "w"), counting(4, 3));
  ASSERT_EQ(opened->weights->files().size(), 1u);
  EXPECT_EQ(opened->weights->files()[0].path(), file("model.safetensors"));
}

TEST_F(ModelFolderOpen, TrailingSlashAndAnyOtherSingleName) {
  write("weights.safetensors", shard("w"));
  EXPECT_TRUE(open_checkpoint(root_ + "/").ok());
}

TEST_F(ModelFolderOpen, MisalignedDataOfEveryPlainType) {
  const std::string halves = test::ByteWriter().put(uint16_t{0x3c00}).put(uint16_t{0xc000}).bytes();
  const std::string brains = test::ByteWriter().put(uint16_t{0x3f80}).put(uint16_t{0xc000}).bytes();
  for (size_t padding = 0; padding < 8; ++padding) {
    write("model.safetensors", test::SafetensorsWriter()
                                   .add("byte", "U8", std::vector<int64_t>{1}, "x")
                                   .add("f16", "F16", std::vector<int64_t>{2}, halves)
                                   .add("bf16", "BF16", std::vector<int64_t>{1, 2}, brains)
                                   .add_f32("f32", {2, 1}, std::vector<float>{0.5f, -1})
                                   .finish(padding));
    const auto opened = open();
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_EQ(read_all(*opened->weights, "f16"), (std::vector<float>{1, -2}));
    EXPECT_EQ(read_all(*opened->weights, "bf16"), (std::vector<float>{1, -2}));
    EXPECT_EQ(read_all(*opened->weights, "f32"), (std::vector<float>{0.5f, -1}));
    ASSERT_EQ(opened->warnings.size(), 1u);
    EXPECT_NE(opened->warnings[0].find("byte"), std::string::npos);
  }
}

TEST_F(ModelFolderOpen, ShardsThroughTheIndex) {
  write("model-1.safetensors", shard("z", 1));
  write("model-2.safetensors", test::SafetensorsWriter()
                                   .add_f32("a", {2, 2}, counting(4, 10))
                                   .add_f32("unlisted", {1}, counting(1))
                                   .add("rotary.positions", "I64", std::vector<int64_t>{1}, std::string(8, '\0'))
                                   .finish());
  write("model.safetensors.index.json",
        test::shard_index(
            {{"z", "model-1.safetensors"}, {"a", "model-2.safetensors"}, {"rotary.positions", "model-2.safetensors"}}));
  const auto opened = open();
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  ASSERT_EQ(opened->weights->tensors().size(), 3u);
  EXPECT_EQ(opened->weights->tensors()[0].name, "a");
  EXPECT_EQ(opened->weights->tensors()[2].name, "z");
  EXPECT_EQ(opened->weights->find("b"), nullptr);
  EXPECT_EQ(read_all(*opened->weights, "a"), counting(4, 10));
  EXPECT_EQ(read_all(*opened->weights, "z"), counting(4, 1));
}

TEST_F(ModelFolderOpen, MissingPieces) {
  EXPECT_EQ(open_checkpoint(file("nowhere")).status().code(), StatusCode::kNotFound);
  expect_error(StatusCode::kNotFound, {root_, "no safetensors file"});
  write("pytorch_model.bin", "x");
  expect_error(StatusCode::kNotFound, {"convert the checkpoint to safetensors"});
  write("a.safetensors", shard("a"));
  write("b.safetensors", shard("b"));
  expect_error(StatusCode::kNotFound, {"model.safetensors.index.json"});
  std::filesystem::remove(file("config.json"));
  expect_error(StatusCode::kNotFound, {"has no config.json; give a model folder or a .gguf file"});
}

TEST_F(ModelFolderOpen, AFileThatIsNoModel) {
  write("model.safetensors", shard("w"));
  EXPECT_EQ(open_checkpoint(file("model.safetensors")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(open_checkpoint(file("config.json")).status().code(), StatusCode::kBadCheckpoint);
  EXPECT_EQ(open_checkpoint("/dev/null").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelFolderOpen, MissingShardAndMissingTensorNameTheIndex) {
  write("1.safetensors", shard("w"));
  write("model.safetensors.index.json", test::shard_index({{"w", "1.safetensors"}, {"v", "2.safetensors"}}));
  expect_error(StatusCode::kMissingShard, {"model.safetensors.index.json", "2.safetensors"});
  write("2.safetensors", shard("other"));
  expect_error(StatusCode::kMissingTensor, {"model.safetensors.index.json", "tensor v", "2.safetensors"});
  write("2.safetensors", shard("w"));
  expect_error(StatusCode::kBadCheckpoint, {"tensor w", "1.safetensors", "2.safetensors"});
  // In another shard than the index says.
  write("2.safetensors", shard("v"));
  write("model.safetensors.index.json", test::shard_index({{"w", "2.safetensors"}, {"v", "1.safetensors"}}));
  expect_error(StatusCode::kMissingTensor, {"model.safetensors.index.json"});
}

TEST_F(ModelFolderOpen, ShardNamesThatLeaveTheFolderAreRefused) {
  write("w.safetensors", shard("w"));
  std::filesystem::create_directory(file("sub"));
  write("sub/w.safetensors", shard("w"));
  for (const std::string name : {"", ".", "..", "../w.safetensors", "/etc/passwd", "a/../../b", "sub/w.safetensors",
                                 "./w.safetensors", "sub\\w.safetensors", "w.safetensors/"}) {
    write("model.safetensors.index.json", test::shard_index({{"w", name}}));
    expect_error(StatusCode::kBadCheckpoint, {"model.safetensors.index.json", "plain file name"});
  }
  write("model.safetensors.index.json", test::shard_index({{"w", std::string("w.safetensors\0.x", 16)}}));
  expect_error(StatusCode::kBadCheckpoint, {"plain file name"});
}

TEST_F(ModelFolderOpen, DamagedIndexes) {
  for (const std::string text :
       {"", "[]", "{}", "{\"weight_map\":[]}", "{\"weight_map\":null}", "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":null}}", "{\"weight_map\":{\"a\":\"w\",\"a\":\"w\"}}", "{\"weight_map\":", "\xff",
        "{\"weight_map\":{\"a\":\"w\",\"\\u0061\":\"v\"}}"}) {
    write("model.safetensors.index.json", text);
    expect_error(StatusCode::kBadCheckpoint, {"model.safetensors.index.json"});
  }
}

TEST_F(ModelFolderOpen, ShardsThatAreNotRegularFiles) {
  write("model.safetensors.index.json", test::shard_index({{"w", "w.safetensors"}}));
  std::filesystem::create_directory(file("w.safetensors"));
  expect_error(StatusCode::kBadCheckpoint, {"w.safetensors", "not a regular file"});
  std::filesystem::remove(file("w.safetensors"));
  ASSERT_EQ(::mkfifo(file("w.safetensors").c_str(), 0600), 0);
  expect_error(StatusCode::kBadCheckpoint, {"w.safetensors", "not a regular file"});
}

TEST_F(ModelFolderOpen, LinksOutOfTheFolderAreRefused) {
  const test::TempFolder outside;
  test::write_file(outside / "w.safetensors", shard("w"));
  for (const std::string& target : {outside / "w.safetensors", std::string("/dev/zero"), std::string("/etc/passwd")}) {
    link(target, "model.safetensors");
    expect_error(StatusCode::kBadCheckpoint, {"model.safetensors", "leads out of the model folder"});
    std::filesystem::remove(file("model.safetensors"));
  }
  // Through a linked folder inside.
  link(outside.path(), "inner");
  link("inner/w.safetensors", "model.safetensors");
  expect_error(StatusCode::kBadCheckpoint, {"leads out"});
}

TEST_F(ModelFolderOpen, CircularAndDanglingLinks) {
  link("model.safetensors", "model.safetensors");
  expect_error(StatusCode::kBadCheckpoint, {"circle"});
  std::filesystem::remove(file("model.safetensors"));
  link("gone", "model.safetensors");
  expect_error(StatusCode::kNotFound, {"model.safetensors"});
  write("gone", shard("w"));
  EXPECT_TRUE(open().ok());
  link("gone2", "tokenizer.json");
  expect_error(StatusCode::kNotFound, {"tokenizer.json"});
}

TEST_F(ModelFolderOpen, AFolderThatIsItselfALinkIsFine) {
  write("model.safetensors", shard("w"));
  const test::TempFolder outside;
  std::filesystem::create_directory_symlink(root_, outside / "model");
  EXPECT_TRUE(open_checkpoint(outside / "model").ok());
}

class HubCache : public ModelFolderTest {
 protected:
  HubCache() {
    std::filesystem::create_directories(file("blobs"));
    std::filesystem::create_directories(file("snapshots/rev"));
    write("blobs/aaa", "{}");
    write("blobs/bbb", shard("w", 2));
    write("secret", shard("w", 2));
    link("../../blobs/aaa", "snapshots/rev/config.json");
  }
  Result<Checkpoint> open_snapshot() const { return open_checkpoint(file("snapshots/rev")); }
};

TEST_F(HubCache, LinksIntoBlobsAreFollowed) {
  link("../../blobs/bbb", "snapshots/rev/model.safetensors");
  const auto opened = open_snapshot();
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->config_json, "{}");
  EXPECT_EQ(read_all(*opened->weights, "w"), counting(4, 2));
}

TEST_F(HubCache, LinksElsewhereAreRefused) {
  link("../../secret", "snapshots/rev/model.safetensors");
  EXPECT_EQ(open_snapshot().status().code(), StatusCode::kBadCheckpoint);
}

TEST_F(HubCache, ABlobThatIsALinkOutIsRefused) {
  link("../secret", "blobs/ccc");
  link("../../blobs/ccc", "snapshots/rev/model.safetensors");
  EXPECT_EQ(open_snapshot().status().code(), StatusCode::kBadCheckpoint);
}

TEST_F(HubCache, ABlobsFolderThatIsALinkIsRefused) {
  std::filesystem::remove_all(file("blobs"));
  std::filesystem::create_directory(file("elsewhere"));
  write("elsewhere/aaa", "{}");
  link("elsewhere", "blobs");
  EXPECT_EQ(open_snapshot().status().code(), StatusCode::kBadCheckpoint);
}

TEST_F(HubCache, OnlySnapshotsHaveBlobs) {
  std::filesystem::create_directories(file("other/rev"));
  link("../../blobs/aaa", "other/rev/config.json");
  EXPECT_EQ(open_checkpoint(file("other/rev")).status().code(), StatusCode::kBadCheckpoint);
}

}  // namespace
}  // namespace scrooge::checkpoint
