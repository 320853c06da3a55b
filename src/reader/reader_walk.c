/* SPDX-License-Identifier: Apache-2.0 */
#include "src/reader/reader_internal.h"

SR_LOCAL sr_walker sr_walker_of(const scrooge_reader* reader) {
  sr_walker w;
  w.reader = reader;
  w.base = reader->data + reader->index_offset;
  w.size = reader->index_size;
  w.status = SCROOGE_READER_OK;
  w.allowance = UINT64_MAX;
  w.tables = UINT64_MAX;
  w.segment_index = UINT32_MAX;
  return w;
}

SR_LOCAL void sr_fail(sr_walker* w, scrooge_reader_status status) {
  if (w->status == SCROOGE_READER_OK) w->status = status;
}

SR_LOCAL void sr_charge(sr_walker* w, uint64_t cost) {
  if (cost > w->allowance) {
    sr_fail(w, SCROOGE_READER_TOO_COMPLEX);
  } else {
    w->allowance -= cost;
  }
}

/* Whether `size` bytes at `at`, on a multiple of `alignment` (a power of two), lie inside the index. */
static int inside(const sr_walker* w, uint64_t at, uint64_t size, uint32_t alignment) {
  return (at & (alignment - 1)) == 0 && size <= w->size && at <= w->size - size;
}

SR_LOCAL sr_table sr_open_table(sr_walker* w, uint32_t at) {
  sr_table t = {0, 0, 0};
  int64_t fields;
  if (w->status != SCROOGE_READER_OK) return t;
  if (w->tables-- == 0) {
    sr_fail(w, SCROOGE_READER_TOO_COMPLEX);
    return t;
  }
  if (!inside(w, at, 4, 4)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return t;
  }
  fields = (int64_t)at - (int32_t)sr_load32(w->base + at);
  if (fields < 0 || !inside(w, (uint64_t)fields, 2, 2)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return t;
  }
  t.at = at;
  t.fields = (uint32_t)fields;
  t.fields_size = sr_load16(w->base + fields);
  if (t.fields_size % 2 != 0 || !inside(w, t.fields, t.fields_size, 2)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    t.fields_size = 0;
  }
  return t;
}

/* 0 means absent: no table is at 0, where the offset of the root is. */
SR_LOCAL uint32_t sr_field(sr_walker* w, const sr_table* t, uint32_t id, uint32_t size) {
  const uint32_t entry = 4 + 2 * id;
  uint32_t offset;
  if (w->status != SCROOGE_READER_OK || entry + 2 > t->fields_size) return 0;
  offset = sr_load16(w->base + t->fields + entry);
  if (offset == 0) return 0;
  if (!inside(w, (uint64_t)t->at + offset, size, size)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return 0;
  }
  return t->at + offset;
}

SR_LOCAL uint32_t sr_get8(sr_walker* w, const sr_table* t, uint32_t id, uint32_t otherwise) {
  const uint32_t at = sr_field(w, t, id, 1);
  return at == 0 ? otherwise : w->base[at];
}

SR_LOCAL uint32_t sr_get16(sr_walker* w, const sr_table* t, uint32_t id) {
  const uint32_t at = sr_field(w, t, id, 2);
  return at == 0 ? 0 : sr_load16(w->base + at);
}

SR_LOCAL uint32_t sr_get32(sr_walker* w, const sr_table* t, uint32_t id) {
  const uint32_t at = sr_field(w, t, id, 4);
  return at == 0 ? 0 : sr_load32(w->base + at);
}

SR_LOCAL uint64_t sr_get64(sr_walker* w, const sr_table* t, uint32_t id) {
  const uint32_t at = sr_field(w, t, id, 8);
  return at == 0 ? 0 : sr_load64(w->base + at);
}

SR_LOCAL uint32_t sr_follow(sr_walker* w, uint32_t at) {
  const uint32_t offset = sr_load32(w->base + at);
  if (offset > INT32_MAX || !inside(w, (uint64_t)at + offset, 4, 4)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return 0;
  }
  return at + offset;
}

SR_LOCAL uint32_t sr_get_target(sr_walker* w, const sr_table* t, uint32_t id) {
  const uint32_t at = sr_field(w, t, id, 4);
  const uint32_t target = at == 0 ? 0 : sr_follow(w, at);
  if (at == 0 || target != at) return target;
  sr_fail(w, SCROOGE_READER_BAD_INDEX); /* a field that leads to itself */
  return 0;
}

SR_LOCAL scrooge_reader_list sr_get_list(sr_walker* w, const sr_table* t, uint32_t id, uint32_t element_size) {
  scrooge_reader_list list = {0, 0};
  const uint32_t at = sr_get_target(w, t, id);
  if (w->status != SCROOGE_READER_OK || at == 0) return list;
  list.at = at + 4;
  list.count = sr_load32(w->base + at);
  if (!inside(w, list.at, (uint64_t)list.count * element_size, 4)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    list.count = 0;
  }
  sr_charge(w, (uint64_t)list.count * element_size);
  return list;
}

SR_LOCAL sr_table sr_list_table(sr_walker* w, const scrooge_reader_list* list, uint32_t index) {
  const sr_table none = {0, 0, 0};
  uint32_t at;
  if (w->status != SCROOGE_READER_OK || !inside(w, (uint64_t)list->at + 4 * (uint64_t)index, 4, 4)) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return none;
  }
  at = sr_follow(w, list->at + 4 * index);
  return sr_open_table(w, at);
}

/* Bytes of the UTF-8 sequence at `at`; 0 when it is none, or a NUL. */
static uint32_t sequence(const uint8_t* at, uint32_t left) {
  const uint32_t lead = at[0];
  const uint32_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t i;
  if (lead == 0 || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || length > left) return 0;
  for (i = 1; i < length; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  /* Overlong forms, surrogates, code points above U+10FFFF. */
  if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f)) return 0;
  if ((lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f)) return 0;
  return length;
}

SR_LOCAL const char* sr_get_text(sr_walker* w, const sr_table* t, uint32_t id) {
  const uint32_t at = sr_get_target(w, t, id);
  const uint8_t* text;
  uint32_t length, i, step;
  if (w->status != SCROOGE_READER_OK || at == 0) return "";
  length = sr_load32(w->base + at);
  if (!inside(w, (uint64_t)at + 4, (uint64_t)length + 1, 1) || w->base[at + 4 + length] != 0) {
    sr_fail(w, SCROOGE_READER_BAD_INDEX);
    return "";
  }
  if (length > SR_MAX_TEXT) sr_fail(w, SCROOGE_READER_BAD_TEXT);
  sr_charge(w, length);
  text = w->base + at + 4;
  for (i = 0; i < length && w->status == SCROOGE_READER_OK; i += step) {
    step = sequence(text + i, length - i);
    if (step == 0) sr_fail(w, SCROOGE_READER_BAD_TEXT);
  }
  return w->status == SCROOGE_READER_OK ? (const char*)text : "";
}

SR_LOCAL const char* sr_get_name(sr_walker* w, const sr_table* t) {
  const char* name = sr_get_text(w, t, 0);
  if (name[0] == 0) sr_fail(w, SCROOGE_READER_BAD_TEXT);
  return name;
}

SR_LOCAL int sr_compare_texts(const char* a, const char* b) {
  for (; *a == *b; ++a, ++b) {
    if (*a == 0) return 0;
  }
  return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
