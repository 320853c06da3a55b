/* SPDX-License-Identifier: Apache-2.0
 * A plain C99 user of the library: job_test CHECKPOINT CALIBRATION_TEXT SCRATCH_FOLDER */
#include <scrooge/scrooge.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

typedef struct job_paths {
  const char* checkpoint;
  const char* text;
  char output[4096];
} job_paths;

static scrooge_quantize_options small_job(const job_paths* paths) {
  scrooge_quantize_options options;
  scrooge_quantize_options_init(&options, sizeof options);
  options.checkpoint = paths->checkpoint;
  options.calibration_text = paths->text;
  options.output = paths->output;
  options.samples = 4;
  options.length = 32;
  options.group = 16;
  options.grid = 4;
  options.threads = 2;
  options.device = "cpu";
  return options;
}

static int file_exists(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file != NULL) fclose(file);
  return file != NULL;
}

static void names_and_versions(void) {
  const uint32_t version = scrooge_version();
  CHECK(version == ((uint32_t)SCROOGE_VERSION_MAJOR << 24 | (uint32_t)SCROOGE_VERSION_MINOR << 12 |
                    (uint32_t)SCROOGE_VERSION_PATCH));
  CHECK(strcmp(scrooge_version_string(), "0.1.0") == 0);
  CHECK(strcmp(scrooge_status_string(SCROOGE_BAD_CHECKPOINT), "bad checkpoint") == 0);
  CHECK(strcmp(scrooge_status_string(12345), "unknown status") == 0);
  CHECK(scrooge_error_get_status(NULL) == SCROOGE_OK);
  CHECK(strcmp(scrooge_error_get_message(NULL), "") == 0);
}

static void null_handles_are_accepted(void) {
  scrooge_error_destroy(NULL);
  scrooge_job_destroy(NULL);
  scrooge_job_cancel(NULL);
  scrooge_model_close(NULL);
  scrooge_tokenizer_close(NULL);
}

static void devices_are_listed(void) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_device_info info;
  int cpu_found = 0;
  const uint32_t count = scrooge_device_count();
  for (uint32_t index = 0; index < count; ++index) {
    memset(&info, 0, sizeof(info));
    info.struct_size = (uint32_t)sizeof(info);
    if (!EXPECT(SCROOGE_OK, scrooge_device_get_info(index, &info, &error))) continue;
    CHECK(memchr(info.id, '\0', sizeof(info.id)) != NULL && info.id[0] != '\0');
    CHECK((info.unfit[0] == '\0') == (info.available != 0));
    if (strcmp(info.id, "cpu") == 0) cpu_found = info.available != 0 && info.own_memory == 0 && info.software == 0;
  }
  CHECK(cpu_found);
  info.struct_size = (uint32_t)sizeof(info);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_get_info(count, &info, &error));
  info.struct_size = 0;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_get_info(0, &info, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_get_info(0, NULL, &error));
  /* A caller built before the later fields came. */
  memset(&info, 7, sizeof(info));
  info.struct_size = (uint32_t)offsetof(scrooge_device_info, own_memory);
  EXPECT(SCROOGE_OK, scrooge_device_get_info(0, &info, &error));
  CHECK(info.own_memory == 0x07070707);
}

static void devices_are_found_by_name(void) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_device_info info;
  memset(&info, 0, sizeof(info));
  info.struct_size = (uint32_t)sizeof(info);
  EXPECT(SCROOGE_OK, scrooge_device_find("cpu", &info, &error));
  CHECK(strcmp(info.id, "cpu") == 0 && info.available == 1 && info.reason[0] == '\0' && info.unfit[0] == '\0');
  EXPECT(SCROOGE_OK, scrooge_device_find("auto", &info, &error));
  CHECK(info.id[0] != '\0' && info.reason[0] != '\0' && info.software == 0);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_find("cpu:1", &info, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_find(NULL, &info, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_device_find("cpu", NULL, &error));
  EXPECT(SCROOGE_UNAVAILABLE, scrooge_device_find("no such device", &info, &error));
}

static void bad_options_are_refused(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_quantize_options options = small_job(paths);
  CHECK(options.struct_size == sizeof(options) && options.bits == 4 && options.memory == 0);

  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(NULL, &job, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, NULL, &error));
  CHECK(scrooge_job_prepare(NULL, &job, NULL) == SCROOGE_INVALID_ARGUMENT); /* the error object is optional */
  options.struct_size = 4;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.next = &options;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.checkpoint = NULL;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.bits = 5;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.group = 7;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.seed = 1; /* of random sampling, which this is not */
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options = small_job(paths);
  options.memory = 1024;
  EXPECT(SCROOGE_BUDGET_EXCEEDED, scrooge_job_prepare(&options, &job, &error));
  CHECK(job == NULL);
}

static void presets_fill_options(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_quantize_options options = small_job(paths);
  EXPECT(SCROOGE_OK, scrooge_quantize_options_preset(&options, "minimal", &error));
  CHECK(options.samples == 16 && options.length == 256 && options.effort == SCROOGE_EFFORT_FAST);
  CHECK(options.group == 16 && options.checkpoint == paths->checkpoint); /* nothing else */
  EXPECT(SCROOGE_OK, scrooge_quantize_options_preset(&options, "max", &error));
  CHECK(options.samples == 256 && options.length == 1024 && options.effort == SCROOGE_EFFORT_MAX);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_quantize_options_preset(&options, "huge", &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_quantize_options_preset(&options, NULL, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_quantize_options_preset(NULL, "max", &error));
  CHECK(options.samples == 256);
  options.struct_size = 8;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_quantize_options_preset(&options, "max", &error));
}

static uint64_t plan_items_are_summed(const scrooge_job* job, const scrooge_plan* plan) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_plan_item item;
  uint64_t sum = 0;
  memset(&item, 0, sizeof(item));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_plan_item(job, 0, &item, &error));
  item.struct_size = (uint32_t)sizeof(item);
  for (uint32_t index = 0; index < plan->items; ++index) {
    if (!EXPECT(SCROOGE_OK, scrooge_job_get_plan_item(job, index, &item, &error))) continue;
    CHECK(item.stage[0] != '\0' && item.purpose[0] != '\0');
    CHECK(item.placement >= SCROOGE_PLACEMENT_HELD && item.placement <= SCROOGE_PLACEMENT_RECOMPUTED);
    sum += item.bytes;
  }
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_plan_item(job, plan->items, &item, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_plan_item(job, 0, NULL, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_plan_item(NULL, 0, &item, &error));
  return sum;
}

/* The output is on the only disk; the tiny job's needs are free there. */
static void disks_are_planned(const scrooge_job* job, const scrooge_plan* plan) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_disk disk;
  memset(&disk, 0, sizeof(disk));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_disk(job, 0, &disk, &error));
  disk.struct_size = (uint32_t)sizeof(disk);
  CHECK(plan->disks == 1);
  if (EXPECT(SCROOGE_OK, scrooge_job_get_disk(job, 0, &disk, &error))) {
    CHECK(disk.folder[0] != '\0' && strncmp(disk.purposes, "output ", 7) == 0);
    CHECK(disk.bytes >= disk.required_bytes && disk.required_bytes > 0 && disk.required_bytes <= disk.free_bytes);
  }
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_disk(job, plan->disks, &disk, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_disk(job, 0, NULL, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_disk(NULL, 0, &disk, &error));
}

/* The items of the estimate sum up, correction costs what it costs, and half of the tokens is held out as asked. */
static void time_is_planned(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_plan plan;
  scrooge_time_plan time;
  scrooge_time_item item;
  double sum = 0;
  double seconds = 0;
  uint32_t index;
  int corrected = 0;
  scrooge_quantize_options options = small_job(paths);
  memset(&plan, 0, sizeof(plan));
  memset(&time, 0, sizeof(time));
  memset(&item, 0, sizeof(item));
  options.held_out = 50;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  plan.struct_size = (uint32_t)sizeof(plan);
  EXPECT(SCROOGE_OK, scrooge_job_get_plan(job, &plan, &error));
  CHECK(plan.held_out_tokens == plan.tokens / 2 && plan.statistics_tokens == plan.tokens / 2);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_time_plan(job, &time, &error)); /* no size */
  time.struct_size = (uint32_t)sizeof(time);
  item.struct_size = (uint32_t)sizeof(item);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_time_plan(job, NULL, &error));
  EXPECT(SCROOGE_OK, scrooge_job_get_time_plan(job, &time, &error));
  CHECK(time.seconds > time.seconds_fast && time.seconds_fast > 0);
  CHECK(time.rate_fast >= time.rate_exact && time.rate_exact > 0);
  for (index = 0; index < time.items; ++index) {
    if (!EXPECT(SCROOGE_OK, scrooge_job_get_time_item(job, index, &item, &error))) continue;
    CHECK(item.seconds > 0 && item.purpose[0] != '\0');
    if (strcmp(item.purpose, "error correction") == 0) corrected = 1;
    sum += item.seconds;
  }
  CHECK(corrected == 1 && sum > 0.999 * time.seconds && sum < 1.001 * time.seconds);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_time_item(job, time.items, &item, &error));
  seconds = time.seconds;
  scrooge_job_destroy(job);

  options.correct = 0;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  EXPECT(SCROOGE_OK, scrooge_job_get_time_plan(job, &time, &error));
  CHECK(time.seconds < seconds);
  scrooge_job_destroy(job);
}

static void budgets_have_an_origin(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_plan plan;
  scrooge_quantize_options options = small_job(paths);
  memset(&plan, 0, sizeof(plan));
  plan.struct_size = (uint32_t)sizeof(plan);
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  EXPECT(SCROOGE_OK, scrooge_job_get_plan(job, &plan, &error));
  CHECK(plan.budget_bytes > 0 && plan.budget_origin != SCROOGE_BUDGET_GIVEN);
  CHECK(plan.items > 0 && plan.overhead_bytes > 0 && plan.overhead_bytes < plan.peak_bytes);
  CHECK(plan_items_are_summed(job, &plan) > 0);
  disks_are_planned(job, &plan);
  CHECK(plan.device_own_memory == 0 && plan.device_peak_bytes == 0 && plan.device_budget_bytes == UINT64_MAX);
  CHECK(strcmp(plan.device, "cpu") == 0 && plan.device_name[0] != '\0' && plan.device_reason[0] == '\0');
  scrooge_job_destroy(job);

  options.memory = UINT64_C(1) << 30;
  options.device_memory = UINT64_MAX;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  EXPECT(SCROOGE_OK, scrooge_job_get_plan(job, &plan, &error));
  CHECK(plan.budget_bytes == UINT64_C(1) << 30 && plan.budget_origin == SCROOGE_BUDGET_GIVEN);
  scrooge_job_destroy(job);

  options.device_memory = 1024;
  EXPECT(SCROOGE_BUDGET_EXCEEDED, scrooge_job_prepare(&options, &job, &error));
  /* A caller built before the field came cannot set it. */
  options.struct_size = (uint32_t)offsetof(scrooge_quantize_options, device_memory);
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  scrooge_job_destroy(job);
}

static void a_missing_checkpoint_is_named(const job_paths* paths) {
  scrooge_error* error = NULL;
  scrooge_job* job = NULL;
  scrooge_quantize_options options = small_job(paths);
  options.checkpoint = "no/such/checkpoint";
  const scrooge_status status = scrooge_job_prepare(&options, &job, &error);
  CHECK(status >= SCROOGE_NOT_FOUND && status < SCROOGE_BAD_MODEL_FILE);
  CHECK(job == NULL);
  CHECK(strstr(scrooge_error_get_message(error), "no/such/checkpoint") != NULL);
  scrooge_error_destroy(error);
}

static void a_job_cancelled_early_writes_nothing(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_quantize_options options = small_job(paths);
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  scrooge_job_cancel(job);
  EXPECT(SCROOGE_CANCELLED, scrooge_job_convert(job, &error));
  scrooge_job_destroy(job);
  CHECK(!file_exists(paths->output));
}

/* Cancels inside the first block. */
static int32_t cancel_in_block(void* user, const scrooge_progress* progress) {
  int* calls = user;
  ++*calls;
  return progress->phase == SCROOGE_PHASE_BLOCK ? SCROOGE_CANCEL : SCROOGE_CONTINUE;
}

static void a_callback_cancels(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  int calls = 0;
  scrooge_quantize_options options = small_job(paths);
  options.progress = cancel_in_block;
  options.progress_user = &calls;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  EXPECT(SCROOGE_CANCELLED, scrooge_job_convert(job, &error));
  scrooge_job_destroy(job);
  CHECK(calls > 0);
  CHECK(!file_exists(paths->output));
}

typedef struct block_log {
  uint32_t blocks_done;
  uint32_t blocks;
  double last_fraction;
  int ordered;
} block_log;

static int32_t log_blocks(void* user, const scrooge_progress* progress) {
  block_log* log = user;
  CHECK(progress->stage != NULL);
  if (progress->fraction < log->last_fraction || progress->fraction > 1.0) log->ordered = 0;
  log->last_fraction = progress->fraction;
  if (progress->phase == SCROOGE_PHASE_BLOCK_DONE) {
    CHECK(progress->block == log->blocks_done);
    ++log->blocks_done;
    log->blocks = progress->blocks;
  }
  return SCROOGE_CONTINUE;
}

/* Asks for the size, then for the text; checks that both calls agree. The caller frees the result. */
static char* report_of(const scrooge_job* job) {
  scrooge_status status;
  scrooge_error* error;
  size_t required = 0;
  size_t again = 0;
  error = NULL;
  status = scrooge_job_get_report_json(job, NULL, 0, &required, &error);
  scrooge_error_destroy(error);
  CHECK(required > 1);
  char* text = malloc(required + 1);
  if (text == NULL) return NULL;
  EXPECT(SCROOGE_OK, scrooge_job_get_report_json(job, text, required, &again, &error));
  CHECK(again == required && strlen(text) + 1 == required);
  return text;
}

static void quantizes(const job_paths* paths) {
  static const char* const kKeys[] = {"\"seconds\"", "\"peak_bytes\"", "\"bits_per_weight\"",
                                      "\"linears\"", "\"blocks\"",     "\"output_bytes\"",
                                      "\"tokens\"",  "\"loss\"",       "\"loss_rtn\""};
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  block_log log = {0, 0, 0.0, 1};
  scrooge_quantize_options options = small_job(paths);
  options.progress = log_blocks;
  options.progress_user = &log;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;

  scrooge_plan plan;
  memset(&plan, 0, sizeof(plan));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_get_plan(job, &plan, &error));
  plan.struct_size = (uint32_t)sizeof(plan);
  EXPECT(SCROOGE_OK, scrooge_job_get_plan(job, &plan, &error));
  CHECK(plan.minimum_bytes > 0 && plan.minimum_bytes <= plan.peak_bytes && plan.output_bytes > 0);

  EXPECT(SCROOGE_OK, scrooge_job_convert(job, &error));
  CHECK(log.ordered && log.blocks > 0 && log.blocks_done == log.blocks && log.blocks == plan.blocks);
  CHECK(scrooge_job_convert(job, NULL) == SCROOGE_INVALID_ARGUMENT); /* once per job */

  char* report = report_of(job);
  for (size_t i = 0; report != NULL && i < sizeof(kKeys) / sizeof(kKeys[0]); ++i) {
    if (strstr(report, kKeys[i]) == NULL) {
      fprintf(stderr, "the report lacks %s\n", kKeys[i]);
      ++failures;
    }
  }
  free(report);
  scrooge_job_destroy(job);
}

/* Sizes of the planes against the shape; codes take exactly ceil(N * K * bits / 8) bytes or more, when rows are padded.
 */
static void check_quantized(const scrooge_model* model, uint64_t index, const scrooge_tensor_info* info) {
  scrooge_status status;
  scrooge_error* error;
  const void* data = NULL;
  uint64_t size = 0;
  CHECK(info->bits == 4 && info->group == 16 && info->symmetric == 0);
  CHECK(info->dtype == SCROOGE_DTYPE_F16);
  EXPECT(SCROOGE_OK, scrooge_model_get_plane(model, index, SCROOGE_PLANE_CODES, &data, &size, &error));
  CHECK(data != NULL && size >= info->rows * info->columns * info->bits / 8);
  EXPECT(SCROOGE_OK, scrooge_model_get_plane(model, index, SCROOGE_PLANE_SCALES, &data, &size, &error));
  const uint64_t groups = (info->columns + info->group - 1) / info->group;
  CHECK(data != NULL && size >= info->rows * groups * 2);
  EXPECT(SCROOGE_OK, scrooge_model_get_plane(model, index, SCROOGE_PLANE_ZEROS, &data, &size, &error));
  CHECK(data != NULL && size > 0);
  EXPECT(SCROOGE_OK, scrooge_model_get_plane(model, index, SCROOGE_PLANE_DATA, &data, &size, &error));
  CHECK(data == NULL && size == 0);
}

static void check_rows(const scrooge_model* model, uint64_t index, const scrooge_tensor_info* info) {
  scrooge_status status;
  scrooge_error* error;
  const uint64_t columns = info->columns;
  float* rows = malloc((size_t)(columns * 2) * sizeof(*rows));
  if (rows == NULL) return;
  const uint64_t count = info->rows > 1 ? 2 : 1;
  EXPECT(SCROOGE_OK, scrooge_model_read_rows(model, index, info->rows - count, count, rows, columns * 2, &error));
  for (uint64_t i = 0; i < count * columns; ++i) CHECK(rows[i] == rows[i] && rows[i] > -1e4f && rows[i] < 1e4f);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_read_rows(model, index, info->rows, 1, rows, columns, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_read_rows(model, index, 0, UINT64_MAX, rows, columns, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_read_rows(model, index, 0, 1, rows, columns - 1, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_read_rows(model, index, 0, 1, NULL, columns, &error));
  free(rows);
}

static void reads_what_it_wrote(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_model* model = NULL;
  scrooge_tensor_info info;
  uint64_t quantized = 0;
  uint64_t found = 0;
  EXPECT(SCROOGE_NOT_FOUND, scrooge_model_open("no_such_file.scrooge", SCROOGE_OPEN_STRUCTURE, &model, &error));
  EXPECT(SCROOGE_BAD_MODEL_FILE, scrooge_model_open(paths->text, SCROOGE_OPEN_STRUCTURE, &model, &error));
  CHECK(model == NULL);
  if (!EXPECT(SCROOGE_OK, scrooge_model_open(paths->output, SCROOGE_OPEN_CHECKSUMS, &model, &error))) return;
  const uint64_t count = scrooge_model_tensor_count(model);
  CHECK(count > 0);
  for (uint64_t index = 0; index < count; ++index) {
    memset(&info, 0, sizeof(info));
    info.struct_size = (uint32_t)sizeof(info);
    if (!EXPECT(SCROOGE_OK, scrooge_model_get_tensor(model, index, &info, &error))) continue;
    EXPECT(SCROOGE_OK, scrooge_model_find_tensor(model, info.name, &found, &error));
    CHECK(found == index);
    if (info.kind == SCROOGE_TENSOR_AUXILIARY) continue;
    CHECK(info.rows > 0 && info.columns > 0);
    check_rows(model, index, &info);
    if (info.kind != SCROOGE_TENSOR_QUANTIZED) continue;
    ++quantized;
    check_quantized(model, index, &info);
  }
  CHECK(quantized > 0);
  EXPECT(SCROOGE_MISSING_TENSOR, scrooge_model_find_tensor(model, "no such tensor", &found, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_tensor(model, count, &info, &error));
  size_t required = 0;
  status = scrooge_model_get_json(model, NULL, 0, &required, NULL);
  CHECK(required > 2);
  scrooge_model_close(model);
  EXPECT(SCROOGE_OK, scrooge_verify(paths->output, NULL, NULL, NULL, 0, NULL, &error));
}

static void evaluates(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_evaluate_options options;
  scrooge_evaluation result;
  scrooge_evaluate_options_init(&options, sizeof options);
  CHECK(options.struct_size == sizeof(options) && options.context == 2048);
  options.model = paths->output;
  options.reference = paths->checkpoint;
  options.text = paths->text;
  options.context = 32;
  options.max_windows = 4;
  CHECK(options.memory == 0 && options.device_memory == 0);
  memset(&result, 0, sizeof(result));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_evaluate(&options, &result, &error));
  result.struct_size = (uint32_t)sizeof(result);
  EXPECT(SCROOGE_OK, scrooge_evaluate(&options, &result, &error));
  CHECK(result.has_reference != 0 && result.tokens > 0 && result.peak_bytes > 0);
  CHECK(result.perplexity > 1.0 && result.reference_perplexity > 1.0);
  CHECK(result.kl >= 0.0 && result.kl < 10.0 && result.top1 >= 0.0 && result.top1 <= 1.0);
  options.device_memory = 1024;
  EXPECT(SCROOGE_BUDGET_EXCEEDED, scrooge_evaluate(&options, &result, &error));
  options.struct_size = (uint32_t)offsetof(scrooge_evaluate_options, device_memory);
  EXPECT(SCROOGE_OK, scrooge_evaluate(&options, &result, &error));
}

/* Saves what a fast calibration finds, looks at it, and quantizes from it. */
static void calibration_results_outlive_the_job(const job_paths* paths) {
  scrooge_status status;
  scrooge_error* error;
  scrooge_job* job = NULL;
  scrooge_model* model = NULL;
  char saved[4200];
  snprintf(saved, sizeof(saved), "%s.calib", paths->output);
  scrooge_quantize_options options = small_job(paths);
  options.effort = SCROOGE_EFFORT_FAST;
  options.save_calibration = saved;
  if (!EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) return;
  EXPECT(SCROOGE_OK, scrooge_job_convert(job, &error));
  scrooge_job_destroy(job);

  EXPECT(SCROOGE_OK, scrooge_verify(saved, NULL, NULL, NULL, 0, NULL, &error));
  if (!EXPECT(SCROOGE_OK, scrooge_model_open(saved, SCROOGE_OPEN_STRUCTURE, &model, &error))) return;
  CHECK(scrooge_model_contents(model) == SCROOGE_CONTENTS_CALIBRATION);
  CHECK(scrooge_model_contents(NULL) == SCROOGE_CONTENTS_MODEL && scrooge_model_stage_count(NULL) == 0);
  scrooge_stage_info stage;
  memset(&stage, 0, sizeof(stage));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_stage(model, 0, &stage, &error));
  stage.struct_size = (uint32_t)sizeof(stage);
  EXPECT(SCROOGE_OK, scrooge_model_get_stage(model, scrooge_model_stage_count(model) - 1, &stage, &error));
  CHECK(stage.block > 0 && strcmp(stage.name, "down") == 0 && stage.tokens > 0);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_stage(model, scrooge_model_stage_count(model), &stage, &error));
  scrooge_linear_info linear;
  memset(&linear, 0, sizeof(linear));
  linear.struct_size = (uint32_t)sizeof(linear);
  EXPECT(SCROOGE_OK, scrooge_model_get_linear(model, 0, &linear, &error));
  CHECK(linear.block == 0 && linear.loss > 0 && linear.loss <= linear.loss_rtn);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_linear(model, scrooge_model_linear_count(model), &linear, &error));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_linear(NULL, 0, &linear, &error));
  scrooge_source_info source;
  memset(&source, 0, sizeof(source));
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_source(model, 0, &source, &error));
  source.struct_size = (uint32_t)sizeof(source);
  EXPECT(SCROOGE_OK, scrooge_model_get_source(model, 0, &source, &error));
  CHECK(strcmp(source.name, "model.safetensors") == 0 && strlen(source.sha256) == 64 && source.size > 0);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_model_get_source(model, scrooge_model_source_count(model), &source, &error));
  CHECK(scrooge_model_source_count(NULL) == 0);
  scrooge_model_close(model);

  options.save_calibration = NULL;
  options.from_calibration = saved;
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error)); /* beside a text */
  options.calibration_text = NULL;
  options.rounding = "gptq";
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  options.rounding = NULL;
  options.bits = 3;
  EXPECT(SCROOGE_FINGERPRINT_MISMATCH, scrooge_job_prepare(&options, &job, &error));
  options.bits = 4;
  if (EXPECT(SCROOGE_OK, scrooge_job_prepare(&options, &job, &error))) {
    EXPECT(SCROOGE_OK, scrooge_job_convert(job, &error));
  }
  scrooge_job_destroy(job);
  /* A caller of before knows neither field. */
  options.struct_size = (uint32_t)offsetof(scrooge_quantize_options, save_calibration);
  EXPECT(SCROOGE_INVALID_ARGUMENT, scrooge_job_prepare(&options, &job, &error));
  remove(saved);
}

int main(int argc, char** argv) {
  job_paths paths;
  if (argc != 4) {
    fprintf(stderr, "usage: %s CHECKPOINT CALIBRATION_TEXT SCRATCH_FOLDER\n", argv[0]);
    return 2;
  }
  paths.checkpoint = argv[1];
  paths.text = argv[2];
  snprintf(paths.output, sizeof(paths.output), "%s/job_test.scrooge", argv[3]);
  remove(paths.output);

  names_and_versions();
  null_handles_are_accepted();
  devices_are_listed();
  devices_are_found_by_name();
  bad_options_are_refused(&paths);
  presets_fill_options(&paths);
  time_is_planned(&paths);
  budgets_have_an_origin(&paths);
  a_missing_checkpoint_is_named(&paths);
  a_job_cancelled_early_writes_nothing(&paths);
  a_callback_cancels(&paths);
  quantizes(&paths);
  reads_what_it_wrote(&paths);
  evaluates(&paths);
  calibration_results_outlive_the_job(&paths);
  remove(paths.output);
  if (failures != 0) fprintf(stderr, "%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}
