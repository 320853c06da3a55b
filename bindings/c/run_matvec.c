/* SPDX-License-Identifier: Apache-2.0
 * The smallest of runtimes: maps a model, lists its tensors, and multiplies a quantized matrix with a vector straight
 * from the codes in the file; no row is ever unpacked to floats.
 *   run_matvec MODEL           lists the tensors
 *   run_matvec MODEL TENSOR    prints y = W x for x[k] = (37 k mod 64 - 32) / 32, one number a line
 * Plain C99 and POSIX mmap; needs nothing but scrooge_reader.c. */
#define _POSIX_C_SOURCE 200112L
#include <fcntl.h>
#include <inttypes.h>
#include <scrooge/scrooge_reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char* doing, scrooge_reader_status status) {
  fprintf(stderr, "%s: %s\n", doing, scrooge_reader_status_string(status));
  return EXIT_FAILURE;
}

/* Sum of code * x over one group of a row, 4 bits, canonical layout: two codes a byte, the low nibble first.
 * REQUIRES: the group starts on a whole byte. */
static float dot_group_4bit(const uint8_t* codes, const float* x, uint64_t count) {
  float even = 0, odd = 0;
  for (uint64_t i = 0; i < count / 2; ++i) {
    even += (float)(codes[i] & 15) * x[2 * i];
    odd += (float)(codes[i] >> 4) * x[2 * i + 1];
  }
  if (count % 2 != 0) even += (float)(codes[count / 2] & 15) * x[count - 1];
  return even + odd;
}

/* The same for every number of bits and every layout, some codes at a time. */
static float dot_group_any(const scrooge_reader_tensor* w, uint64_t row, uint64_t first, const float* x,
                           uint64_t count) {
  uint8_t codes[64];
  float sum = 0;
  for (uint64_t done = 0; done < count; done += sizeof codes) {
    const size_t now = count - done < sizeof codes ? (size_t)(count - done) : sizeof codes;
    if (scrooge_reader_unpack_codes(w, row, first + done, now, codes) != SCROOGE_READER_OK) return 0;
    for (size_t i = 0; i < now; ++i) sum += (float)codes[i] * x[done + i];
  }
  return sum;
}

/* Bytes of a + b + c floats, or 0 where they are more than `limit`, the largest size of the machine, holds: the counts
 * are 64-bit numbers of a file that may be hostile, and size_t has 32 bits on many boards. */
static uint64_t bytes_of_floats(uint64_t a, uint64_t b, uint64_t c, uint64_t limit) {
  const uint64_t most = limit / sizeof(float);
  if (a > most || b > most - a || c > most - a - b) return 0;
  return (a + b + c) * sizeof(float);
}

/* y[N] = W[N,K] x[K]. A weight is (code - zero) * scale, so a group adds scale * (sum of code * x - zero * sum of x),
 * and its sum of x is the same for every row: `sums`, one number per group. */
static scrooge_reader_status multiply(const scrooge_reader_tensor* w, const float* x, float* sums, float* y) {
  const scrooge_reader_plane* codes = NULL;
  const scrooge_reader_status found = scrooge_reader_get_plane(w, SCROOGE_READER_PLANE_CODES, &codes);
  if (found != SCROOGE_READER_OK) return found;
  const int nibbles = w->scheme.bits == 4 && w->scheme.layout == SCROOGE_READER_LAYOUT_CANONICAL &&
                      (w->group_length % 2 == 0 || w->groups == 1);
  for (uint64_t k = 0; k < w->cols; ++k) {
    if (k % w->group_length == 0) sums[k / w->group_length] = 0;
    sums[k / w->group_length] += x[k];
  }
  for (uint64_t row = 0; row < w->rows; ++row) {
    y[row] = 0;
    for (uint64_t group = 0; group < w->groups; ++group) {
      const uint64_t first = group * w->group_length, left = w->cols - first;
      const uint64_t count = left < w->group_length ? left : w->group_length;
      float scale = 0, zero = 0;
      const scrooge_reader_status status = scrooge_reader_get_group(w, row, group, &scale, &zero);
      if (status != SCROOGE_READER_OK) return status;
      const float dot = nibbles ? dot_group_4bit(codes->data + row * codes->row_bytes + first / 2, x + first, count)
                                : dot_group_any(w, row, first, x + first, count);
      y[row] += scale * (dot - zero * sums[group]);
    }
  }
  return SCROOGE_READER_OK;
}

static int list(const scrooge_reader* reader) {
  printf("%s, %s: %" PRIu32 " tensors\n", reader->architecture, reader->tag, reader->tensor_count);
  for (uint32_t i = 0; i < reader->tensor_count; ++i) {
    scrooge_reader_tensor t;
    const scrooge_reader_status status = scrooge_reader_get_tensor(reader, i, &t);
    if (status != SCROOGE_READER_OK) return fail("tensor", status);
    printf("%s [%" PRIu64 ", %" PRIu64 "]", t.name, t.rows, t.cols);
    if (t.kind == SCROOGE_READER_TENSOR_QUANTIZED) printf(" %" PRIu32 " bits", t.scheme.bits);
    printf("\n");
  }
  return EXIT_SUCCESS;
}

static int run(const scrooge_reader* reader, const char* name) {
  scrooge_reader_tensor w;
  uint32_t index = 0;
  scrooge_reader_status status = scrooge_reader_find_tensor(reader, name, &index);
  if (status == SCROOGE_READER_OK) status = scrooge_reader_get_tensor(reader, index, &w);
  if (status != SCROOGE_READER_OK) return fail(name, status);
  if (w.kind != SCROOGE_READER_TENSOR_QUANTIZED) return fail(name, SCROOGE_READER_UNSUPPORTED_TYPE);

  const uint64_t bytes = bytes_of_floats(w.cols, w.groups, w.rows, SIZE_MAX);
  float* room = bytes == 0 ? NULL : malloc((size_t)bytes);
  if (room == NULL) {
    fprintf(stderr, "%s: its vectors do not fit into the memory of this machine\n", name);
    return EXIT_FAILURE;
  }
  float *x = room, *sums = x + w.cols, *y = sums + w.groups;
  for (uint64_t k = 0; k < w.cols; ++k) x[k] = ((float)(37 * k % 64) - 32) / 32;
  /* Weights were multiplied by the input scale, column by column; without a producer that does, x is divided here. */
  const scrooge_reader_plane* scale = NULL;
  if (!w.folded && scrooge_reader_get_plane(&w, SCROOGE_READER_PLANE_INPUT_SCALE, &scale) == SCROOGE_READER_OK) {
    for (uint64_t k = 0; k < w.cols; ++k) x[k] /= ((const float*)(const void*)scale->data)[k];
  }
  status = multiply(&w, x, sums, y);
  for (uint64_t row = 0; row < w.rows && status == SCROOGE_READER_OK; ++row) printf("%.9g\n", (double)y[row]);
  free(room);
  return status == SCROOGE_READER_OK ? EXIT_SUCCESS : fail(name, status);
}

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: %s MODEL [TENSOR]\n", argv[0]);
    return 2;
  }
  struct stat about;
  const int file = open(argv[1], O_RDONLY);
  if (file < 0 || fstat(file, &about) != 0 || about.st_size <= 0) {
    perror(argv[1]);
    return EXIT_FAILURE;
  }
  const size_t size = (size_t)about.st_size;
  if ((uint64_t)size != (uint64_t)about.st_size) {
    fprintf(stderr, "%s: larger than the address space of this machine\n", argv[1]);
    close(file);
    return EXIT_FAILURE;
  }
  void* data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (data == MAP_FAILED) {
    perror(argv[1]);
    return EXIT_FAILURE;
  }
  scrooge_reader reader;
  const scrooge_reader_status status = scrooge_reader_open(&reader, data, size);
  int result;
  if (status != SCROOGE_READER_OK) {
    result = fail(argv[1], status);
  } else {
    result = argc == 2 ? list(&reader) : run(&reader, argv[2]);
  }
  munmap(data, size);
  return result;
}
