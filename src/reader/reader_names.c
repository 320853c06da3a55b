/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: looked up, and the checks that need room. They are sorted by hash, and by text where hashes are equal, so that
 * names made to collide cost no more than others. */
#include "src/reader/reader_internal.h"

static const char* name_at(const scrooge_reader* reader, const scrooge_reader_list* list, uint32_t index) {
  sr_walker w = sr_walker_of(reader);
  const sr_table t = sr_list_table(&w, list, index);
  return sr_get_name(&w, &t);
}

static uint32_t hash_of(const char* name) {
  size_t length = 0;
  while (length < SR_MAX_TEXT && name[length] != 0) ++length; /* a plain loop would become a call of strlen */
  return (uint32_t)sr_xxh64((const uint8_t*)name, length);
}

static int compare(const scrooge_reader* reader, const scrooge_reader_list* list, scrooge_reader_name a,
                   scrooge_reader_name b) {
  if (a.hash != b.hash) return a.hash < b.hash ? -1 : 1;
  return sr_compare_texts(name_at(reader, list, a.index), name_at(reader, list, b.index));
}

/* Moves the entry at `root` down to its place in the heap of the first `count`. */
static void sift(const scrooge_reader* reader, const scrooge_reader_list* list, scrooge_reader_name* names,
                 uint32_t root, uint32_t count) {
  const scrooge_reader_name moved = names[root];
  uint32_t child;
  for (; root < count / 2; root = child) {
    child = 2 * root + 1;
    if (child + 1 < count && compare(reader, list, names[child], names[child + 1]) < 0) ++child;
    if (compare(reader, list, names[child], moved) <= 0) break;
    names[root] = names[child];
  }
  names[root] = moved;
}

static scrooge_reader_status sort_names(scrooge_reader* reader, const scrooge_reader_list* list,
                                        scrooge_reader_name* names) {
  uint32_t i;
  for (i = 0; i < list->count; ++i) {
    names[i].index = i;
    names[i].hash = hash_of(name_at(reader, list, i));
  }
  for (i = list->count / 2; i > 0; --i) sift(reader, list, names, i - 1, list->count);
  for (i = list->count; i > 1; --i) {
    const scrooge_reader_name largest = names[0];
    names[0] = names[i - 1];
    names[i - 1] = largest;
    sift(reader, list, names, 0, i - 1);
  }
  for (i = 1; i < list->count; ++i) {
    if (compare(reader, list, names[i - 1], names[i]) == 0) {
      reader->fault = names[i].index;
      return SCROOGE_READER_DUPLICATE;
    }
  }
  return SCROOGE_READER_OK;
}

/* Every scale tensor that a block names is an auxiliary tensor. REQUIRES: names are sorted. */
static scrooge_reader_status check_scale_tensors(scrooge_reader* reader) {
  sr_walker w = sr_walker_of(reader);
  uint32_t i, j, index;
  for (i = 0; i < reader->blocks.count; ++i) {
    const sr_table block = sr_list_table(&w, &reader->blocks, i);
    const scrooge_reader_list sets = sr_get_list(&w, &block, 2, 4);
    reader->fault = i;
    for (j = 0; j < sets.count; ++j) {
      const sr_table set = sr_list_table(&w, &sets, j);
      const char* name = sr_get_text(&w, &set, 6);
      sr_table t;
      if (w.status != SCROOGE_READER_OK) return w.status;
      if (name[0] == 0) continue;
      if (scrooge_reader_find_tensor(reader, name, &index) != SCROOGE_READER_OK) return SCROOGE_READER_BAD_INFO;
      t = sr_list_table(&w, &reader->tensors, index);
      if (sr_get8(&w, &t, 3, 0) != SCROOGE_READER_TENSOR_AUXILIARY) return SCROOGE_READER_BAD_INFO;
    }
  }
  reader->fault = 0;
  return w.status;
}

scrooge_reader_status scrooge_reader_check(scrooge_reader* reader, scrooge_reader_name* room, size_t room_count) {
  scrooge_reader_status status;
  if (reader == NULL || room_count < reader->name_room || (room == NULL && reader->name_room > 0)) {
    return SCROOGE_READER_INVALID_ARGUMENT;
  }
  reader->names = NULL;
  status = sort_names(reader, &reader->segments, room);
  if (status == SCROOGE_READER_OK) status = sort_names(reader, &reader->attributes, room);
  if (status == SCROOGE_READER_OK) status = sort_names(reader, &reader->tensors, room);
  if (status != SCROOGE_READER_OK) return status;
  reader->names = room;
  status = check_scale_tensors(reader);
  if (status != SCROOGE_READER_OK) reader->names = NULL;
  return status;
}

static scrooge_reader_status find_sorted(const scrooge_reader* reader, const char* name, uint32_t* index) {
  const uint32_t hash = hash_of(name);
  uint32_t first = 0, last = reader->tensor_count;
  while (first < last) {
    const uint32_t middle = first + (last - first) / 2;
    const scrooge_reader_name entry = reader->names[middle];
    int order = entry.hash < hash ? -1 : entry.hash > hash;
    if (order == 0) order = sr_compare_texts(name_at(reader, &reader->tensors, entry.index), name);
    if (order == 0) {
      *index = entry.index;
      return SCROOGE_READER_OK;
    }
    if (order < 0) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return SCROOGE_READER_NOT_FOUND;
}

scrooge_reader_status scrooge_reader_find_tensor(const scrooge_reader* reader, const char* name, uint32_t* index) {
  scrooge_reader_status status = SCROOGE_READER_NOT_FOUND;
  uint32_t i, found = 0;
  if (reader == NULL || name == NULL || index == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  if (reader->names != NULL) return find_sorted(reader, name, index);
  for (i = 0; i < reader->tensor_count; ++i) {
    if (sr_compare_texts(name_at(reader, &reader->tensors, i), name) != 0) continue;
    if (status == SCROOGE_READER_OK) return SCROOGE_READER_DUPLICATE;
    status = SCROOGE_READER_OK;
    found = i;
  }
  if (status == SCROOGE_READER_OK) *index = found;
  return status;
}
