/* SPDX-License-Identifier: Apache-2.0 */
#include "src/reader/reader_internal.h"

/* Planes and segments are listed in the order of the file, so what comes next need only begin behind all before it.
 * Where it does not, it is compared with each of them, as far as the allowance goes. */
static void segment_apart(sr_walker* w, uint32_t index, const scrooge_reader_segment* segment) {
  sr_walker look = sr_walker_of(w->reader);
  scrooge_reader_segment other;
  uint32_t i;
  for (i = 0; i < index && w->status == SCROOGE_READER_OK; ++i) {
    sr_charge(w, 2);
    sr_read_segment(&look, i, 0, &other);
    if (look.status != SCROOGE_READER_OK || other.offset == segment->offset ||
        (other.offset < segment->offset ? segment->offset - other.offset < other.size + SR_SEGMENT_TAIL
                                        : other.offset - segment->offset < segment->size + SR_SEGMENT_TAIL)) {
      sr_fail(w, SCROOGE_READER_OVERLAP);
    }
  }
}

static void plane_apart(sr_walker* w, uint32_t tensor_index, uint32_t plane_index, const scrooge_reader_plane* plane) {
  sr_walker look = sr_walker_of(w->reader);
  uint32_t i, j;
  for (i = 0; i <= tensor_index && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(&look, &w->reader->tensors, i);
    const scrooge_reader_list planes = sr_get_list(&look, &t, 6, 4);
    const uint32_t count = i == tensor_index ? plane_index : planes.count;
    for (j = 0; j < count && w->status == SCROOGE_READER_OK; ++j) {
      const sr_table other = sr_list_table(&look, &planes, j);
      const uint64_t offset = sr_get64(&look, &other, 2), size = sr_get64(&look, &other, 3);
      sr_charge(w, 2);
      if (look.status != SCROOGE_READER_OK ||
          (offset < plane->offset ? plane->offset - offset < size : offset - plane->offset < plane->size)) {
        sr_fail(w, SCROOGE_READER_OVERLAP);
      }
    }
  }
}

static void check_segments(sr_walker* w, scrooge_reader* reader) {
  const uint64_t index_end = reader->index_offset + reader->index_size;
  uint64_t last = 0, end = index_end; /* last: behind the segments so far; end: behind all content */
  scrooge_reader_segment segment;
  uint32_t i;
  for (i = 0; i < reader->segments.count; ++i) {
    reader->fault = i;
    sr_read_segment(w, i, 1, &segment);
    if (w->status != SCROOGE_READER_OK) return;
    if (segment.offset < reader->index_offset ? reader->index_offset - segment.offset < segment.size + SR_SEGMENT_TAIL
                                              : segment.offset < index_end) {
      sr_fail(w, SCROOGE_READER_OVERLAP);
    }
    if (segment.offset < last) segment_apart(w, i, &segment);
    if (w->status != SCROOGE_READER_OK) return;
    if (segment.offset + segment.size + SR_SEGMENT_TAIL > last) last = segment.offset + segment.size + SR_SEGMENT_TAIL;
  }
  reader->fault = 0;
  if (last > end) end = last;
  if (reader->size - end >= reader->segment_alignment) sr_fail(w, SCROOGE_READER_WRONG_SIZE);
}

static void check_tensors(sr_walker* w, scrooge_reader* reader) {
  scrooge_reader_tensor tensor;
  uint64_t last = 0;
  uint32_t i, j;
  if (reader->tensors.count > SR_MAX_TENSORS) sr_fail(w, SCROOGE_READER_TOO_COMPLEX);
  for (i = 0; i < reader->tensors.count && w->status == SCROOGE_READER_OK; ++i) {
    reader->fault = i;
    sr_read_tensor(w, i, &tensor);
    for (j = 0; j < tensor.plane_count && w->status == SCROOGE_READER_OK; ++j) {
      const scrooge_reader_plane* plane = &tensor.planes[j];
      if (plane->offset < last) plane_apart(w, i, j, plane);
      if (plane->offset + plane->size > last) last = plane->offset + plane->size;
    }
  }
  if (w->status == SCROOGE_READER_OK) reader->fault = 0;
}

/* A base name, and a digest that is absent or 64 lower-case hexadecimal digits. */
static int is_source(const char* name, const char* sha256) {
  size_t i;
  for (i = 0; name[i] != 0; ++i) {
    if (name[i] == '/' || name[i] == '\\') return 0;
  }
  for (i = 0; sha256[i] != 0; ++i) {
    if (i == 64 || !((sha256[i] >= '0' && sha256[i] <= '9') || (sha256[i] >= 'a' && sha256[i] <= 'f'))) return 0;
  }
  return i == 0 || i == 64;
}

static void check_numbers(sr_walker* w, const sr_table* t, uint32_t first, uint32_t last) {
  uint32_t id;
  for (id = first; id <= last; ++id) (void)sr_field(w, t, id, 8);
}

static void check_block(sr_walker* w, const sr_table* block) {
  const scrooge_reader_list sets = sr_get_list(w, block, 2, 4), linears = sr_get_list(w, block, 3, 4);
  uint32_t i, id;
  check_numbers(w, block, 1, 1);
  for (i = 0; i < sets.count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(w, &sets, i);
    for (id = 0; id <= 2; ++id) (void)sr_get_text(w, &t, id);
    check_numbers(w, &t, 3, 5);
    (void)sr_get_text(w, &t, 6);
    check_numbers(w, &t, 7, 7);
  }
  for (i = 0; i < linears.count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(w, &linears, i);
    (void)sr_get_text(w, &t, 0);
    check_numbers(w, &t, 1, 2);
    (void)sr_get8(w, &t, 3, 0);
    (void)sr_get_text(w, &t, 6);
    if (sr_get_list(w, &t, 4, 4).count != sr_get_list(w, &t, 5, 4).count) sr_fail(w, SCROOGE_READER_BAD_INFO);
  }
}

/* How the file was made. */
static void check_info(sr_walker* w, scrooge_reader* reader, const sr_table* model) {
  const scrooge_reader_list sources = sr_get_list(w, model, 14, 4);
  const uint32_t tokens = sr_get_target(w, model, 15);
  int64_t last = -1;
  uint32_t i;
  for (i = 0; i < reader->attributes.count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(w, &reader->attributes, i);
    reader->fault = i;
    (void)sr_get_name(w, &t);
    (void)sr_get_text(w, &t, 1);
  }
  for (i = 0; i < sources.count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(w, &sources, i);
    const char *name = sr_get_name(w, &t), *sha256 = sr_get_text(w, &t, 2);
    reader->fault = i;
    check_numbers(w, &t, 1, 1);
    if (!is_source(name, sha256)) sr_fail(w, SCROOGE_READER_BAD_INFO);
  }
  if (tokens != 0) {
    const sr_table t = sr_open_table(w, tokens);
    check_numbers(w, &t, 0, 5);
  }
  for (i = 0; i < reader->blocks.count && w->status == SCROOGE_READER_OK; ++i) {
    const sr_table t = sr_list_table(w, &reader->blocks, i);
    const int64_t index = sr_get32(w, &t, 0);
    reader->fault = i;
    if (index <= last) sr_fail(w, SCROOGE_READER_BAD_INFO);
    last = index;
    check_block(w, &t);
  }
  if (w->status == SCROOGE_READER_OK) reader->fault = 0;
}

static scrooge_reader_status check_index(scrooge_reader* reader) {
  sr_walker w = sr_walker_of(reader);
  sr_table model;
  uint32_t at;
  if (w.size < 8 || memcmp(w.base + 4, "SCR1", 4) != 0) return SCROOGE_READER_BAD_INDEX;
  /* No table takes less than 8 bytes, and no index that shares little comes near this allowance. */
  w.tables = w.size / 8 + 1;
  w.allowance = 8 * (uint64_t)w.size + 65536;
  at = sr_follow(&w, 0);
  model = sr_open_table(&w, at);
  if (sr_get16(&w, &model, 0) != reader->version_major || sr_get16(&w, &model, 1) != reader->version_minor) {
    sr_fail(&w, SCROOGE_READER_BAD_INFO);
  }
  reader->required_features = sr_get64(&w, &model, 2);
  if ((reader->required_features & ~(uint64_t)(SR_FEATURE_CALIBRATION | SR_FEATURE_LAYOUTS)) != 0) {
    sr_fail(&w, SCROOGE_READER_UNSUPPORTED_FEATURE);
  }
  if ((reader->required_features & SR_FEATURE_CALIBRATION) != 0) sr_fail(&w, SCROOGE_READER_CALIBRATION);
  reader->optional_features = sr_get64(&w, &model, 3);
  reader->tag = sr_get_text(&w, &model, 4);
  reader->architecture = sr_get_text(&w, &model, 5);
  reader->method = sr_get_text(&w, &model, 6);
  sr_read_scheme(&w, &model, 7, &reader->scheme);
  reader->seed = sr_get64(&w, &model, 8);
  (void)sr_get32(&w, &model, 9);
  reader->propagate = sr_get_text(&w, &model, 10);
  reader->attributes = sr_get_list(&w, &model, 11, 4);
  reader->library_version = sr_get_text(&w, &model, 12);
  reader->source_format = sr_get_text(&w, &model, 13);
  reader->segments = sr_get_list(&w, &model, 16, 4);
  reader->tensors = sr_get_list(&w, &model, 17, 4);
  reader->blocks = sr_get_list(&w, &model, 18, 4);
  if (w.status == SCROOGE_READER_OK) check_info(&w, reader, &model);
  if (w.status == SCROOGE_READER_OK) check_segments(&w, reader);
  if (w.status == SCROOGE_READER_OK) check_tensors(&w, reader);
  return w.status;
}

/* As schema/README.md has it. */
static scrooge_reader_status check_superblock(scrooge_reader* reader) {
  static const uint8_t kMagic[8] = {0x89, 'S', 'C', 'R', 'G', '\r', '\n', 0x1a};
  const uint8_t* d = reader->data;
  uint32_t superblock_size, index_hash;
  uint64_t index_size;
  if (reader->size < 8 || memcmp(d, kMagic, 8) != 0) return SCROOGE_READER_NOT_SCROOGE;
  if (reader->size < 64) return SCROOGE_READER_WRONG_SIZE;
  reader->version_major = sr_load16(d + 8);
  reader->version_minor = sr_load16(d + 10);
  if (reader->version_major != 1) return SCROOGE_READER_UNSUPPORTED_VERSION;
  if (sr_load32(d + 60) != (uint32_t)sr_xxh64(d, 60)) return SCROOGE_READER_CHECKSUM;
  if (sr_load32(d + 16) != 0) return SCROOGE_READER_UNSUPPORTED_VERSION;
  if (d[20] < 12 || d[20] > 16 || d[21] < 8 || d[21] > d[20] || sr_load16(d + 22) != 0) {
    return SCROOGE_READER_BAD_SUPERBLOCK;
  }
  reader->segment_alignment = 1u << d[20];
  reader->plane_alignment = 1u << d[21];
  superblock_size = sr_load32(d + 12);
  reader->index_offset = sr_load64(d + 24);
  index_size = sr_load64(d + 32);
  index_hash = sr_load32(d + 56);
  if (sr_load64(d + 40) != reader->size) return SCROOGE_READER_WRONG_SIZE;
  if (superblock_size < 64 || superblock_size > reader->segment_alignment ||
      reader->size % reader->segment_alignment != 0 || index_size == 0 || index_size > SR_MAX_INDEX ||
      reader->index_offset % reader->segment_alignment != 0 || reader->index_offset < superblock_size ||
      reader->index_offset > reader->size || index_size > reader->size - reader->index_offset) {
    return SCROOGE_READER_BAD_SUPERBLOCK;
  }
  reader->index_size = (uint32_t)index_size;
  if (index_hash != (uint32_t)sr_xxh64(d + reader->index_offset, index_size)) return SCROOGE_READER_CHECKSUM;
  return SCROOGE_READER_OK;
}

scrooge_reader_status scrooge_reader_open(scrooge_reader* reader, const void* data, size_t size) {
  const uint16_t one = 1;
  uint8_t first;
  scrooge_reader_status status;
  if (reader == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  memset(reader, 0, sizeof *reader);
  if (data == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  memcpy(&first, &one, 1);
  if (first != 1) return SCROOGE_READER_UNSUPPORTED_HOST;
  if ((uintptr_t)data % SCROOGE_READER_ALIGNMENT != 0) return SCROOGE_READER_MISALIGNED;
  reader->data = (const uint8_t*)data;
  reader->size = size;
  status = check_superblock(reader);
  if (status == SCROOGE_READER_OK) status = check_index(reader);
  if (status != SCROOGE_READER_OK) return status;
  reader->segment_count = reader->segments.count;
  reader->tensor_count = reader->tensors.count;
  reader->attribute_count = reader->attributes.count;
  reader->name_room = reader->tensor_count;
  if (reader->name_room < reader->segment_count) reader->name_room = reader->segment_count;
  if (reader->name_room < reader->attribute_count) reader->name_room = reader->attribute_count;
  return SCROOGE_READER_OK;
}
