/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers out of planes, in every layout. */
#include "src/reader/reader_internal.h"

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float from_f16(uint32_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  float magnitude;
  if (exponent == 0x1f) return from_bits(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  magnitude = (float)mantissa * 5.9604644775390625e-8f; /* 2^-24 */
  return sign != 0 ? -magnitude : magnitude;
}

static float element(const uint8_t* data, scrooge_reader_dtype dtype, uint64_t index) {
  if (dtype == SCROOGE_READER_F32) return from_bits(sr_load32(data + 4 * index));
  if (dtype == SCROOGE_READER_F16) return from_f16(sr_load16(data + 2 * index));
  return from_bits((uint32_t)sr_load16(data + 2 * index) << 16);
}

/* Where the bytes of one matrix row lie in a plane of the canonical or an interleaved layout: byte i at
 * start + i / chunk * step + i % chunk. */
typedef struct row_bytes {
  const uint8_t* start;
  uint64_t chunk; /* 0: the row is in one piece */
  uint64_t step;
} row_bytes;

static row_bytes row_of(const scrooge_reader_tensor* tensor, const scrooge_reader_plane* plane, uint64_t row) {
  const uint64_t tile = tensor->scheme.layout_rows;
  row_bytes r;
  if (tile == 0) {
    r.start = plane->data + row * plane->row_bytes;
    r.chunk = 0;
    r.step = 0;
    return r;
  }
  r.chunk = 2; /* a scale */
  if (plane->kind == SCROOGE_READER_PLANE_CODES) r.chunk = tensor->scheme.layout_chunk;
  if (plane->kind == SCROOGE_READER_PLANE_ZEROS) r.chunk = 1;
  r.step = tile * r.chunk;
  r.start = plane->data + row / tile * plane->row_bytes + row % tile * r.chunk;
  return r;
}

static const uint8_t* byte_of(const row_bytes* r, uint64_t index) {
  return r->start + (r->chunk == 0 ? index : index / r->chunk * r->step + index % r->chunk);
}

/* Element `index` of a bit stream. */
static uint32_t stream_code(const row_bytes* r, uint64_t index, uint32_t bits) {
  const uint64_t bit = index * bits;
  const uint32_t shift = (uint32_t)(bit % 8);
  uint32_t value = (uint32_t)*byte_of(r, bit / 8) >> shift;
  if (shift + bits > 8) value |= (uint32_t)*byte_of(r, bit / 8 + 1) << (8 - shift);
  return value & ((1u << bits) - 1);
}

/* The nibble of matrix row `row` in line `line` of AutoAWQ's words of 8 rows; rows 0, 2, 4, 6 are in the low half. */
static uint32_t word_code(const scrooge_reader_plane* plane, uint64_t line, uint64_t row) {
  const uint32_t in_word = (uint32_t)(row % 8);
  const uint32_t nibble = in_word / 2 + (in_word % 2) * 4;
  return sr_load32(plane->data + line * plane->row_bytes + row / 8 * 4) >> (4 * nibble) & 15;
}

static const scrooge_reader_plane* plane_of(const scrooge_reader_tensor* tensor, scrooge_reader_plane_kind kind) {
  const scrooge_reader_plane* plane = NULL;
  return scrooge_reader_get_plane(tensor, kind, &plane) == SCROOGE_READER_OK ? plane : NULL;
}

scrooge_reader_status scrooge_reader_unpack_codes(const scrooge_reader_tensor* tensor, uint64_t row, uint64_t first,
                                                  size_t count, uint8_t* codes) {
  const scrooge_reader_plane* plane;
  row_bytes r;
  size_t i;
  if (tensor == NULL || tensor->kind != SCROOGE_READER_TENSOR_QUANTIZED || row >= tensor->rows ||
      first > tensor->cols || count > tensor->cols - first || (codes == NULL && count > 0)) {
    return SCROOGE_READER_INVALID_ARGUMENT;
  }
  plane = plane_of(tensor, SCROOGE_READER_PLANE_CODES);
  if (tensor->scheme.layout == SCROOGE_READER_LAYOUT_AWQ) {
    for (i = 0; i < count; ++i) codes[i] = (uint8_t)word_code(plane, first + i, row);
    return SCROOGE_READER_OK;
  }
  r = row_of(tensor, plane, row);
  for (i = 0; i < count; ++i) codes[i] = (uint8_t)stream_code(&r, first + i, tensor->scheme.bits);
  return SCROOGE_READER_OK;
}

scrooge_reader_status scrooge_reader_get_group(const scrooge_reader_tensor* tensor, uint64_t row, uint64_t group,
                                               float* scale, float* zero) {
  const scrooge_reader_plane *scales, *zeros;
  row_bytes r;
  if (tensor == NULL || scale == NULL || zero == NULL || tensor->kind != SCROOGE_READER_TENSOR_QUANTIZED ||
      row >= tensor->rows || group >= tensor->groups) {
    return SCROOGE_READER_INVALID_ARGUMENT;
  }
  scales = plane_of(tensor, SCROOGE_READER_PLANE_SCALES);
  zeros = plane_of(tensor, SCROOGE_READER_PLANE_ZEROS);
  if (tensor->scheme.layout == SCROOGE_READER_LAYOUT_AWQ) {
    *scale = element(scales->data + group * scales->row_bytes, tensor->scheme.scale_dtype, row);
    *zero = (float)word_code(zeros, group, row);
    return SCROOGE_READER_OK;
  }
  r = row_of(tensor, scales, row);
  *scale = element(byte_of(&r, 2 * group), tensor->scheme.scale_dtype, 0);
  *zero = (float)tensor->scheme.code_bias;
  if (zeros == NULL) return SCROOGE_READER_OK;
  r = row_of(tensor, zeros, row);
  *zero = (float)stream_code(&r, group, tensor->scheme.bits);
  return SCROOGE_READER_OK;
}

static void dequantize(const scrooge_reader_tensor* tensor, uint64_t row, float* out) {
  const scrooge_reader_plane* input_scale = plane_of(tensor, SCROOGE_READER_PLANE_INPUT_SCALE);
  uint8_t codes[64];
  uint64_t group, at = 0;
  for (group = 0; group < tensor->groups; ++group) {
    const uint64_t left = tensor->cols - at;
    const uint64_t end = at + (left < tensor->group_length ? left : tensor->group_length);
    float scale = 0, zero = 0;
    (void)scrooge_reader_get_group(tensor, row, group, &scale, &zero);
    while (at < end) {
      const size_t count = end - at < sizeof codes ? (size_t)(end - at) : sizeof codes;
      size_t i;
      (void)scrooge_reader_unpack_codes(tensor, row, at, count, codes);
      for (i = 0; i < count; ++i) out[at + i] = ((float)codes[i] - zero) * scale;
      at += count;
    }
  }
  if (input_scale == NULL || tensor->folded) return;
  for (at = 0; at < tensor->cols; ++at) out[at] /= element(input_scale->data, SCROOGE_READER_F32, at);
}

scrooge_reader_status scrooge_reader_dequantize_row(const scrooge_reader_tensor* tensor, uint64_t row, float* out,
                                                    size_t out_count) {
  const uint8_t* data;
  uint64_t i;
  if (tensor == NULL || out == NULL || row >= tensor->rows || out_count < tensor->cols) {
    return SCROOGE_READER_INVALID_ARGUMENT;
  }
  if (tensor->kind == SCROOGE_READER_TENSOR_QUANTIZED) {
    dequantize(tensor, row, out);
    return SCROOGE_READER_OK;
  }
  if (tensor->dtype == SCROOGE_READER_U8) return SCROOGE_READER_UNSUPPORTED_TYPE;
  data = tensor->planes[0].data + row * tensor->planes[0].row_bytes;
  for (i = 0; i < tensor->cols; ++i) out[i] = element(data, tensor->dtype, i);
  return SCROOGE_READER_OK;
}
