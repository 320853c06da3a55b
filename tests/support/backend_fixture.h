// SPDX-License-Identifier: Apache-2.0
// The frame of the conformance suite: each op is run on the reference backend and on the tested one. Suites are
// parameterized by backend name and shape; a backend joins by standing in the list of src/backend/backend_list.cc.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "src/backend/backend_list.h"
#include "tests/support/guarded_matrix.h"
#include "tests/support/seeded_values.h"
#include "tests/support/tolerance.h"

namespace scrooge::test {

using backend::Device;

// Every backend of this build but the oracle.
inline std::vector<std::string> backends_under_test() {
  std::vector<std::string> names;
  for (const backend::Backend& candidate : backend::all_backends()) {
    if (candidate.name != "reference") names.emplace_back(candidate.name);
  }
  return names;
}

// What one run of an op produced: matrices in the order the test reads them, and numbers written to host memory.
struct Outputs {
  std::vector<std::vector<float>> matrices;
  std::vector<double> numbers;
};

struct Comparison {
  Outputs expected;
  Outputs actual;
};

inline void expect_ok(const Status& status) {
  EXPECT_TRUE(status.ok()) << status_code_name(status.code()) << ": " << status.message();
}

// Keeps a device of each backend that was used open until all tests are over: what a driver makes once for all devices
// of a process, compiled kernels above all, is then made once, not for every case.
class OpenDevices : public testing::Environment {
 public:
  static void keep(const std::string& name) {
    static auto* const all = static_cast<OpenDevices*>(testing::AddGlobalTestEnvironment(new OpenDevices));
    for (const auto& [known, device] : all->devices_) {
      if (known == name) return;
    }
    auto device = backend::create_device(name, {1, &all->budget_});
    if (device.ok()) all->devices_.emplace_back(name, std::move(*device));
  }
  void TearDown() override { devices_.clear(); }

 private:
  MemoryBudget budget_;
  std::vector<std::pair<std::string, std::unique_ptr<Device>>> devices_;
};

// Shape is a struct with a name() of letters, digits and underscores.
template <typename Shape>
class ConformanceTest : public testing::TestWithParam<std::tuple<std::string, Shape>> {
 protected:
  void SetUp() override {
    const std::string& name = std::get<0>(this->GetParam());
    OpenDevices::keep(name);
    for (const int threads : {2, 1, 3}) {
      Result<std::unique_ptr<Device>> device = backend::create_device(name, {threads, &budget_});
      if (!device.ok() && device.status().code() == StatusCode::kUnavailable) {
        GTEST_SKIP() << name << " is unavailable: " << device.status().message();
      }
      ASSERT_TRUE(device.ok()) << device.status().message();
      tested_.push_back(std::move(*device));
    }
    Result<std::unique_ptr<Device>> reference = backend::create_device("reference", {1, &budget_});
    ASSERT_TRUE(reference.ok()) << reference.status().message();
    reference_ = std::move(*reference);
  }

  const Shape& shape() const { return std::get<1>(this->GetParam()); }
  Device& tested() { return *tested_.front(); }
  Device& reference() { return *reference_; }

  // run(Device&) -> Outputs, the same inputs each time. Outputs must not depend on the number of threads, to the bit.
  template <typename Run>
  Comparison compare(const Run& run) {
    Comparison result{run(*reference_), run(*tested_[0])};
    for (size_t i = 1; i < tested_.size(); ++i) {
      const Outputs other = run(*tested_[i]);
      EXPECT_TRUE(same_bytes(result.actual.numbers, other.numbers)) << "numbers differ between thread counts";
      EXPECT_EQ(result.actual.matrices.size(), other.matrices.size());
      for (size_t m = 0; m < std::min(result.actual.matrices.size(), other.matrices.size()); ++m) {
        EXPECT_TRUE(same_bytes(result.actual.matrices[m], other.matrices[m]))
            << "output " << m << " differs between 2 and " << (i == 1 ? 1 : 3) << " threads";
      }
    }
    return result;
  }

 private:
  MemoryBudget budget_;                          // outlives the devices
  std::vector<std::unique_ptr<Device>> tested_;  // 2, 1 and 3 threads
  std::unique_ptr<Device> reference_;
};

// Test names hold letters, digits and underscores: "cpu-eigen" becomes "cpu_eigen".
inline std::string test_name(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return text;
}

template <typename Shape>
std::string case_name(const testing::TestParamInfo<std::tuple<std::string, Shape>>& info) {
  return test_name(std::get<0>(info.param) + "_" + std::get<1>(info.param).name());
}

// Runs a suite on every backend with the given shapes.
#define SCROOGE_CONFORMANCE(Suite, Shape, ...)                                                         \
  INSTANTIATE_TEST_SUITE_P(Backends, Suite,                                                            \
                           testing::Combine(testing::ValuesIn(::scrooge::test::backends_under_test()), \
                                            testing::ValuesIn(std::vector<Shape>{__VA_ARGS__})),       \
                           ::scrooge::test::case_name<Shape>)

// Plain and strided views, the latter with a byte offset that is not a multiple of a vector register.
inline constexpr Layout kLayouts[] = {kPacked, kStrided};

}  // namespace scrooge::test
