// SPDX-License-Identifier: Apache-2.0
// The one place where volk's functions are made: it loads the Vulkan loader at run time, so that nothing links it.
#define VOLK_IMPLEMENTATION
#include <volk.h>
