// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/self_test.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "backends/vulkan/commands.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(self_test)

namespace {

constexpr uint32_t kCases = 2048;
constexpr uint32_t kMark = 0x5c;
constexpr uint32_t kGroup = 64;

struct Case {
  float a, b, minus_product;
  uint32_t padding;
};

struct Found {
  uint32_t sum, nothing, product, quotient;
  uint32_t rounded, product_error, sum_error, gathered;
};

enum class Kind : uint32_t { kAny = 0, kSumTie = 1, kQuotientTie = 2, kTinyProduct = 3 };
Kind kind_of(uint32_t i) { return static_cast<Kind>(i % 4); }

class Numbers {
 public:
  // With a random sign and significand; the exponent in [low, high].
  float next(int low, int high) {
    const auto significand = static_cast<float>(0x800000u | (word() & 0x7fffffu));
    const int exponent = low + static_cast<int>(word() % static_cast<uint32_t>(high - low + 1));
    return std::ldexp(word() & 1u ? significand : -significand, exponent - 23);
  }

 private:
  uint32_t word() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  uint64_t state_ = 1;
};

Case make_case(uint32_t i, Numbers& numbers) {
  Case one{numbers.next(-30, 30), numbers.next(-30, 30), 0, 0};
  if (kind_of(i) == Kind::kSumTie) one.b = std::ldexp(1.0f, std::ilogb(one.a) - 24);
  if (kind_of(i) == Kind::kQuotientTie) one.a = (static_cast<float>(i / 4 % 255) + 0.5f) * one.b;
  if (kind_of(i) == Kind::kTinyProduct) {
    one.a = numbers.next(-145, -100);
    one.b = numbers.next(-40, 30);
  }
  one.minus_product = -(one.a * one.b);
  return one;
}

// Empty, or what is wrong. As the host computes it: IEEE, to nearest even, nothing contracted.
std::string fault_of(uint32_t i, const Case& given, const Found& found) {
  const float a = given.a, b = given.b, product = a * b;
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  if (found.product != bits(product)) return "products of 32-bit floats come out wrong";
  if (kind_of(i) == Kind::kTinyProduct) return {};
  const float sum = a + b;
  if (found.sum != bits(sum)) return "sums of 32-bit floats are not rounded to nearest even";
  if ((found.nothing & 0x7fffffffu) != 0) return "a product and a sum are contracted where that is forbidden";
  if (found.quotient != bits(a / b)) return "quotients of 32-bit floats come out wrong";
  const float rounded = std::nearbyint(a / b);
  if (std::fabs(rounded) <= 1024 && std::bit_cast<float>(found.rounded) != rounded) return "rounding is wrong at ties";
  const double exact = static_cast<double>(a) * b;
  if (std::bit_cast<float>(found.product_error) != exact - static_cast<double>(product)) {
    return "the error of a product comes out wrong";
  }
  const double exact_sum = static_cast<double>(a) + b;
  if (std::abs(std::ilogb(a) - std::ilogb(b)) < 28 &&
      std::bit_cast<float>(found.sum_error) != exact_sum - static_cast<double>(sum)) {
    return "the error of a sum comes out wrong";
  }
  return {};
}

uint32_t gathered_by(uint32_t group) {
  uint32_t sum = 0;
  for (uint32_t i = group * kGroup; i < (group + 1) * kGroup; ++i) sum += i ^ kMark;
  return sum;
}

std::string check(std::span<const Case> cases, const Found* found, const std::byte* bytes) {
  for (uint32_t i = 0; i < kCases; ++i) {
    if (std::string fault = fault_of(i, cases[i], found[i]); !fault.empty()) return fault;
    if (found[i].gathered != gathered_by(i / kGroup)) return "a workgroup does not agree on its shared memory";
    if (bytes[i] != static_cast<std::byte>(i * 37)) return "atomic writes of parts of a word are lost";
  }
  return {};
}

Result<std::string> run_test(Context& context) {
  MemoryBudget budget;  // before what counts in it
  Commands commands(context, budget, nullptr);
  SCROOGE_RETURN_IF_ERROR(commands.init());
  SCROOGE_ASSIGN_OR_RETURN(const HostRange input, commands.host_range(kCases * sizeof(Case)));
  SCROOGE_ASSIGN_OR_RETURN(const HostRange output, commands.host_range(kCases * sizeof(Found)));
  SCROOGE_ASSIGN_OR_RETURN(const HostRange bytes, commands.host_range(kCases));
  std::vector<Case> cases;
  Numbers numbers;
  for (uint32_t i = 0; i < kCases; ++i) cases.push_back(make_case(i, numbers));
  std::memcpy(input.data(), cases.data(), kCases * sizeof(Case));
  std::memset(output.data(), 0, output.bytes);
  std::memset(bytes.data(), 0, bytes.bytes);
  SCROOGE_ASSIGN_OR_RETURN(Kernel* const kernel, context.kernels().get(shaders::self_test, {{kMark}}));
  // As if it were much work, so that it is cut in pieces, which is tested as well.
  const double work = 0.1 * kernel->speed;
  const Binding bindings[] = {input.binding(), output.binding(), bytes.binding()};
  SCROOGE_RETURN_IF_ERROR(commands.dispatch(*kernel, bindings, {}, {kCases / kGroup}, work));
  SCROOGE_RETURN_IF_ERROR(commands.finish());
  return check(cases, reinterpret_cast<const Found*>(output.data()), bytes.data());
}

// By driver, and device: what was found, empty for nothing.
struct Verdicts {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, std::string> faults;
};

Verdicts& verdicts() {
  static Verdicts all;
  return all;
}

std::pair<std::string, std::string> key_of(const PhysicalDevice& device) {
  return {concat(device.driver, device.driver_version), concat(device.name, device.vendor, device.device)};
}

}  // namespace

std::string known_fault(const PhysicalDevice& device) {
  Verdicts& all = verdicts();
  const std::lock_guard lock(all.mutex);
  const auto at = all.faults.find(key_of(device));
  return at == all.faults.end() ? std::string() : at->second;
}

Status self_test(Context& context) {
  Verdicts& all = verdicts();
  const std::lock_guard lock(all.mutex);
  const PhysicalDevice& device = context.physical();
  auto at = all.faults.find(key_of(device));
  if (at == all.faults.end()) {
    SCROOGE_ASSIGN_OR_RETURN(std::string fault, run_test(context));
    at = all.faults.emplace(key_of(device), std::move(fault)).first;
  }
  if (at->second.empty()) return {};
  return error(StatusCode::kUnavailable, "vulkan: ", device.name, " with ", device.driver,
               " failed its self-test: ", at->second, "; use another driver or device");
}

}  // namespace scrooge::backend::vulkan
