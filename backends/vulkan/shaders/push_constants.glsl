// SPDX-License-Identifier: Apache-2.0
// The push constants p of a product's shader. lavapipe reads them lane by lane inside loops, but at once outside: there
// they are copied where main() begins.
#ifdef SCROOGE_WIDE
#define PUSH_CONSTANTS(type)                                    \
  layout(push_constant, std430) uniform Push { type pushed; };  \
  type p;
#define TAKE_PUSH_CONSTANTS p = pushed;
#else
#define PUSH_CONSTANTS(type) layout(push_constant, std430) uniform Push { type p; };
#define TAKE_PUSH_CONSTANTS
#endif
