/* SPDX-License-Identifier: Apache-2.0
 * Quantizes a checkpoint to 4 bits within 2 GiB and reads a row of the result back:
 *   quantize CHECKPOINT CALIBRATION_TEXT OUTPUT
 * Plain C99; link with -lscrooge. */
#include <inttypes.h>
#include <scrooge/scrooge.h>
#include <stdio.h>
#include <stdlib.h>

/* Prints and frees `error`; the exit code of main. */
static int fail(const char* doing, scrooge_status status, scrooge_error* error) {
  fprintf(stderr, "%s: %s: %s\n", doing, scrooge_status_string(status), scrooge_error_get_message(error));
  scrooge_error_destroy(error);
  return EXIT_FAILURE;
}

static int32_t on_progress(void* user, const scrooge_progress* progress) {
  (void)user;
  if (progress->phase == SCROOGE_PHASE_BLOCK_DONE) {
    printf("block %" PRIu32 " of %" PRIu32 ": loss %.3g, round-to-nearest %.3g\n", progress->block + 1,
           progress->blocks, progress->loss, progress->loss_rtn);
  }
  return SCROOGE_CONTINUE; /* SCROOGE_CANCEL would stop the job */
}

static int quantize(const scrooge_quantize_options* options) {
  scrooge_error* error = NULL;
  scrooge_job* job = NULL;
  scrooge_status status = scrooge_job_prepare(options, &job, &error);
  if (status != SCROOGE_OK) return fail("prepare", status, error);

  scrooge_plan plan = {.struct_size = sizeof(plan)};
  status = scrooge_job_get_plan(job, &plan, &error);
  if (status == SCROOGE_OK) {
    printf("planned peak %" PRIu64 " bytes, at least %" PRIu64 "; output %" PRIu64 " bytes\n", plan.peak_bytes,
           plan.minimum_bytes, plan.output_bytes);
    status = scrooge_job_convert(job, &error);
  }
  scrooge_job_destroy(job);
  return status == SCROOGE_OK ? EXIT_SUCCESS : fail("convert", status, error);
}

/* Prints the start of the first row of the first quantized linear, as the edge runtime would see it. */
static int print_first_row(const char* path) {
  scrooge_error* error = NULL;
  scrooge_model* model = NULL;
  scrooge_status status = scrooge_model_open(path, SCROOGE_OPEN_STRUCTURE, &model, &error);
  if (status != SCROOGE_OK) return fail("open", status, error);

  scrooge_tensor_info info = {.struct_size = sizeof(info)};
  uint64_t index = 0;
  for (; status == SCROOGE_OK && index < scrooge_model_tensor_count(model); ++index) {
    status = scrooge_model_get_tensor(model, index, &info, &error);
    if (status == SCROOGE_OK && info.kind == SCROOGE_TENSOR_QUANTIZED) break;
  }
  if (status == SCROOGE_OK && info.kind == SCROOGE_TENSOR_QUANTIZED) {
    float* row = info.columns > SIZE_MAX / sizeof(*row) ? NULL : malloc((size_t)info.columns * sizeof(*row));
    if (row == NULL) {
      status = SCROOGE_OUT_OF_MEMORY;
    } else {
      status = scrooge_model_read_rows(model, index, 0, 1, row, info.columns, &error);
    }
    if (status == SCROOGE_OK) printf("%s[0, 0] = %g\n", info.name, (double)row[0]);
    free(row);
  }
  scrooge_model_close(model); /* info.name ends here */
  return status == SCROOGE_OK ? EXIT_SUCCESS : fail("read", status, error);
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s CHECKPOINT CALIBRATION_TEXT OUTPUT\n", argv[0]);
    return 2;
  }
  scrooge_quantize_options options;
  scrooge_quantize_options_init(&options, sizeof options);
  options.checkpoint = argv[1];
  options.calibration_text = argv[2];
  options.output = argv[3];
  options.bits = 4;
  options.group = 32;
  options.samples = 16;
  options.length = 64;
  options.memory = UINT64_C(2) << 30;
  options.progress = on_progress;

  const int result = quantize(&options);
  return result == EXIT_SUCCESS ? print_first_row(argv[3]) : result;
}
