/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a .scrooge model in place, for runtimes that only load one: no allocation, no other library, no global state.
 * Plain C99 (and C++); the bytes are those of schema/README.md.
 *
 * Conventions
 *  1. The caller owns every struct, and the buffer: the whole file, mapped or in flash, at an address that is a
 * multiple of SCROOGE_READER_ALIGNMENT. It must stay, unchanged, as long as anything of the reader is in use. Pointers
 * that come out point into it; names are NUL-terminated UTF-8, "" where the file has none.
 *  2. Every call that can fail returns a status; what is passed for output is of use on success only.
 *  3. The file may be hostile. scrooge_reader_open looks at every table once, in time linear in the index and without
 *     recursion; nothing is followed before it was checked, and no later call reads outside the buffer.
 *  4. An open reader is never written to except by scrooge_reader_check: several threads may use it.
 */
#ifndef SCROOGE_SCROOGE_READER_H_
#define SCROOGE_SCROOGE_READER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the buffer. Planes start at multiples of 256 in the file, so they are aligned in memory as the buffer is, up to
 * 256: what a kernel needs beyond 64 (CUDA, Vulkan) the caller sees to. */
#define SCROOGE_READER_ALIGNMENT 64

/* Values are pinned. */
typedef enum scrooge_reader_status {
  SCROOGE_READER_OK = 0,
  /* the call */
  SCROOGE_READER_INVALID_ARGUMENT = 1,
  SCROOGE_READER_NOT_FOUND = 2,
  SCROOGE_READER_UNSUPPORTED_TYPE = 3, /* a row of u8 bytes has no floats: read its data plane */
  SCROOGE_READER_UNSUPPORTED_HOST = 4, /* big-endian */
  SCROOGE_READER_MISALIGNED = 5,       /* the buffer */
  /* the file, as a whole */
  SCROOGE_READER_NOT_SCROOGE = 20,
  SCROOGE_READER_UNSUPPORTED_VERSION = 21,
  SCROOGE_READER_UNSUPPORTED_FEATURE = 22, /* a bit of required_features that this reader does not know */
  SCROOGE_READER_UNSUPPORTED_LAYOUT = 23,
  SCROOGE_READER_CALIBRATION = 24, /* results of a calibration instead of a model */
  SCROOGE_READER_CHECKSUM = 25,    /* superblock, index, plane or raw segment is damaged */
  SCROOGE_READER_WRONG_SIZE = 26,  /* cut short, or something was appended */
  SCROOGE_READER_BAD_SUPERBLOCK = 27,
  /* the index; `fault` of the reader has the position of the entry in its list */
  SCROOGE_READER_BAD_INDEX = 40, /* not a well-formed FlatBuffer */
  SCROOGE_READER_BAD_TEXT = 41,  /* not UTF-8, with a NUL, longer than 64 KiB, or empty where a name must be */
  SCROOGE_READER_BAD_INFO = 42,  /* how the file was made: versions, sources, blocks */
  SCROOGE_READER_BAD_SCHEME = 43,
  SCROOGE_READER_BAD_SEGMENT = 44,
  SCROOGE_READER_BAD_TENSOR = 45,
  SCROOGE_READER_BAD_PLANE = 46,
  SCROOGE_READER_OVERLAP = 47,
  SCROOGE_READER_DUPLICATE = 48,  /* a name that must be unique is there twice */
  SCROOGE_READER_TOO_COMPLEX = 49 /* tables shared without end, or thousands of planes out of order */
} scrooge_reader_status;

/* A sentence without the file's name. Static, never NULL. */
const char* scrooge_reader_status_string(scrooge_reader_status status);

/* Kinds below SCROOGE_READER_SEGMENT_CONFIG hold planes, the others one raw file each. */
typedef enum scrooge_reader_segment_kind {
  SCROOGE_READER_SEGMENT_BLOCK = 0,
  SCROOGE_READER_SEGMENT_EMBEDDING = 1,
  SCROOGE_READER_SEGMENT_HEAD = 2,
  SCROOGE_READER_SEGMENT_EXTRAS = 3,
  SCROOGE_READER_SEGMENT_CONFIG = 16,
  SCROOGE_READER_SEGMENT_TOKENIZER = 17,
  SCROOGE_READER_SEGMENT_TOKENIZER_CONFIG = 18,
  SCROOGE_READER_SEGMENT_GGUF_HEADER = 19,
  SCROOGE_READER_SEGMENT_OTHER = 20
} scrooge_reader_segment_kind;

typedef enum scrooge_reader_tensor_kind {
  SCROOGE_READER_TENSOR_DENSE = 0,
  SCROOGE_READER_TENSOR_QUANTIZED = 1,
  SCROOGE_READER_TENSOR_AUXILIARY = 2 /* for information: not needed to run the model */
} scrooge_reader_tensor_kind;

typedef enum scrooge_reader_plane_kind {
  SCROOGE_READER_PLANE_DATA = 0,
  SCROOGE_READER_PLANE_CODES = 1,
  SCROOGE_READER_PLANE_SCALES = 2,
  SCROOGE_READER_PLANE_ZEROS = 3,
  SCROOGE_READER_PLANE_INPUT_SCALE = 4
} scrooge_reader_plane_kind;

typedef enum scrooge_reader_dtype {
  SCROOGE_READER_F32 = 0,
  SCROOGE_READER_F16 = 1,
  SCROOGE_READER_BF16 = 2,
  SCROOGE_READER_U8 = 3
} scrooge_reader_dtype;

typedef enum scrooge_reader_layout {
  SCROOGE_READER_LAYOUT_CANONICAL = 0,   /* rows of codes as bit streams, element 0 in the lowest bits */
  SCROOGE_READER_LAYOUT_INTERLEAVED = 1, /* layout_rows rows, in turn by layout_chunk bytes */
  SCROOGE_READER_LAYOUT_AWQ = 2          /* AutoAWQ's words of 8 rows: [cols, rows / 8] */
} scrooge_reader_layout;

/* value = (code - code_bias - zero) * scale, zero = 0 without a zeros plane. */
typedef struct scrooge_reader_scheme {
  uint32_t bits;  /* 2, 3, 4 or 8 */
  uint32_t group; /* columns that share a scale; 0: the whole row */
  int32_t symmetric;
  scrooge_reader_dtype scale_dtype; /* F16 or BF16 */
  uint32_t range;                   /* how scales were found: see RangeRule of the schema */
  int32_t has_zeros;                /* whether there is a zeros plane */
  int32_t code_bias;
  scrooge_reader_layout layout;
  uint32_t layout_rows;  /* INTERLEAVED only, else 0: 4 or 8 */
  uint32_t layout_chunk; /* INTERLEAVED only, else 0 */
} scrooge_reader_scheme;

typedef struct scrooge_reader_segment {
  const char* name;
  scrooge_reader_segment_kind kind;
  uint64_t offset; /* from the start of the file */
  uint64_t size;
  uint64_t xxh64;      /* raw segments only */
  const uint8_t* data; /* size bytes, then at least 64 zeros */
} scrooge_reader_segment;

/* rows times row_bytes is size. In other layouts than the canonical one these are not the rows of the matrix. */
typedef struct scrooge_reader_plane {
  scrooge_reader_plane_kind kind;
  uint32_t segment;
  uint64_t offset; /* from the start of the file */
  uint64_t size;
  uint64_t rows;
  uint64_t row_bytes;
  uint64_t xxh64;
  const uint8_t* data;
} scrooge_reader_plane;

typedef struct scrooge_reader_tensor {
  const char* name;
  uint64_t rows; /* N: outputs */
  uint64_t cols; /* K: inputs */
  scrooge_reader_tensor_kind kind;
  scrooge_reader_dtype dtype;   /* dense and auxiliary only */
  scrooge_reader_scheme scheme; /* quantized only, as are the next two */
  uint64_t group_length;        /* columns in a group; the last may have fewer */
  uint64_t groups;              /* in a row */
  /* Of tensors with an input_scale plane s: whether what produces the input divides by s already. If not, the runtime
   * does, or takes rows that scrooge_reader_dequantize_row divided. */
  int32_t folded;
  uint32_t plane_count;
  scrooge_reader_plane planes[4]; /* in the order of their kinds */
} scrooge_reader_tensor;

/* A tensor's name in the room given to scrooge_reader_check. */
typedef struct scrooge_reader_name {
  uint32_t hash;
  uint32_t index;
} scrooge_reader_name;

/* A list of the index, for the reader itself. */
typedef struct scrooge_reader_list {
  uint32_t at;
  uint32_t count;
} scrooge_reader_list;

typedef struct scrooge_reader {
  /* To be read. */
  uint16_t version_major, version_minor; /* of the format */
  uint32_t segment_count, tensor_count, attribute_count;
  uint32_t name_room; /* entries that scrooge_reader_check wants */
  uint32_t fault;     /* after a failed open or check: the entry at fault, in the list that the status tells */
  uint64_t optional_features;
  uint64_t seed;
  const char *architecture, *method, *tag, *propagate, *library_version, *source_format;
  scrooge_reader_scheme scheme; /* the common one; tensors have their own */

  /* The reader's own. */
  const uint8_t* data;
  uint64_t size;
  uint32_t index_size;
  uint32_t plane_alignment, segment_alignment;
  uint64_t index_offset;
  uint64_t required_features;
  scrooge_reader_list segments, tensors, attributes, blocks;
  const scrooge_reader_name* names; /* of tensors, sorted; NULL before scrooge_reader_check */
} scrooge_reader;

/* Opens the file that is in `data`: checksums of superblock and index, structure and meaning of all of the index. Does
 * not read planes and raw segments (scrooge_reader_verify_plane, ..._segment). Two checks that need room are left to
 * scrooge_reader_check. On failure only `fault` is of use. */
scrooge_reader_status scrooge_reader_open(scrooge_reader* reader, const void* data, size_t size);

/* Optional: names of tensors, segments and attributes are unique, and the blocks' scale tensors are there. `room` must
 * have at least reader->name_room entries. It stays in use: afterwards tensors are found by binary search. O(n log n)
 */
scrooge_reader_status scrooge_reader_check(scrooge_reader* reader, scrooge_reader_name* room, size_t room_count);

/* By position, from 0 to segment_count. */
scrooge_reader_status scrooge_reader_get_segment(const scrooge_reader* reader, uint32_t index,
                                                 scrooge_reader_segment* segment);
/* The first segment of a kind and name; `name` may be NULL for any. Linear. */
scrooge_reader_status scrooge_reader_find_segment(const scrooge_reader* reader, scrooge_reader_segment_kind kind,
                                                  const char* name, scrooge_reader_segment* segment);

/* How the file was made: every option of the job, as text. By position, from 0 to attribute_count. */
scrooge_reader_status scrooge_reader_get_attribute(const scrooge_reader* reader, uint32_t index, const char** key,
                                                   const char** value);
/* The first attribute of that key. Linear. */
scrooge_reader_status scrooge_reader_find_attribute(const scrooge_reader* reader, const char* key, const char** value);

/* By position, from 0 to tensor_count. Constant time. */
scrooge_reader_status scrooge_reader_get_tensor(const scrooge_reader* reader, uint32_t index,
                                                scrooge_reader_tensor* tensor);
/* The position of the tensor of that name. Binary search after scrooge_reader_check; before, all names are compared,
 * and one that is there twice is SCROOGE_READER_DUPLICATE: never a wrong tensor. */
scrooge_reader_status scrooge_reader_find_tensor(const scrooge_reader* reader, const char* name, uint32_t* index);

/* The plane of a kind: a pointer into `tensor`. SCROOGE_READER_NOT_FOUND where there is none. */
scrooge_reader_status scrooge_reader_get_plane(const scrooge_reader_tensor* tensor, scrooge_reader_plane_kind kind,
                                               const scrooge_reader_plane** plane);

/* Read all bytes of the plane, or of the raw segment, and compare their XXH64. */
scrooge_reader_status scrooge_reader_verify_plane(const scrooge_reader_plane* plane);
scrooge_reader_status scrooge_reader_verify_segment(const scrooge_reader_segment* segment);

/* ---- numbers; scrooge_reader_rows.c. REQUIRES: `tensor` is from scrooge_reader_get_tensor --------------------------
 */

/* One row of the weights as the model uses them, in every layout: `cols` floats to `out`, which has room for
 * `out_count`. Dense f32, f16 and bf16 are converted; an input_scale that is not folded is divided out. For inspection
 * and small boards; kernels take the planes. */
scrooge_reader_status scrooge_reader_dequantize_row(const scrooge_reader_tensor* tensor, uint64_t row, float* out,
                                                    size_t out_count);

/* Of a quantized tensor: codes of the columns first to first + count of a row, one per byte. */
scrooge_reader_status scrooge_reader_unpack_codes(const scrooge_reader_tensor* tensor, uint64_t row, uint64_t first,
                                                  size_t count, uint8_t* codes);

/* Of a quantized tensor: what the codes of a group mean, value = (code - zero) * scale; code_bias is in `zero`. */
scrooge_reader_status scrooge_reader_get_group(const scrooge_reader_tensor* tensor, uint64_t row, uint64_t group,
                                               float* scale, float* zero);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SCROOGE_SCROOGE_READER_H_ */
