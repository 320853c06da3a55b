// SPDX-License-Identifier: Apache-2.0
// model.safetensors.index.json: names that lead out of the folder, what stands where a shard should, and lies about
// which shard holds what.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "src/checkpoint/checkpoint.h"
#include "tests/hostile/hostile_case.h"
#include "tests/support/safetensors_writer.h"

namespace scrooge::hostile {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kShard = "w.safetensors";
constexpr StatusCode kBad = StatusCode::kBadCheckpoint;

std::string shard_with(std::string_view tensor) {
  return test::SafetensorsWriter().add_f32(tensor, {2}, std::vector<float>{1, 2}).finish();
}

Case text(std::string name, std::string content, std::string mention = "", StatusCode code = kBad) {
  return file_case(std::move(name), kIndex, std::move(content), code, std::move(mention));
}

// The index names this file for "w"; a shard lies beside it, outside and in a folder inside.
Case shard_name(std::string name, const std::string& shard, StatusCode code = kBad,
                std::string mention = "plain file name") {
  return {std::move(name),
          [shard](const Place& place) {
            fs::create_directory(place.path("sub"));
            place.write("sub/w.safetensors", shard_with("w"));
            place.write("../w.safetensors", shard_with("w"));
            place.write(kIndex, test::shard_index({{"w", shard}}));
          },
          code, std::move(mention)};
}

// What the index names is there, but is not the file it seems.
Case instead(std::string name, std::function<void(const Place&, const std::string& path)> make, std::string mention,
             StatusCode code = kBad) {
  return {std::move(name),
          [make = std::move(make)](const Place& place) {
            fs::remove(place.path(kShard));
            place.write("../outside.safetensors", shard_with("w"));
            make(place, place.path(kShard));
          },
          code, std::move(mention)};
}

std::vector<Case> names() {
  std::vector<Case> cases;
  const std::pair<const char*, const char*> kNames[] = {{"empty name", ""},
                                                        {"dot", "."},
                                                        {"dot dot", ".."},
                                                        {"absolute path", "/etc/passwd"},
                                                        {"absolute device", "/dev/zero"},
                                                        {"parent", "../w.safetensors"},
                                                        {"down and up", "sub/../../w.safetensors"},
                                                        {"down and up inside", "sub/../w.safetensors"},
                                                        {"subfolder", "sub/w.safetensors"},
                                                        {"dot slash", "./w.safetensors"},
                                                        {"trailing slash", "w.safetensors/"},
                                                        {"backslash", "sub\\w.safetensors"},
                                                        {"backslash parent", "..\\w.safetensors"},
                                                        {"double slash", "//w.safetensors"}};
  for (const auto& [name, shard] : kNames) cases.push_back(shard_name(name, shard));
  cases.push_back(shard_name("NUL inside", std::string("w.safetensors\0.txt", 18)));
  cases.push_back(shard_name("name of 300 bytes", std::string(300, 'n'), StatusCode::kIoError, "open"));
  cases.push_back(shard_name("other letter case", "W.safetensors", StatusCode::kMissingShard, "W.safetensors"));
  cases.push_back(shard_name("missing shard", "absent.safetensors", StatusCode::kMissingShard, "absent.safetensors"));
  cases.push_back(shard_name("percent escape", "..%2fw.safetensors", StatusCode::kMissingShard, "%2f"));
  return cases;
}

std::vector<Case> things() {
  const auto link_to = [](const std::string& target) {
    return [target](const Place&, const std::string& path) { fs::create_symlink(target, path); };
  };
  std::vector<Case> cases;
  cases.push_back(instead("link to a parent's file", link_to("../outside.safetensors"), "leads out"));
  cases.push_back(instead("link to /etc/passwd", link_to("/etc/passwd"), "leads out"));
  cases.push_back(instead("link to /dev/zero", link_to("/dev/zero"), "leads out"));
  cases.push_back(instead("link to itself", link_to("w.safetensors"), "circle"));
  cases.push_back(instead(
      "links in a circle",
      [](const Place& place, const std::string& path) {
        fs::create_symlink("b", path);
        fs::create_symlink("w.safetensors", place.path("b"));
      },
      "circle"));
  cases.push_back(instead("dangling link", link_to("gone.safetensors"), "w.safetensors", StatusCode::kMissingShard));
  cases.push_back(instead(
      "link through a linked folder",
      [](const Place& place, const std::string& path) {
        fs::create_directory_symlink("..", place.path("inner"));
        fs::create_symlink("inner/outside.safetensors", path);
      },
      "leads out"));
  cases.push_back(instead(
      "chain of links out",
      [](const Place& place, const std::string& path) {
        fs::create_symlink("../outside.safetensors", place.path("first"));
        fs::create_symlink("first", path);
      },
      "leads out"));
  cases.push_back(instead("link to the folder", link_to("."), "leads out"));
  cases.push_back(instead(
      "link to a folder inside",
      [](const Place& place, const std::string& path) {
        fs::create_directory(place.path("sub"));
        fs::create_symlink("sub", path);
      },
      "regular"));
  cases.push_back(instead(
      "folder", [](const Place&, const std::string& path) { fs::create_directory(path); }, "regular"));
  cases.push_back(instead(
      "pipe", [](const Place&, const std::string& path) { (void)::mkfifo(path.c_str(), 0600); }, "regular"));
  cases.push_back(instead(
      "socket",
      [](const Place&, const std::string& path) {
        const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        (void)::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::close(descriptor);
      },
      "regular"));
  cases.push_back(instead(
      "empty file", [](const Place& place, const std::string&) { place.write(kShard, ""); }, "too few"));
  cases.push_back(instead(
      "the index itself",
      [](const Place& place, const std::string& path) { fs::create_hard_link(place.path(kIndex), path); },
      "header length"));
  return cases;
}

std::vector<Case> lies() {
  const auto with = [](std::string name, std::vector<std::pair<std::string, std::string>> files,
                       std::vector<std::pair<std::string, std::string>> entries, StatusCode code,
                       std::string mention) -> Case {
    return {std::move(name),
            [files = std::move(files), entries = std::move(entries)](const Place& place) {
              for (const auto& [file, tensor] : files) place.write(file, shard_with(tensor));
              place.write(kIndex, test::shard_index(entries));
            },
            code, std::move(mention)};
  };
  std::vector<Case> cases;
  cases.push_back(with("tensor in no shard", {{"w.safetensors", "w"}}, {{"w", "w.safetensors"}, {"v", "w.safetensors"}},
                       StatusCode::kMissingTensor, "v"));
  cases.push_back(with("tensors swapped between shards", {{"w.safetensors", "w"}, {"v.safetensors", "v"}},
                       {{"w", "v.safetensors"}, {"v", "w.safetensors"}}, StatusCode::kMissingTensor,
                       "where the index"));
  cases.push_back(with("a tensor in two shards", {{"w.safetensors", "w"}, {"v.safetensors", "w"}},
                       {{"w", "w.safetensors"}, {"v", "v.safetensors"}}, kBad, "is also in"));
  // The same file under two names: hard links are not told apart from copies, but the tensor is there twice.
  cases.push_back({"a shard twice by hard link",
                   [](const Place& place) {
                     fs::create_hard_link(place.path(kShard), place.path("v.safetensors"));
                     place.write(kIndex, test::shard_index({{"w", "w.safetensors"}, {"v", "v.safetensors"}}));
                   },
                   kBad, "is also in"});
  cases.push_back(with("second shard missing", {{"w.safetensors", "w"}},
                       {{"w", "w.safetensors"}, {"v", "v.safetensors"}}, StatusCode::kMissingShard, "v.safetensors"));
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 10'001; ++i) many.emplace_back(concat("t", i), concat("s", i));
  cases.push_back(text("10 001 shards", test::shard_index(many), "10001 shards"));
  for (auto& entry : many) entry.second = "w.safetensors";
  cases.push_back(text("10 001 tensors that are not there", test::shard_index(many), "", StatusCode::kMissingTensor));
  return cases;
}

std::vector<Case> texts() {
  return {
      text("empty", "", "JSON"),
      text("array", "[]", "weight_map"),
      text("no weight_map", R"({"metadata":{}})", "weight_map"),
      text("weight_map is null", R"({"weight_map":null})", "weight_map"),
      text("weight_map is an array", R"({"weight_map":[]})", "weight_map"),
      text("weight_map is text", R"({"weight_map":"w.safetensors"})", "weight_map"),
      text("shard is a number", R"({"weight_map":{"w":1}})", "weight_map.w"),
      text("shard is null", R"({"weight_map":{"w":null}})", "weight_map.w"),
      text("shard is an array", R"({"weight_map":{"w":["w.safetensors"]}})", "weight_map.w"),
      text("tensor twice", R"({"weight_map":{"w":"w.safetensors","w":"w.safetensors"}})", "twice"),
      text("tensor twice by escape", R"({"weight_map":{"w":"w.safetensors","\u0077":"w.safetensors"}})", "twice"),
      text("truncated", R"({"weight_map":{"w":"w.safe)", "JSON"),
      text("trailing garbage", R"({"weight_map":{"w":"w.safetensors"}} x)", "JSON"),
      text("not UTF-8", "{\"weight_map\":{\"w\":\"\xff\"}}", "JSON"),
      text("nesting of 17", concat(R"({"weight_map":)", std::string(17, '['), std::string(17, ']'), "}"), "JSON"),
      text("million brackets", std::string(1'000'000, '['), "JSON"),
  };
}

}  // namespace

Format shard_index_format() {
  return {"index", "safetensors",
          [](const Place& place) {
            place.write("config.json", "{}");
            place.write(kShard, shard_with("w"));
            place.write(kIndex, test::shard_index({{"w", "w.safetensors"}}));
          },
          [](const std::string& folder) { return checkpoint::open_checkpoint(folder).status(); },
          [] {
            std::vector<Case> cases;
            for (auto part : {names(), things(), lies(), texts()}) {
              std::move(part.begin(), part.end(), std::back_inserter(cases));
            }
            return cases;
          }};
}

}  // namespace scrooge::hostile
