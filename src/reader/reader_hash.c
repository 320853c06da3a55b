/* SPDX-License-Identifier: Apache-2.0 */
#include "src/reader/reader_internal.h"

#define XX1 UINT64_C(0x9E3779B185EBCA87)
#define XX2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define XX3 UINT64_C(0x165667B19E3779F9)
#define XX4 UINT64_C(0x85EBCA77C2B2AE63)
#define XX5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t x, unsigned by) { return (x << by) | (x >> (64 - by)); }
static uint64_t xx_round(uint64_t lane, uint64_t word) { return rotate(lane + word * XX2, 31) * XX1; }
static uint64_t xx_merge(uint64_t hash, uint64_t lane) { return (hash ^ xx_round(0, lane)) * XX1 + XX4; }

SR_LOCAL uint64_t sr_xxh64(const uint8_t* at, uint64_t size) {
  const uint8_t* const end = at + size;
  uint64_t hash = XX5;
  if (size >= 32) {
    uint64_t a = XX1 + XX2, b = XX2, c = 0, d = 0 - XX1;
    for (; end - at >= 32; at += 32) {
      a = xx_round(a, sr_load64(at));
      b = xx_round(b, sr_load64(at + 8));
      c = xx_round(c, sr_load64(at + 16));
      d = xx_round(d, sr_load64(at + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = xx_merge(xx_merge(xx_merge(xx_merge(hash, a), b), c), d);
  }
  hash += size;
  for (; end - at >= 8; at += 8) hash = rotate(hash ^ xx_round(0, sr_load64(at)), 27) * XX1 + XX4;
  for (; end - at >= 4; at += 4) hash = rotate(hash ^ sr_load32(at) * XX1, 23) * XX2 + XX3;
  for (; end != at; ++at) hash = rotate(hash ^ *at * XX5, 11) * XX1;
  hash = (hash ^ (hash >> 33)) * XX2;
  hash = (hash ^ (hash >> 29)) * XX3;
  return hash ^ (hash >> 32);
}
