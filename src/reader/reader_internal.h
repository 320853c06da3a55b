/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the reader share. The single file that CMakeLists.txt puts together from them defines SR_LOCAL as
 * static. */
#ifndef SCROOGE_READER_INTERNAL_H_
#define SCROOGE_READER_INTERNAL_H_

#include <string.h>

#include "scrooge/scrooge_reader.h"

#ifndef SR_LOCAL
#define SR_LOCAL
#endif

#define SR_FEATURE_CALIBRATION 1u
#define SR_FEATURE_LAYOUTS 2u
#define SR_SEGMENT_TAIL 64u /* zero bytes behind every segment */
#define SR_MAX_TEXT 65536u
#define SR_MAX_COLS (UINT64_C(1) << 40)
#define SR_MAX_GROUP (1u << 20)
#define SR_MAX_PIECE (UINT64_C(1) << 27)
#define SR_MAX_TENSORS 1000000u
#define SR_MAX_INDEX (64u << 20)

/* ---- bytes; the host is little-endian ---------------------------------------------------------------------------- */

static inline uint16_t sr_load16(const uint8_t* at) {
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint32_t sr_load32(const uint8_t* at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint64_t sr_load64(const uint8_t* at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

/* The 64-bit xxHash with seed 0. */
SR_LOCAL uint64_t sr_xxh64(const uint8_t* at, uint64_t size);

/* Negative, 0 or positive, as strcmp. */
SR_LOCAL int sr_compare_texts(const char* a, const char* b);

/* ---- the index: a FlatBuffer, checked as it is read; reader_walk.c ----------------------------------------------- */

/* The first failure sticks; what is read after it is empty, so callers ask once. Texts, lists and tables may be shared:
 * all that is read is charged, so that a small index cannot unfold into endless work. */
typedef struct sr_walker {
  const scrooge_reader* reader;
  const uint8_t* base;
  uint32_t size;
  scrooge_reader_status status;
  uint64_t allowance;
  uint64_t tables;
  uint32_t segment_index; /* of the segment that a plane was last seen in: most follow in the same */
  scrooge_reader_segment segment;
} sr_walker;

typedef struct sr_table {
  uint32_t at;
  uint32_t fields; /* position of the vtable */
  uint32_t fields_size;
} sr_table;

/* Over the index of an open reader, with an allowance without end. */
SR_LOCAL sr_walker sr_walker_of(const scrooge_reader* reader);
SR_LOCAL void sr_fail(sr_walker* w, scrooge_reader_status status);
SR_LOCAL void sr_charge(sr_walker* w, uint64_t cost);

/* Where the offset at `at` leads, a multiple of 4. REQUIRES: 4 bytes at `at`. */
SR_LOCAL uint32_t sr_follow(sr_walker* w, uint32_t at);
SR_LOCAL sr_table sr_open_table(sr_walker* w, uint32_t at);
/* The position of a field of `size` bytes, on a multiple of that; 0 when it is absent. */
SR_LOCAL uint32_t sr_field(sr_walker* w, const sr_table* t, uint32_t id, uint32_t size);

SR_LOCAL uint32_t sr_get8(sr_walker* w, const sr_table* t, uint32_t id, uint32_t otherwise);
SR_LOCAL uint32_t sr_get16(sr_walker* w, const sr_table* t, uint32_t id);
SR_LOCAL uint32_t sr_get32(sr_walker* w, const sr_table* t, uint32_t id);
SR_LOCAL uint64_t sr_get64(sr_walker* w, const sr_table* t, uint32_t id);
/* Where the offset of a field leads; 0 when it is absent. */
SR_LOCAL uint32_t sr_get_target(sr_walker* w, const sr_table* t, uint32_t id);
/* Never NULL; UTF-8 without NUL. */
SR_LOCAL const char* sr_get_text(sr_walker* w, const sr_table* t, uint32_t id);
/* Field 0, which must not be empty. */
SR_LOCAL const char* sr_get_name(sr_walker* w, const sr_table* t);
SR_LOCAL scrooge_reader_list sr_get_list(sr_walker* w, const sr_table* t, uint32_t id, uint32_t element_size);
/* An element of a list of tables. REQUIRES: index < list->count. */
SR_LOCAL sr_table sr_list_table(sr_walker* w, const scrooge_reader_list* list, uint32_t index);

/* ---- one entry, with all that must hold of it alone; reader_entries.c -------------------------------------------- */

/* `id` is the field of `owner` that holds the scheme. */
SR_LOCAL void sr_read_scheme(sr_walker* w, const sr_table* owner, uint32_t id, scrooge_reader_scheme* scheme);
SR_LOCAL void sr_read_segment(sr_walker* w, uint32_t index, int with_name, scrooge_reader_segment* segment);
SR_LOCAL void sr_read_tensor(sr_walker* w, uint32_t index, scrooge_reader_tensor* tensor);

#endif /* SCROOGE_READER_INTERNAL_H_ */
