/* SPDX-License-Identifier: Apache-2.0 */
#include "src/reader/reader_internal.h"

scrooge_reader_status scrooge_reader_get_segment(const scrooge_reader* reader, uint32_t index,
                                                 scrooge_reader_segment* segment) {
  sr_walker w;
  scrooge_reader_segment found;
  if (reader == NULL || segment == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  if (index >= reader->segment_count) return SCROOGE_READER_NOT_FOUND;
  w = sr_walker_of(reader);
  sr_read_segment(&w, index, 1, &found);
  if (w.status == SCROOGE_READER_OK) *segment = found;
  return w.status;
}

scrooge_reader_status scrooge_reader_find_segment(const scrooge_reader* reader, scrooge_reader_segment_kind kind,
                                                  const char* name, scrooge_reader_segment* segment) {
  scrooge_reader_segment found;
  uint32_t i;
  if (reader == NULL || segment == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  for (i = 0; i < reader->segment_count; ++i) {
    const scrooge_reader_status status = scrooge_reader_get_segment(reader, i, &found);
    if (status != SCROOGE_READER_OK) return status;
    if (found.kind != kind || (name != NULL && sr_compare_texts(found.name, name) != 0)) continue;
    *segment = found;
    return SCROOGE_READER_OK;
  }
  return SCROOGE_READER_NOT_FOUND;
}

scrooge_reader_status scrooge_reader_get_attribute(const scrooge_reader* reader, uint32_t index, const char** key,
                                                   const char** value) {
  sr_walker w;
  sr_table t;
  const char *found_key, *found_value;
  if (reader == NULL || key == NULL || value == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  if (index >= reader->attribute_count) return SCROOGE_READER_NOT_FOUND;
  w = sr_walker_of(reader);
  t = sr_list_table(&w, &reader->attributes, index);
  found_key = sr_get_text(&w, &t, 0);
  found_value = sr_get_text(&w, &t, 1);
  if (w.status != SCROOGE_READER_OK) return w.status;
  *key = found_key;
  *value = found_value;
  return SCROOGE_READER_OK;
}

scrooge_reader_status scrooge_reader_find_attribute(const scrooge_reader* reader, const char* key, const char** value) {
  const char *found_key, *found_value;
  uint32_t i;
  if (reader == NULL || key == NULL || value == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  for (i = 0; i < reader->attribute_count; ++i) {
    const scrooge_reader_status status = scrooge_reader_get_attribute(reader, i, &found_key, &found_value);
    if (status != SCROOGE_READER_OK) return status;
    if (sr_compare_texts(found_key, key) != 0) continue;
    *value = found_value;
    return SCROOGE_READER_OK;
  }
  return SCROOGE_READER_NOT_FOUND;
}

scrooge_reader_status scrooge_reader_get_tensor(const scrooge_reader* reader, uint32_t index,
                                                scrooge_reader_tensor* tensor) {
  sr_walker w;
  if (reader == NULL || tensor == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  if (index >= reader->tensor_count) return SCROOGE_READER_NOT_FOUND;
  w = sr_walker_of(reader);
  sr_read_tensor(&w, index, tensor);
  if (w.status != SCROOGE_READER_OK) memset(tensor, 0, sizeof *tensor);
  return w.status;
}

scrooge_reader_status scrooge_reader_get_plane(const scrooge_reader_tensor* tensor, scrooge_reader_plane_kind kind,
                                               const scrooge_reader_plane** plane) {
  uint32_t i;
  if (tensor == NULL || plane == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  for (i = 0; i < tensor->plane_count; ++i) {
    if (tensor->planes[i].kind != kind) continue;
    *plane = &tensor->planes[i];
    return SCROOGE_READER_OK;
  }
  return SCROOGE_READER_NOT_FOUND;
}

scrooge_reader_status scrooge_reader_verify_plane(const scrooge_reader_plane* plane) {
  if (plane == NULL) return SCROOGE_READER_INVALID_ARGUMENT;
  return sr_xxh64(plane->data, plane->size) == plane->xxh64 ? SCROOGE_READER_OK : SCROOGE_READER_CHECKSUM;
}

scrooge_reader_status scrooge_reader_verify_segment(const scrooge_reader_segment* segment) {
  if (segment == NULL || segment->kind < SCROOGE_READER_SEGMENT_CONFIG) return SCROOGE_READER_INVALID_ARGUMENT;
  return sr_xxh64(segment->data, segment->size) == segment->xxh64 ? SCROOGE_READER_OK : SCROOGE_READER_CHECKSUM;
}

const char* scrooge_reader_status_string(scrooge_reader_status status) {
  switch (status) {
    case SCROOGE_READER_OK: return "no error";
    case SCROOGE_READER_INVALID_ARGUMENT: return "an argument is NULL, out of range or too small";
    case SCROOGE_READER_NOT_FOUND: return "there is none of that name, kind or number";
    case SCROOGE_READER_UNSUPPORTED_TYPE: return "rows of bytes are not numbers; read the data plane";
    case SCROOGE_READER_UNSUPPORTED_HOST: return ".scrooge files are read on little-endian machines only";
    case SCROOGE_READER_MISALIGNED: return "the buffer is not aligned to 64 bytes";
    case SCROOGE_READER_NOT_SCROOGE: return "not a .scrooge file";
    case SCROOGE_READER_UNSUPPORTED_VERSION: return "a version of the format that this reader does not know";
    case SCROOGE_READER_UNSUPPORTED_FEATURE: return "the file requires a feature that this reader does not know";
    case SCROOGE_READER_UNSUPPORTED_LAYOUT: return "a layout that this reader does not know";
    case SCROOGE_READER_CALIBRATION: return "results of a calibration, not a model";
    case SCROOGE_READER_CHECKSUM: return "the file is damaged: a checksum does not match";
    case SCROOGE_READER_WRONG_SIZE: return "the file was cut short, or something was appended";
    case SCROOGE_READER_BAD_SUPERBLOCK: return "the superblock is out of range";
    case SCROOGE_READER_BAD_INDEX: return "the index is not a well-formed SCR1 buffer";
    case SCROOGE_READER_BAD_TEXT: return "a text is not UTF-8 of at most 64 KiB, or a name is empty";
    case SCROOGE_READER_BAD_INFO: return "what the index says about its making does not fit together";
    case SCROOGE_READER_BAD_SCHEME: return "a quantization scheme is out of range";
    case SCROOGE_READER_BAD_SEGMENT: return "a segment's kind, offset or size is out of range";
    case SCROOGE_READER_BAD_TENSOR: return "a tensor's shape, kind, type or number of planes is out of range";
    case SCROOGE_READER_BAD_PLANE: return "a plane does not fit its tensor or its segment";
    case SCROOGE_READER_OVERLAP: return "two segments or planes overlap";
    case SCROOGE_READER_DUPLICATE: return "a name is there twice";
    case SCROOGE_READER_TOO_COMPLEX: return "the index is too complex for its size";
  }
  return "unknown status";
}
