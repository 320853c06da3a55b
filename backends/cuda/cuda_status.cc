// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/cuda_status.h"

#include <algorithm>
#include <iterator>

namespace scrooge::backend::cuda {
namespace {

struct Meaning {
  StatusCode code;
  std::string_view remedy;
};

Meaning meaning_of(CuResult result) {
  switch (result) {
    case kCuOutOfMemory: return {StatusCode::kOutOfMemory, "lower --device-memory, or end what else uses the card"};
    case kCuNoDevice:
    case kCuInvalidDevice: return {StatusCode::kUnavailable, "no such card is visible (see CUDA_VISIBLE_DEVICES)"};
    case kCuDeviceUnavailable: return {StatusCode::kUnavailable, "another process has the card to itself"};
    case kCuSystemNotReady:
    case kCuSystemDriverMismatch:
    case kCuCompatNotSupportedOnDevice:
    case kCuNotInitialized:
      return {StatusCode::kUnavailable, "the driver and the system do not work together; reinstall the driver"};
    case kCuNoBinaryForGpu:
    case kCuUnsupportedPtxVersion:
    case 200:  // CUDA_ERROR_INVALID_IMAGE: how a driver that is too old answers to a newer toolkit's kernels
    case 218:  // CUDA_ERROR_INVALID_PTX
    case 221:  // CUDA_ERROR_JIT_COMPILER_NOT_FOUND
    case 34:   // CUDA_ERROR_STUB_LIBRARY
    case 36:   // CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER
      return {StatusCode::kUnavailable,
              "this build has no kernels for this card or driver; install a newer driver (580 or later for CUDA 13)"};
    case kCuDeinitialized: return {StatusCode::kUnavailable, "the process is ending"};
    case kCuLaunchOutOfResources: return {StatusCode::kUnsupported, "the card is too small for this kernel"};
    default: break;
  }
  if (is_sticky(result)) return {StatusCode::kUnavailable, "the device is lost; run the job again to resume it"};
  return {StatusCode::kInternal, "please report this"};
}

}  // namespace

bool is_sticky(CuResult result) {
  constexpr CuResult kOthers[] = {kCuEccUncorrectable, 220, 226, kCuUnknown};  // 220: NVLink, 226: contained ECC
  if (result >= kCuIllegalAddress && result <= kCuLaunchFailed && result != kCuLaunchOutOfResources && result != 704 &&
      result != 705 && result != 708 && result != 711 && result != 712 && result != 713) {
    return true;  // those left out are answers to a call: peer access, context states, host registrations
  }
  return std::find(std::begin(kOthers), std::end(kOthers), result) != std::end(kOthers);
}

Status check(const DriverApi& api, CuResult result, std::string_view call) {
  if (result == kCuSuccess) return {};
  const char* name = nullptr;
  const char* text = nullptr;
  if (api.error_name == nullptr || api.error_name(result, &name) != kCuSuccess || name == nullptr) name = "an error";
  if (api.error_string == nullptr || api.error_string(result, &text) != kCuSuccess || text == nullptr) text = "unknown";
  const Meaning meaning = meaning_of(result);
  return error(meaning.code, "cuda: ", call, " gave ", name, " (", result, ", ", text, "); ", meaning.remedy);
}

}  // namespace scrooge::backend::cuda
