/* SPDX-License-Identifier: Apache-2.0 */
#include "src/reader/reader_internal.h"

static void read_layout(sr_walker* w, const sr_table* t, scrooge_reader_scheme* scheme) {
  const uint32_t id = sr_get16(w, t, 9), version = sr_get16(w, t, 10);
  const uint32_t rows = sr_get16(w, t, 11), chunk = sr_get16(w, t, 12);
  const uint32_t unit = scheme->bits == 3 ? 12 : 4; /* bytes that hold whole codes */
  if (id > SCROOGE_READER_LAYOUT_AWQ || version != 1) sr_fail(w, SCROOGE_READER_UNSUPPORTED_LAYOUT);
  if (id != SCROOGE_READER_LAYOUT_CANONICAL && (w->reader->required_features & SR_FEATURE_LAYOUTS) == 0) {
    sr_fail(w, SCROOGE_READER_BAD_SCHEME);
  }
  if (id == SCROOGE_READER_LAYOUT_INTERLEAVED) {
    if ((rows != 4 && rows != 8) || chunk == 0 || chunk > 64 || chunk % unit != 0)
      sr_fail(w, SCROOGE_READER_BAD_SCHEME);
  } else if (rows != 0 || chunk != 0 || (id == SCROOGE_READER_LAYOUT_AWQ && scheme->bits != 4)) {
    sr_fail(w, SCROOGE_READER_BAD_SCHEME);
  }
  scheme->layout = (scrooge_reader_layout)id;
  scheme->layout_rows = rows;
  scheme->layout_chunk = chunk;
}

SR_LOCAL void sr_read_scheme(sr_walker* w, const sr_table* owner, uint32_t id, scrooge_reader_scheme* scheme) {
  const uint32_t at = sr_get_target(w, owner, id);
  sr_table t;
  uint32_t scale_dtype, zero_kind, zero_bias;
  memset(scheme, 0, sizeof *scheme);
  if (at == 0) sr_fail(w, SCROOGE_READER_BAD_SCHEME);
  t = sr_open_table(w, at);
  scheme->bits = sr_get8(w, &t, 0, 0);
  scheme->group = sr_get32(w, &t, 1);
  scheme->symmetric = sr_get8(w, &t, 3, 0) != 0;
  scale_dtype = sr_get8(w, &t, 4, 0);
  scheme->range = sr_get8(w, &t, 5, 0);
  zero_kind = sr_get8(w, &t, 6, 0);
  zero_bias = sr_get32(w, &t, 7);
  scheme->code_bias = (int32_t)sr_get32(w, &t, 8);
  read_layout(w, &t, scheme);
  scheme->has_zeros = !scheme->symmetric || scheme->layout == SCROOGE_READER_LAYOUT_AWQ;
  scheme->scale_dtype = (scrooge_reader_dtype)scale_dtype;
  if (w->status != SCROOGE_READER_OK) return;
  if ((scheme->bits != 2 && scheme->bits != 3 && scheme->bits != 4 && scheme->bits != 8) ||
      (scheme->group > 0 && scheme->group < 8) || scheme->group > SR_MAX_GROUP || sr_get8(w, &t, 2, 1) != 1 ||
      (scale_dtype != SCROOGE_READER_F16 && scale_dtype != SCROOGE_READER_BF16) || scheme->range > 2 ||
      zero_kind != (uint32_t)scheme->has_zeros || zero_bias != 0 ||
      scheme->code_bias != (scheme->has_zeros ? 0 : 1 << (scheme->bits - 1))) {
    sr_fail(w, SCROOGE_READER_BAD_SCHEME);
  }
}

SR_LOCAL void sr_read_segment(sr_walker* w, uint32_t index, int with_name, scrooge_reader_segment* segment) {
  const sr_table t = sr_list_table(w, &w->reader->segments, index);
  const uint64_t file_size = w->reader->size;
  const uint32_t kind = sr_get8(w, &t, 1, 0);
  segment->name = with_name ? sr_get_name(w, &t) : "";
  segment->kind = (scrooge_reader_segment_kind)kind;
  segment->offset = sr_get64(w, &t, 2);
  segment->size = sr_get64(w, &t, 3);
  segment->xxh64 = sr_get64(w, &t, 4);
  segment->data = NULL;
  if (w->status != SCROOGE_READER_OK) return;
  if ((kind > SCROOGE_READER_SEGMENT_EXTRAS && kind < SCROOGE_READER_SEGMENT_CONFIG) ||
      kind > SCROOGE_READER_SEGMENT_OTHER || segment->offset % w->reader->segment_alignment != 0 ||
      segment->offset == 0 || segment->offset > file_size || file_size - segment->offset < SR_SEGMENT_TAIL ||
      segment->size > file_size - segment->offset - SR_SEGMENT_TAIL) {
    sr_fail(w, SCROOGE_READER_BAD_SEGMENT);
    return;
  }
  segment->data = w->reader->data + segment->offset;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

static void expect(scrooge_reader_tensor* tensor, scrooge_reader_plane_kind kind, uint64_t rows, uint64_t row_bytes) {
  scrooge_reader_plane* plane = &tensor->planes[tensor->plane_count++];
  memset(plane, 0, sizeof *plane);
  plane->kind = kind;
  plane->rows = rows;
  plane->row_bytes = row_bytes;
}

/* The planes that a quantized tensor must have. Nothing wraps: cols is at most 2^40 and rows at most the file's size.
 */
static void expect_quantized(sr_walker* w, scrooge_reader_tensor* tensor, int input_scale) {
  const scrooge_reader_scheme* s = &tensor->scheme;
  const uint64_t n = tensor->rows, k = tensor->cols;
  const uint64_t length = s->group == 0 || s->group > k ? k : s->group;
  const uint64_t groups = ceil_div(k, length);
  const uint64_t code_bytes = ceil_div(k * s->bits, 8), zero_bytes = ceil_div(groups * s->bits, 8);
  tensor->group_length = length;
  tensor->groups = groups;
  if (s->layout == SCROOGE_READER_LAYOUT_AWQ) {
    if (n % 8 != 0) sr_fail(w, SCROOGE_READER_BAD_TENSOR);
    expect(tensor, SCROOGE_READER_PLANE_CODES, k, n / 2);
    expect(tensor, SCROOGE_READER_PLANE_SCALES, groups, 2 * n);
    expect(tensor, SCROOGE_READER_PLANE_ZEROS, groups, n / 2);
  } else {
    const uint64_t tile = s->layout_rows == 0 ? 1 : s->layout_rows;
    const uint64_t chunk = s->layout_chunk == 0 ? 1 : s->layout_chunk;
    const uint64_t tiles = ceil_div(n, tile);
    expect(tensor, SCROOGE_READER_PLANE_CODES, tiles, tile * ceil_div(code_bytes, chunk) * chunk);
    expect(tensor, SCROOGE_READER_PLANE_SCALES, tiles, tile * 2 * groups);
    if (s->has_zeros) expect(tensor, SCROOGE_READER_PLANE_ZEROS, tiles, tile * zero_bytes);
  }
  if (input_scale) expect(tensor, SCROOGE_READER_PLANE_INPUT_SCALE, 1, 4 * k);
}

/* Without charging for it: that was done with the list of segments. */
static void find_segment(sr_walker* w, uint32_t index) {
  sr_walker look = sr_walker_of(w->reader);
  sr_read_segment(&look, index, 0, &w->segment);
  w->segment_index = index;
  if (look.status != SCROOGE_READER_OK) sr_fail(w, look.status);
}

/* `plane` has what must be there; fills in the rest. */
static void read_plane(sr_walker* w, const sr_table* t, scrooge_reader_plane* plane) {
  const uint32_t kind = sr_get8(w, t, 0, 0), segment_index = sr_get32(w, t, 1);
  const uint64_t row_bytes = sr_get64(w, t, 5), low_bit = row_bytes & (0 - row_bytes);
  const scrooge_reader_segment* segment;
  plane->segment = segment_index;
  plane->offset = sr_get64(w, t, 2);
  plane->size = sr_get64(w, t, 3);
  plane->xxh64 = sr_get64(w, t, 4);
  if (w->status != SCROOGE_READER_OK) return;
  if (kind != (uint32_t)plane->kind || row_bytes != plane->row_bytes || plane->rows > w->reader->size / row_bytes ||
      plane->size != plane->rows * row_bytes || plane->offset % w->reader->plane_alignment != 0 ||
      segment_index >= w->reader->segments.count) {
    sr_fail(w, SCROOGE_READER_BAD_PLANE);
    return;
  }
  /* Pieces of whole rows that start on 256-byte boundaries: the least of them must not be too large. */
  if (plane->size > SR_MAX_PIECE && row_bytes > SR_MAX_PIECE / (low_bit >= 256 ? 1 : 256 / low_bit)) {
    sr_fail(w, SCROOGE_READER_BAD_PLANE);
  }
  if (w->segment_index != segment_index) find_segment(w, segment_index);
  segment = &w->segment;
  if (segment->kind >= SCROOGE_READER_SEGMENT_CONFIG || plane->offset < segment->offset ||
      plane->offset - segment->offset > segment->size ||
      plane->size > segment->size - (plane->offset - segment->offset)) {
    sr_fail(w, SCROOGE_READER_BAD_PLANE);
  }
  if (w->status == SCROOGE_READER_OK) plane->data = w->reader->data + plane->offset;
}

SR_LOCAL void sr_read_tensor(sr_walker* w, uint32_t index, scrooge_reader_tensor* tensor) {
  static const uint8_t kElement[4] = {4, 2, 2, 1};
  const sr_table t = sr_list_table(w, &w->reader->tensors, index);
  const uint32_t kind = sr_get8(w, &t, 3, 0), dtype = sr_get8(w, &t, 4, 0);
  const int has_scheme = sr_get_target(w, &t, 5) != 0;
  scrooge_reader_list planes;
  uint32_t i;
  memset(tensor, 0, sizeof *tensor);
  tensor->name = sr_get_name(w, &t);
  tensor->rows = sr_get64(w, &t, 1);
  tensor->cols = sr_get64(w, &t, 2);
  planes = sr_get_list(w, &t, 6, 4);
  tensor->folded = sr_get8(w, &t, 7, 0) != 0;
  if (w->status != SCROOGE_READER_OK) return;
  if (tensor->rows == 0 || tensor->rows > w->reader->size || tensor->cols == 0 || tensor->cols > SR_MAX_COLS ||
      kind > SCROOGE_READER_TENSOR_AUXILIARY || has_scheme != (kind == SCROOGE_READER_TENSOR_QUANTIZED) ||
      (kind != SCROOGE_READER_TENSOR_QUANTIZED && dtype > SCROOGE_READER_U8)) {
    sr_fail(w, SCROOGE_READER_BAD_TENSOR);
    return;
  }
  tensor->kind = (scrooge_reader_tensor_kind)kind;
  if (kind == SCROOGE_READER_TENSOR_QUANTIZED) {
    sr_read_scheme(w, &t, 5, &tensor->scheme);
    if (w->status != SCROOGE_READER_OK) return;
    expect_quantized(w, tensor, planes.count == 3u + (uint32_t)tensor->scheme.has_zeros);
  } else {
    tensor->dtype = (scrooge_reader_dtype)dtype;
    expect(tensor, SCROOGE_READER_PLANE_DATA, tensor->rows, tensor->cols * kElement[dtype]);
  }
  if (planes.count != tensor->plane_count) sr_fail(w, SCROOGE_READER_BAD_TENSOR);
  for (i = 0; i < tensor->plane_count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table plane = sr_list_table(w, &planes, i);
    read_plane(w, &plane, &tensor->planes[i]);
  }
}
