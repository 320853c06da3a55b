/* SPDX-License-Identifier: Apache-2.0
 * A runtime that links the reader and nothing else: reader_program MODEL.scrooge */
#include <scrooge/scrooge_reader.h>
#include <stdio.h>
#include <stdlib.h>

enum { kRoom = 1 << 20 };

int main(int argc, char** argv) {
  FILE* file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  unsigned char* bytes = (unsigned char*)malloc(kRoom + SCROOGE_READER_ALIGNMENT);
  unsigned char* aligned = bytes;
  scrooge_reader reader;
  if (file == NULL || bytes == NULL) return EXIT_FAILURE;
  while ((uintptr_t)aligned % SCROOGE_READER_ALIGNMENT != 0) ++aligned;
  const size_t size = fread(aligned, 1, kRoom, file);
  const scrooge_reader_status status = scrooge_reader_open(&reader, aligned, size);
  if (status == SCROOGE_READER_OK) {
    printf("reader: %lu tensors\n", (unsigned long)reader.tensor_count);
  } else {
    fprintf(stderr, "%s\n", scrooge_reader_status_string(status));
  }
  fclose(file);
  free(bytes);
  return status == SCROOGE_READER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
