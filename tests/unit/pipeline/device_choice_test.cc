// SPDX-License-Identifier: Apache-2.0
// Which device a name means.
#include "src/pipeline/device_choice.h"

#include <gtest/gtest.h>

namespace scrooge::pipeline {
namespace {

using backend::Backend;
using backend::DeviceInfo;

// What the backends of a test list, and why none of cuda's can be made.
std::vector<DeviceInfo> g_cuda, g_vulkan;
std::string g_cuda_refuses;

Result<std::unique_ptr<backend::Device>> make_nothing(int, const backend::DeviceOptions&) {
  return std::unique_ptr<backend::Device>();
}
Result<std::unique_ptr<backend::Device>> make_cuda(int index, const backend::DeviceOptions& options) {
  if (!g_cuda_refuses.empty()) return error(StatusCode::kUnavailable, g_cuda_refuses);
  return make_nothing(index, options);
}

DeviceInfo card(const std::string& name) {
  DeviceInfo info;
  info.name = name;
  info.driver = "1.0";
  return info;
}
DeviceInfo integrated(const std::string& name) {
  DeviceInfo info = card(name);
  info.integrated = true;
  return info;
}
DeviceInfo software(const std::string& name) {
  DeviceInfo info = integrated(name);
  info.software = true;
  return info;
}
DeviceInfo broken(const std::string& name) {
  DeviceInfo info = card(name);
  info.unfit = "divides wrongly";
  return info;
}

Result<std::vector<DeviceInfo>> list_host() {
  DeviceInfo info;
  info.name = "Intel Xeon";
  info.host_memory = true;
  return std::vector<DeviceInfo>{info};
}
Result<std::vector<DeviceInfo>> list_missing() { return error(StatusCode::kUnavailable, "there is no driver"); }

class DeviceChoiceTest : public testing::Test {
 protected:
  void SetUp() override {
    g_cuda.clear();
    g_vulkan.clear();
    g_cuda_refuses.clear();
    for (const char* name : {"cpu", "cuda", "vulkan", "absent"}) backends_.emplace_back().name = name;
    backends_[0].list_devices = list_host;
    backends_[1].list_devices = []() -> Result<std::vector<DeviceInfo>> { return g_cuda; };
    backends_[2].list_devices = []() -> Result<std::vector<DeviceInfo>> { return g_vulkan; };
    backends_[3].list_devices = list_missing;
    for (Backend& one : backends_) one.create = make_nothing;
    backends_[1].create = make_cuda;
  }
  std::string choose(std::string_view name) const {
    const auto chosen = choose_device(name, backends_);
    return chosen.ok() ? chosen->id()
                       : concat(status_code_name(chosen.status().code()), ": ", chosen.status().message());
  }
  std::string reason(std::string_view name) const { return choose_device(name, backends_)->reason; }
  void expect_refused(std::string_view name, StatusCode code, std::initializer_list<const char*> words) const {
    const Status status = choose_device(name, backends_).status();
    EXPECT_EQ(status.code(), code) << status.message();
    for (const char* word : words) EXPECT_NE(status.message().find(word), std::string_view::npos) << status.message();
  }

  std::vector<Backend> backends_;
};

TEST_F(DeviceChoiceTest, AutoTakesACardBeforeAnIntegratedOneBeforeTheHost) {
  EXPECT_EQ(choose("auto"), "cpu");
  EXPECT_NE(reason("auto").find("no graphics processor"), std::string::npos);
  g_vulkan = {integrated("Iris")};
  EXPECT_EQ(choose("auto"), "vulkan");
  EXPECT_NE(reason("auto").find("integrated"), std::string::npos);
  g_vulkan.push_back(card("Radeon"));
  EXPECT_EQ(choose("auto"), "vulkan:1");
  g_cuda = {card("H200")};
  EXPECT_EQ(choose("auto"), "cuda");
}

TEST_F(DeviceChoiceTest, AutoPassesSoftwareAndUnfitDevicesOverAndSaysSo) {
  g_vulkan = {software("llvmpipe"), broken("Odd GPU")};
  EXPECT_EQ(choose("auto"), "cpu");
  EXPECT_EQ(
      reason("auto"),
      "no graphics processor to use; not vulkan (llvmpipe): computes in software; not vulkan:1 (Odd GPU): divides "
      "wrongly");
  backends_.erase(backends_.begin());
  expect_refused("auto", StatusCode::kUnavailable, {"none that fits", "llvmpipe", "divides wrongly"});
}

TEST_F(DeviceChoiceTest, AutoGoesOnToTheNextWhereTheBestCannotBeMade) {
  g_cuda = {card("NVIDIA H200")};
  g_vulkan = {integrated("Iris")};
  EXPECT_EQ(choose("auto"), "cuda");
  g_cuda_refuses = "computes wrongly";
  EXPECT_EQ(choose("auto"), "vulkan");
  EXPECT_NE(reason("auto").find("not cuda (NVIDIA H200): computes wrongly"), std::string::npos) << reason("auto");
  g_vulkan.clear();
  EXPECT_EQ(choose("auto"), "cpu");
}

TEST_F(DeviceChoiceTest, AnIdMeansThatDeviceAndNoOther) {
  g_vulkan = {software("llvmpipe"), broken("Odd GPU")};
  EXPECT_EQ(choose("cpu"), "cpu");
  EXPECT_EQ(choose("cpu:0"), "cpu");
  EXPECT_EQ(choose("vulkan"), "vulkan");  // asked for by name it may compute in software
  expect_refused("vulkan:1", StatusCode::kUnavailable, {"vulkan:1", "Odd GPU", "divides wrongly"});
  expect_refused("vulkan:2", StatusCode::kInvalidArgument, {"does not exist", "2 devices"});
  expect_refused("cpu:x", StatusCode::kInvalidArgument, {"NAME:INDEX"});
  expect_refused("cpu:-1", StatusCode::kInvalidArgument, {"NAME:INDEX"});
  expect_refused("absent", StatusCode::kUnavailable, {"absent", "there is no driver"});
  expect_refused("metal", StatusCode::kUnavailable, {"not in this build", "cpu, cuda, vulkan", "Intel Xeon"});
  expect_refused("", StatusCode::kInvalidArgument, {"no name"});
}

TEST_F(DeviceChoiceTest, PartOfANameMeansTheOneDeviceThatHasIt) {
  g_cuda = {card("NVIDIA H200"), card("NVIDIA L4")};
  g_vulkan = {card("NVIDIA H200"), card("AMD Radeon")};
  EXPECT_EQ(choose("h200"), "cuda");  // one card of two backends
  EXPECT_EQ(choose("l4"), "cuda:1");
  EXPECT_EQ(choose("radeon"), "vulkan:1");
  EXPECT_EQ(choose("XEON"), "cpu");
  EXPECT_NE(reason("l4").find("l4"), std::string::npos);
  expect_refused("nvidia", StatusCode::kInvalidArgument, {"cuda (NVIDIA H200)", "cuda:1 (NVIDIA L4)"});
  g_cuda.push_back(card("NVIDIA H200"));
  expect_refused("h200", StatusCode::kInvalidArgument, {"cuda (NVIDIA H200)", "cuda:2 (NVIDIA H200)"});
  g_cuda.push_back(broken("NVIDIA GTX"));
  g_vulkan.push_back(card("NVIDIA GTX"));
  EXPECT_EQ(choose("gtx"), "vulkan:2");  // unfit for one backend, fit for the other
  g_vulkan.push_back(broken("Odd GPU"));
  expect_refused("odd", StatusCode::kUnavailable, {"vulkan:3", "divides wrongly"});
}

}  // namespace
}  // namespace scrooge::pipeline
