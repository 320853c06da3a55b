/* SPDX-License-Identifier: Apache-2.0
 * Reads the model that is a part of this program, in place: prints the start of its first quantized matrix. With an
 * argument, writes the model to the file of that name instead. */
#include <scrooge/scrooge_reader.h>
#include <stdio.h>
#include <stdlib.h>

#include "tiny_model.h"

static int dump(const char* path) {
  FILE* file = fopen(path, "wb");
  const int written = file != NULL && fwrite(tiny_model, 1, tiny_model_size, file) == tiny_model_size;
  return file != NULL && fclose(file) == 0 && written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char** argv) {
  if (argc == 2) return dump(argv[1]);
  scrooge_reader reader;
  scrooge_reader_tensor tensor;
  float row[512];
  scrooge_reader_status status = scrooge_reader_open(&reader, tiny_model, tiny_model_size);
  for (uint32_t index = 0; status == SCROOGE_READER_OK && index < reader.tensor_count; ++index) {
    status = scrooge_reader_get_tensor(&reader, index, &tensor);
    if (status != SCROOGE_READER_OK || tensor.kind != SCROOGE_READER_TENSOR_QUANTIZED) continue;
    if (tensor.cols > sizeof row / sizeof row[0]) return EXIT_FAILURE;
    status = scrooge_reader_dequantize_row(&tensor, 0, row, sizeof row / sizeof row[0]);
    if (status == SCROOGE_READER_OK) printf("%s: %.4f %.4f %.4f\n", tensor.name, row[0], row[1], row[2]);
    break;
  }
  if (status != SCROOGE_READER_OK) fprintf(stderr, "%s\n", scrooge_reader_status_string(status));
  return status == SCROOGE_READER_OK && (uintptr_t)tiny_model % 256 == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
