/* SPDX-License-Identifier: Apache-2.0
 * Layouts through the C ABI: repack_test CHECKPOINT SCRATCH_FOLDER */
#include <scrooge/scrooge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static char input[4096];
static char output[4096];
static char back[4096];

/* RTN: quick, and it needs no text. */
static void quantize(const char* checkpoint, const char* path, const char* layout) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_quantize_options options;
  scrooge_quantize_options_init(&options, sizeof options);
  CHECK(options.layout == NULL);
  options.checkpoint = checkpoint;
  options.output = path;
  options.method = SCROOGE_METHOD_RTN;
  options.group = 16;
  options.layout = layout;
  EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error));
  if (job == NULL) return;
  EXPECT(SCROOGE_OK, scrooge_job_convert(job, &error));
  scrooge_job_destroy(job);
}

static int same_bytes(const char* a, const char* b) {
  FILE* first = fopen(a, "rb");
  FILE* second = fopen(b, "rb");
  int same = first != NULL && second != NULL;
  while (same) {
    const int c = getc(first);
    same = c == getc(second);
    if (c == EOF) break;
  }
  if (first != NULL) fclose(first);
  if (second != NULL) fclose(second);
  return same;
}

static int32_t cancel_late(void* user, const scrooge_progress* progress) {
  CHECK(progress->phase == SCROOGE_PHASE_REPACK && progress->fraction >= 0 && progress->fraction <= 1);
  ++*(int*)user;
  return progress->fraction > 0.5 ? SCROOGE_CANCEL : SCROOGE_CONTINUE;
}

static void every_layout_there_and_back(const char* checkpoint) {
  static const struct {
    const char* name;
    uint32_t layout, rows;
  } kLayouts[] = {{"canonical", SCROOGE_LAYOUT_CANONICAL, 0},
                  {"interleaved4", SCROOGE_LAYOUT_INTERLEAVED, 4},
                  {"interleaved8", SCROOGE_LAYOUT_INTERLEAVED, 8},
                  {"awq", SCROOGE_LAYOUT_AWQ, 0}};
  scrooge_status status;
  scrooge_error* error;
  size_t i;
  for (i = 0; i < sizeof kLayouts / sizeof *kLayouts; ++i) {
    scrooge_repack_options options;
    scrooge_model* model = NULL;
    uint64_t index, quantized = 0;
    scrooge_repack_options_init(&options, sizeof options);
    CHECK(options.struct_size == sizeof options && options.layout == NULL);
    options.input = input;
    options.output = output;
    options.layout = kLayouts[i].name;
    EXPECT(SCROOGE_OK, scrooge_repack(&options, &error));
    EXPECT(SCROOGE_OK, scrooge_model_open(output, SCROOGE_OPEN_CHECKSUMS, &model, &error));
    for (index = 0; index < scrooge_model_tensor_count(model); ++index) {
      scrooge_tensor_info info;
      memset(&info, 0, sizeof info);
      info.struct_size = (uint32_t)sizeof info;
      EXPECT(SCROOGE_OK, scrooge_model_get_tensor(model, index, &info, &error));
      if (info.kind != SCROOGE_TENSOR_QUANTIZED) continue;
      ++quantized;
      CHECK(info.layout == kLayouts[i].layout && info.layout_rows == kLayouts[i].rows);
      CHECK((info.layout_chunk != 0) == (info.layout == SCROOGE_LAYOUT_INTERLEAVED));
    }
    CHECK(quantized > 0);
    scrooge_model_close(model);

    quantize(checkpoint, back, kLayouts[i].name);
    CHECK(same_bytes(back, output));
    options.input = output;
    options.output = back;
    options.layout = NULL;
    EXPECT(SCROOGE_OK, scrooge_repack(&options, &error));
    CHECK(same_bytes(back, input));
  }
}

static void wrong_calls_and_cancel(void) {
  scrooge_status status;
  scrooge_error* error;
  int reports = 0;
  scrooge_repack_options options;
  scrooge_repack_options_init(&options, sizeof options);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_repack(NULL, &error));
  options.input = input;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_repack(&options, &error));
  options.output = input;
  EXPECT(SCROOGE_INPUT_IS_OUTPUT, scrooge_repack(&options, &error));
  options.output = output;
  options.layout = "marlin";
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_repack(&options, &error));
  options.layout = "awq";
  options.next = &options;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_repack(&options, &error));
  options.next = NULL;
  options.struct_size = 8;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_repack(&options, &error));
  options.struct_size = (uint32_t)sizeof options;
  options.progress = &cancel_late;
  options.progress_user = &reports;
  (void)remove(output);
  EXPECT(SCROOGE_CANCELLED, scrooge_repack(&options, &error));
  CHECK(reports > 1);
  {
    FILE* file = fopen(output, "rb");
    CHECK(file == NULL);
    if (file != NULL) fclose(file);
  }
  options.input = "no_such_file.scrooge";
  CHECK(scrooge_repack(&options, NULL) == SCROOGE_NOT_FOUND); /* the error object may be left out */
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  (void)snprintf(input, sizeof input, "%s/repack_input.scrooge", argv[2]);
  (void)snprintf(output, sizeof output, "%s/repack_output.scrooge", argv[2]);
  (void)snprintf(back, sizeof back, "%s/repack_back.scrooge", argv[2]);
  quantize(argv[1], input, NULL);
  every_layout_there_and_back(argv[1]);
  wrong_calls_and_cancel();
  (void)remove(input);
  (void)remove(output);
  (void)remove(back);
  if (failures == 0) printf("repack_test: ok\n");
  return failures == 0 ? 0 : 1;
}
