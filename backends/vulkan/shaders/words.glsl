// SPDX-License-Identifier: Apache-2.0
// Elements of 1, 2 or 4 bytes in buffers of words, for devices without 8- or 16-bit storage. Little-endian, as all of
// Vulkan's hosts are.

// Element i of `size` bytes.
#define LOAD_ELEMENT(words, size, i) \
  ((size) == 4 ? words[i] : (size) == 2 ? (words[(i) >> 1] >> (((i) & 1u) * 16u)) & 0xffffu \
                                        : (words[(i) >> 2] >> (((i) & 3u) * 8u)) & 0xffu)

// The bits of `word` that `mask` covers become those of `bits`. Atomic unless it is the whole word: the rest of a
// word at the end of a row belongs to the next row, or to somebody else.
#define STORE_MASKED(words, i, bits, mask) \
  if ((mask) == 0xffffffffu) {             \
    words[i] = (bits);                     \
  } else {                                 \
    atomicAnd(words[i], ~(mask));          \
    atomicOr(words[i], (bits) & (mask));   \
  }
