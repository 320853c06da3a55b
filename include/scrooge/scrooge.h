/* SPDX-License-Identifier: Apache-2.0
 *
 * Scrooge: quantizes large language models on the machine at hand. This header is the whole product; the command line
 * and the language bindings use nothing else. It compiles alone as C99 and as C++.
 *
 * Conventions
 *  1. Handles are opaque. A function named create, open or prepare gives the caller a handle to pass to the matching
 *     destroy or close, which accept NULL. A function named get lends something that lives as long as its parent.
 *  2. Every call that can fail returns a scrooge_status; 0 is success. Most take a last argument scrooge_error **error,
 *     which may be NULL; on failure it receives an object with the full sentence (file, field, remedy), owned by the
 *     caller. On success it is set to NULL.
 *  3. Option structs begin with struct_size and are passed by pointer. Fill them with their _init function, which
 *     takes sizeof of the struct, then change fields. They only ever grow at the end; `next` is reserved and must be
 * NULL.
 *  4. Strings going in are NUL-terminated UTF-8 unless a length stands beside them; NULL means "not given". Strings
 *     coming out are NUL-terminated. Variable outputs take (buffer, capacity, *required): call with capacity 0 to learn
 *     the size, which counts the final NUL of text.
 *  5. A handle is used by one thread at a time; different handles are independent. scrooge_model and scrooge_tokenizer
 *     are immutable after open and may be read from several threads. scrooge_job_cancel may be called from any thread.
 *  6. Callbacks run on the thread that made the call, must not call back into the same handle, and must not throw.
 *  7. No global state, no printing, no abort, no exception across this boundary. Sizes are bytes unless said otherwise.
 *     Signals are the caller's: where files may grow above the limit of the process (RLIMIT_FSIZE), ignore SIGXFSZ, as
 *     the command does, and the write gives SCROOGE_NO_SPACE instead of ending the process.
 *  8. Symbols are never removed and structs never reordered within a major version.
 */
#ifndef SCROOGE_SCROOGE_H_
#define SCROOGE_SCROOGE_H_

#include <stddef.h>
#include <stdint.h>

#define SCROOGE_VERSION_MAJOR 0
#define SCROOGE_VERSION_MINOR 1
#define SCROOGE_VERSION_PATCH 0

#if defined(_WIN32)
#define SCROOGE_API
#else
#define SCROOGE_API __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define SCROOGE_MUST_USE __attribute__((warn_unused_result))
#else
#define SCROOGE_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version, status, errors ------------------------------------------------------------------------------------ */

/* major << 24 | minor << 12 | patch of the library at run time. */
SCROOGE_API uint32_t scrooge_version(void);
/* "0.1.0". Static. */
SCROOGE_API const char* scrooge_version_string(void);

typedef int32_t scrooge_status;
enum {
  SCROOGE_OK = 0,
  /* the call itself */
  SCROOGE_INVALID_ARGUMENT = 1,
  SCROOGE_OUT_OF_MEMORY = 2,
  SCROOGE_BUDGET_EXCEEDED = 3, /* the message names the minimum budget */
  SCROOGE_CANCELLED = 4,
  SCROOGE_UNAVAILABLE = 5, /* device, driver or feature missing on this machine */
  SCROOGE_UNSUPPORTED = 6,
  SCROOGE_INTERNAL = 7,
  /* files */
  SCROOGE_NOT_FOUND = 20,
  SCROOGE_PERMISSION_DENIED = 21,
  SCROOGE_IO_ERROR = 22,
  SCROOGE_NO_SPACE = 23,
  SCROOGE_INPUT_IS_OUTPUT = 24,
  SCROOGE_SOURCE_CHANGED = 25,
  /* inputs */
  SCROOGE_BAD_CHECKPOINT = 40,
  SCROOGE_MISSING_SHARD = 41,
  SCROOGE_MISSING_TENSOR = 42,
  SCROOGE_WRONG_SHAPE = 43,
  SCROOGE_BAD_CONFIG = 44,
  SCROOGE_UNKNOWN_ARCHITECTURE = 45,
  SCROOGE_MISSING_TOKENIZER = 46,
  SCROOGE_BAD_TOKENIZER = 47,
  SCROOGE_UNKNOWN_TOKENIZER = 48,
  SCROOGE_BAD_TEXT = 49,
  SCROOGE_NON_FINITE = 50,
  /* Scrooge's own files */
  SCROOGE_BAD_MODEL_FILE = 60,
  SCROOGE_CHECKSUM_MISMATCH = 61,
  SCROOGE_UNSUPPORTED_VERSION = 62,
  SCROOGE_FINGERPRINT_MISMATCH = 63
};

/* "bad checkpoint" and so on; "unknown status" for other values. Static. */
SCROOGE_API const char* scrooge_status_string(scrooge_status status);

typedef struct scrooge_error scrooge_error;
/* Both accept NULL (SCROOGE_OK, ""). The text lives as long as the error. */
SCROOGE_API scrooge_status scrooge_error_get_status(const scrooge_error* error);
SCROOGE_API const char* scrooge_error_get_message(const scrooge_error* error);
SCROOGE_API void scrooge_error_destroy(scrooge_error* error);

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

enum { SCROOGE_LOG_DEBUG = 0, SCROOGE_LOG_INFO = 1, SCROOGE_LOG_WARNING = 2, SCROOGE_LOG_ERROR = 3 };
typedef void (*scrooge_log_fn)(void* user, int32_t level, const char* text);

/* allocate returns NULL on failure; alignment is a power of two up to 256. release gets what allocate gave. Called from
 * the job's thread. Both set, or neither. */
typedef struct scrooge_allocator {
  uint32_t struct_size;
  uint32_t reserved;
  void* (*allocate)(void* user, size_t size, size_t alignment);
  void (*release)(void* user, void* pointer, size_t size);
  void* user;
} scrooge_allocator;

enum { SCROOGE_CONTINUE = 0, SCROOGE_CANCEL = 1 };
enum {
  SCROOGE_PHASE_PREPARE = 0,    /* opening, tokenizing */
  SCROOGE_PHASE_BLOCK = 1,      /* inside a block */
  SCROOGE_PHASE_BLOCK_DONE = 2, /* the figures of the block are final */
  SCROOGE_PHASE_FINISH = 3,     /* embedding, head, index, sync */
  SCROOGE_PHASE_EVALUATE = 4,
  SCROOGE_PHASE_VERIFY = 5,
  SCROOGE_PHASE_REPACK = 6
};

typedef struct scrooge_progress {
  uint32_t struct_size;
  int32_t phase;
  uint32_t block;  /* 0-based */
  uint32_t blocks; /* of the whole job */
  double fraction; /* of the whole job, 0 to 1 */
  double elapsed_seconds;
  double eta_seconds;            /* negative while unknown */
  double tokens_per_second;      /* calibration or evaluation tokens through one block; 0 while unknown */
  double calibrate_seconds;      /* of this block: forward passes and statistics */
  double quantize_seconds;       /* of this block: search, rounding, packing */
  double loss;                   /* of this block: squared output error, summed over its linears, per token */
  double loss_rtn;               /* the same for round-to-nearest */
  uint64_t memory_before;        /* budget in use when the block began */
  uint64_t memory_after;         /* now */
  uint64_t memory_peak;          /* of the job so far */
  uint64_t memory_limit;         /* UINT64_MAX when unlimited */
  const char* stage;             /* "qkv", "o", "gate_up", "down", "embedding", ...; never NULL */
  uint64_t device_memory_before; /* the same of a device with memory of its own; 0 for the others, as the next two */
  uint64_t device_memory_after;
  uint64_t device_memory_peak;  /* of this block */
  uint64_t device_memory_limit; /* UINT64_MAX when unlimited, and for the others */
} scrooge_progress;

/* Returns SCROOGE_CONTINUE, or SCROOGE_CANCEL to stop the call with SCROOGE_CANCELLED. Called on the thread of the call
 * it belongs to (prepare, convert, evaluate, verify, repack); while something takes long the last report is repeated,
 * many times a second, so that returning SCROOGE_CANCEL stops the call within 200 ms, as scrooge_job_cancel does. What
 * waits for the disk (a sync) or works on a text in one piece may take longer. */
typedef int32_t (*scrooge_progress_fn)(void* user, const scrooge_progress* progress);

/* ---- devices ---------------------------------------------------------------------------------------------------- */

typedef struct scrooge_device_info {
  uint32_t struct_size;
  uint32_t available;   /* 0: `unfit` says why not, and `features` too */
  uint64_t total_bytes; /* 0 when unknown */
  uint64_t free_bytes;
  char id[32]; /* what options.device takes: "cpu", "cuda:1" */
  char name[128];
  char features[256];  /* what the library uses of it */
  uint32_t own_memory; /* 1: its buffers are no memory of the host, and have options.device_memory for a budget */
  uint32_t software;   /* 1: a driver that computes on the processor, which "auto" never takes */
  char driver[128];    /* its name and version; empty for the host */
  char unfit[256];     /* why the device cannot be used; empty when it can */
  char reason[256];    /* of scrooge_device_find: why it is this one; empty where the name said so */
} scrooge_device_info;

SCROOGE_API uint32_t scrooge_device_count(void);
/* SCROOGE_INVALID_ARGUMENT when index >= count. Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_device_get_info(uint32_t index, scrooge_device_info* info,
                                                                    scrooge_error** error);
/* The device that options.device means by `name`. "cpu", "vulkan", "cuda:1": that device, by backend and index; a
 * backend alone is its first device. "auto": the best fit, which is a card with memory of its own, CUDA before Vulkan,
 * else an integrated one, else the cpu; no driver that computes in software, nothing unfit. Any other text, such as
 * "h200": the device whose name has it, in any case. SCROOGE_UNAVAILABLE for what is missing or unfit: no other device
 * takes its place. SCROOGE_INVALID_ARGUMENT for an index that is too high, and where several names have the text,
 * naming them. Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_device_find(const char* name, scrooge_device_info* info,
                                                                scrooge_error** error);

/* ---- quantization job ------------------------------------------------------------------------------------------- */

enum { SCROOGE_METHOD_AWQ = 0, SCROOGE_METHOD_RTN = 1 };
/* Which inputs a linear is calibrated on: those that every earlier quantized linear left (LINEAR), earlier quantized
 * blocks but original linears inside a block (BLOCK), or the original model's (NONE, classic AWQ). */
enum { SCROOGE_PROPAGATE_LINEAR = 0, SCROOGE_PROPAGATE_BLOCK = 1, SCROOGE_PROPAGATE_NONE = 2 };
/* Combinations of the search (src/pipeline/README.md has what each costs and gains): FAST is plain AWQ with rounding to
 * nearest, DEFAULT adds second-order rounding, coordinate descent on the codes, error correction and refitted scales,
 * MAX repeats the descent and the refit. */
enum { SCROOGE_EFFORT_FAST = 0, SCROOGE_EFFORT_DEFAULT = 1, SCROOGE_EFFORT_MAX = 2 };
/* Which rows of the calibration text are taken where it has more than are wanted: the first, evenly spaced ones, or
 * random ones chosen by the seed. */
enum { SCROOGE_SAMPLING_FIRST = 0, SCROOGE_SAMPLING_EVEN = 1, SCROOGE_SAMPLING_RANDOM = 2 };
/* Hidden states are kept beside the output behind every block, so that after an interruption no finished block runs
 * again, where writing them is cheap beside the work of a block (AUTO); always (KEEP), or never (REPLAY). They take
 * scrooge_plan.states_bytes of disk until the output is there. */
enum { SCROOGE_STATES_AUTO = 0, SCROOGE_STATES_KEEP = 1, SCROOGE_STATES_REPLAY = 2 };
enum { SCROOGE_SCALE_FP16 = 0, SCROOGE_SCALE_BF16 = 1 };

typedef struct scrooge_quantize_options {
  uint32_t struct_size;
  uint32_t reserved;
  void* next;                   /* must be NULL */
  const char* checkpoint;       /* folder with config.json and safetensors, or a GGUF file */
  const char* output;           /* the .scrooge file to write */
  const char* calibration_text; /* UTF-8 text file; not needed by RTN */
  const char* calibration_ids;  /* instead of text: token ids as decimal text, separated by white space or commas */
  uint32_t samples;             /* rows of calibration tokens */
  uint32_t length;              /* tokens per row */
  uint32_t bits;                /* 2, 3, 4, 8 */
  uint32_t group;               /* weights per scale along the input; 0: one group per row */
  int32_t symmetric;            /* 0 or 1 */
  int32_t method;               /* SCROOGE_METHOD_* */
  int32_t scale_type;           /* SCROOGE_SCALE_* */
  int32_t propagate;            /* SCROOGE_PROPAGATE_* */
  uint32_t grid;                /* alpha steps of the scale search; 0 keeps the identity */
  int32_t clip;                 /* 1: search the clip range of every group */
  uint32_t threads;             /* 0: all processors of this process */
  uint32_t reserved2;
  uint64_t seed;                      /* of SCROOGE_SAMPLING_RANDOM; with another sampling it must be 0 */
  uint64_t memory;                    /* host budget in bytes; 0: what is free (below); UINT64_MAX: no limit */
  const char* device;                 /* what scrooge_device_find takes; NULL: "cpu" */
  const scrooge_allocator* allocator; /* NULL: anonymous maps; copied, its functions must outlive the job */
  scrooge_progress_fn progress;       /* may be NULL */
  void* progress_user;
  scrooge_log_fn log; /* may be NULL */
  void* log_user;
  int32_t effort;       /* SCROOGE_EFFORT_*; picks what the next three and `refine` leave open */
  int32_t refit;        /* sweeps of scale refitting after rounding; negative: by effort */
  const char* rounding; /* "nearest", "heuristic", "gptq"; NULL: by effort */
  double correct;       /* error correction towards the original output, 0 to 1; negative: by effort */
  int32_t refine;       /* sweeps of coordinate descent on the codes, before each refit; negative: by effort */
  int32_t sampling;     /* SCROOGE_SAMPLING_* */
  double held_out;      /* percent of the calibration tokens kept apart to check the result on, 0 to 50 (below) */
  double outliers;      /* percent of the tokens, the most extreme ones, left out of the statistics, 0 to 50 */
  uint64_t max_tokens_per_sample; /* tokens of a row, evenly spaced, that enter the statistics; 0: all */
  const char* spill;              /* folder for what the memory budget has no room for; NULL: nothing is spilled */
  int32_t fresh;  /* 1: start over; 0: go on where an earlier run of the same job stopped (scrooge_job_convert) */
  int32_t states; /* SCROOGE_STATES_*: what going on after an interruption starts from */
  uint64_t device_memory;       /* budget of a device with memory of its own, in bytes (below); 0: what it has free */
  const char* save_calibration; /* file for what the calibration finds, beside the output; NULL: none */
  const char* from_calibration; /* such a file, to quantize from without a text and without a forward pass (below) */
  const char* layout; /* of the quantized tensors: "canonical" (also for NULL), "interleaved4", "interleaved8" or "awq",
                         as for scrooge_repack */
  int32_t reproducible; /* 1: arithmetic in one fixed order, slower, so that the output's bytes are the same on every
                           processor and system. The device must be the cpu. 0: as fast as this processor can */
  uint32_t reserved3;
} scrooge_quantize_options;

/* A job from_calibration takes scales and clip ranges from the file, as it takes from it all that says how they were
 * found (grid, propagate, samples, ...: those options are not looked at). Checkpoint, bits, group, symmetric and
 * scale_type must be what the file was made for, or SCROOGE_FINGERPRINT_MISMATCH names what differs. `rounding` may be
 * "nearest" (also for NULL, whatever the effort) or "heuristic", and clip 0; what needs the statistics that the file
 * does not keep (rounding "gptq"; correct, refine, refit above 0) is SCROOGE_INVALID_ARGUMENT, as are a calibration
 * text, save_calibration and another method beside it. */

/* Whole rows are held out, as many as come nearest to the percentage. Where these are none, or fewer than 64 tokens,
 * which decide nothing, none is, and where they come nowhere near, as of few long rows, what is held out is so much:
 * both with a warning. */

/* What is free, when no budget is given: the least of what the process's cgroups (version 2) and its resource limits
 * leave and of the machine's available memory, less a margin of a tenth, at least 64 MiB, for what the budget does not
 * count. Found once, by prepare or evaluate. The bytes of the output never depend on the budget. */

/* A device with memory of its own has device_memory for its buffers and scratch: bytes, UINT64_MAX for no limit, or 0
 * for what it has free, less a margin of a tenth, at least 64 MiB; what it stages in the host's memory counts against
 * `memory`. Of a device that uses the host's memory, the cpu or an integrated one, device_memory is a second ceiling (0
 * and UINT64_MAX: none), and the smaller of both is the one budget, for the memory is one. */

/* Defaults: awq, default effort, 4 bits, group 128, asymmetric, fp16 scales, 128 samples of 512 tokens, grid 20, clip
 * on, propagate linear, first rows of the text, 10 percent held out, what memory is free, device "cpu". */
SCROOGE_API void scrooge_quantize_options_init(scrooge_quantize_options* options, size_t struct_size);
/* Sets samples, length and effort of initialized options, by how much memory and time there is; change what you like
 * afterwards. "minimal": 16 x 256 tokens, fast; "fast": 32 x 512, fast; "production": 128 x 512, default (what init
 * gives); "max": 256 x 1024, max. SCROOGE_INVALID_ARGUMENT for other names. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_quantize_options_preset(scrooge_quantize_options* options,
                                                                            const char* name, scrooge_error** error);

typedef struct scrooge_job scrooge_job;

/* Opens and validates everything, tokenizes, and plans memory; writes nothing. The options are copied. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_prepare(const scrooge_quantize_options* options,
                                                                scrooge_job** job, scrooge_error** error);

/* Where the budget comes from: nowhere, options.memory, options.device_memory (of a device that uses host memory), what
 * the cgroup, the machine or the limits of the process leave, or what the device has free. */
enum {
  SCROOGE_BUDGET_UNLIMITED = 0,
  SCROOGE_BUDGET_GIVEN = 1,
  SCROOGE_BUDGET_DEVICE = 2,
  SCROOGE_BUDGET_CGROUP = 3,
  SCROOGE_BUDGET_MACHINE = 4,
  SCROOGE_BUDGET_PROCESS = 5,
  SCROOGE_BUDGET_FREE = 6
};

typedef struct scrooge_plan {
  uint32_t struct_size;
  uint32_t blocks;
  uint64_t peak_bytes;           /* planned peak of everything allocated under the budget */
  uint64_t minimum_bytes;        /* the smallest budget this job can run in */
  uint64_t budget_bytes;         /* UINT64_MAX: no limit */
  uint64_t output_bytes;         /* size of the file */
  uint64_t tokens;               /* calibration tokens used */
  uint64_t tokens_dropped;       /* of what was read: a tail that filled no row, rows that were not chosen */
  double bits_per_weight;        /* of the block linears as stored */
  uint64_t spill_bytes;          /* of disk in the spill folder, while the job runs */
  uint64_t overhead_bytes;       /* of the process itself: code, heap; in peak_bytes, not in minimum_bytes */
  int32_t budget_origin;         /* SCROOGE_BUDGET_* */
  uint32_t items;                /* of scrooge_job_get_plan_item */
  uint64_t states_bytes;         /* of disk beside the output, while the job runs, for hidden states that are kept */
  uint64_t device_peak_bytes;    /* planned, of a device with memory of its own; 0 for the others, as the next */
  uint64_t device_minimum_bytes; /* beside this host budget, as minimum_bytes is beside this budget of the device */
  uint64_t device_budget_bytes;  /* UINT64_MAX: no limit, or no memory of its own */
  int32_t device_budget_origin;  /* SCROOGE_BUDGET_*: UNLIMITED, GIVEN or FREE */
  uint32_t device_own_memory;    /* 1: the device has memory of its own */
  const char* device;            /* its id; lives as long as the job, as do the next two */
  const char* device_name;
  const char* device_reason;  /* why it is this one; empty where options.device said so */
  uint64_t held_out_tokens;   /* of `tokens`, kept apart to check the result on, as whole rows come nearest */
  uint64_t statistics_tokens; /* of the others, that enter the statistics, before outliers are left out */
  uint32_t disks;             /* of scrooge_job_get_disk */
  uint32_t reserved;
} scrooge_plan;

/* Set plan->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_plan(const scrooge_job* job, scrooge_plan* plan,
                                                                 scrooge_error** error);
/* How a buffer's contents are kept: in memory as a whole; passing through memory from or to a file; on disk in the
 * spill folder, or in the host's memory for a device with memory of its own (an item of its own there); not at all,
 * made again when wanted. */
enum {
  SCROOGE_PLACEMENT_HELD = 0,
  SCROOGE_PLACEMENT_STREAMED = 1,
  SCROOGE_PLACEMENT_SPILLED = 2,
  SCROOGE_PLACEMENT_RECOMPUTED = 3
};

/* Whose memory: the host's, as for a device that uses it, or that of a device with memory of its own. */
enum { SCROOGE_MEMORY_HOST = 0, SCROOGE_MEMORY_DEVICE = 1 };

typedef struct scrooge_plan_item {
  uint32_t struct_size;
  int32_t placement;   /* SCROOGE_PLACEMENT_* */
  const char* stage;   /* when it is there: "job", "solve", ...; lives until convert, as does purpose */
  const char* purpose; /* what it is for: "weights of a block" */
  uint64_t bytes;      /* of memory, under the budget */
  int32_t memory;      /* SCROOGE_MEMORY_* */
  uint32_t reserved;
} scrooge_plan_item;

/* Everything the job allocates under its budget, one item after another; items of a stage may stand apart.
 * SCROOGE_INVALID_ARGUMENT when index >= plan.items. Set item->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_plan_item(const scrooge_job* job, uint32_t index,
                                                                      scrooge_plan_item* item, scrooge_error** error);

typedef struct scrooge_disk {
  uint32_t struct_size;
  uint32_t reserved;
  const char* folder;      /* on it; lives as long as the job, as does the next */
  const char* purposes;    /* "output 60.1 MiB, spill files 2.0 GiB" */
  uint64_t bytes;          /* that the job still has to write there, while it runs and at its end */
  uint64_t required_bytes; /* of them, without hidden states that the job can do without (SCROOGE_STATES_AUTO) */
  uint64_t free_bytes;     /* UINT64_MAX where the file system does not say */
} scrooge_disk;

/* What the job needs of each disk it writes to, found by prepare; without an output path what lies beside the output is
 * left out. scrooge_job_convert looks again, and where required_bytes are not free it is SCROOGE_NO_SPACE before any
 * work. SCROOGE_INVALID_ARGUMENT when index >= plan.disks. Set disk->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_disk(const scrooge_job* job, uint32_t index,
                                                                 scrooge_disk* disk, scrooge_error** error);
/* The whole plan with its items and the settings it was made for, as JSON. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_plan_json(const scrooge_job* job, char* buffer,
                                                                      size_t capacity, size_t* required,
                                                                      scrooge_error** error);

typedef struct scrooge_time_plan {
  uint32_t struct_size;
  uint32_t items;        /* of scrooge_job_get_time_item */
  double seconds;        /* that convert takes, within a factor of about two on a machine without other work */
  double seconds_fast;   /* of the same job with SCROOGE_EFFORT_FAST; 0 where nothing is calibrated */
  double rate_exact;     /* of the device and its threads: operations a second of large f32 products */
  double rate_fast;      /* the same in the precision that calibration takes */
  int32_t rate_measured; /* 1: just now, on this machine; 0: what such a device does as a rule */
  uint32_t reserved;
} scrooge_time_plan;

typedef struct scrooge_time_item {
  uint32_t struct_size;
  uint32_t reserved;
  const char* purpose; /* "scale search", "second-order rounding", "error correction", ...; static */
  double seconds;      /* of the whole job */
} scrooge_time_item;

/* How long the job will take, estimated from shapes. The first call in a process may time a host device, for some
 * milliseconds of one core. Set time->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_time_plan(const scrooge_job* job, scrooge_time_plan* time,
                                                                      scrooge_error** error);
/* What each part of the work takes; the items sum up to `seconds`. SCROOGE_INVALID_ARGUMENT when index >= time.items.
 * Set item->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_time_item(const scrooge_job* job, uint32_t index,
                                                                      scrooge_time_item* item, scrooge_error** error);

/* Runs the job. The output appears under its name only when complete and durable; after any failure an older file of
 * that name is as it was. Finished blocks are durable in OUTPUT.partial with OUTPUT.journal beside it: after a crash, a
 * cancel or an error that may pass, the same job (whatever its budget, threads and spill folder) goes on behind the
 * last of them and gives the same bytes; SCROOGE_FINGERPRINT_MISMATCH names what differs for any other job, and for
 * this one on another kind of device. A device that refuses memory within its budget gets less to hold, one that is
 * lost is made once more; the bytes stay the same. While another process writes the output it waits, reporting
 * progress. May be called once per job. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_convert(scrooge_job* job, scrooge_error** error);
/* Thread-safe and async-signal-safe: convert returns SCROOGE_CANCELLED soon. */
SCROOGE_API void scrooge_job_cancel(scrooge_job* job);

/* What the guards did. Figures of a job that went on behind finished blocks include those. */
typedef struct scrooge_guards {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t held_out_tokens;     /* that checked the result */
  uint64_t statistics_tokens;   /* that entered the statistics; where blocks differ, of the one with the fewest */
  uint64_t overfit_corrections; /* stages solved again without error correction, for it failed on those held out */
  uint64_t overfit_linears;     /* worse than round-to-nearest on the held-out tokens, better on the others */
  uint64_t nearest_linears;     /* rounded to nearest in the end: all of a stage in which one is worse */
  uint64_t damped_stages;       /* whose second-order rounding took more than 1 % of damping */
  uint64_t broken_down_stages;  /* for which no damping was enough */
} scrooge_guards;
/* After convert. Set guards->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_guards(const scrooge_job* job, scrooge_guards* guards,
                                                                   scrooge_error** error);
/* After convert: everything measured, per block and per linear, as JSON. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_job_get_report_json(const scrooge_job* job, char* buffer,
                                                                        size_t capacity, size_t* required,
                                                                        scrooge_error** error);
SCROOGE_API void scrooge_job_destroy(scrooge_job* job);

/* ---- reading a .scrooge file ------------------------------------------------------------------------------------ */

enum {
  SCROOGE_OPEN_BOUNDS = 0,    /* superblock only: sizes and bounds */
  SCROOGE_OPEN_STRUCTURE = 1, /* and the index: verified, every plane inside the file, sizes consistent */
  SCROOGE_OPEN_CHECKSUMS = 2  /* and every byte of every plane */
};

typedef struct scrooge_model scrooge_model;
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_open(const char* path, int32_t level, scrooge_model** model,
                                                               scrooge_error** error);
SCROOGE_API void scrooge_model_close(scrooge_model* model);

enum { SCROOGE_TENSOR_DENSE = 0, SCROOGE_TENSOR_QUANTIZED = 1, SCROOGE_TENSOR_AUXILIARY = 2 };
enum { SCROOGE_DTYPE_F32 = 0, SCROOGE_DTYPE_F16 = 1, SCROOGE_DTYPE_BF16 = 2, SCROOGE_DTYPE_U8 = 3 };
enum { SCROOGE_PLANE_DATA = 0, SCROOGE_PLANE_CODES = 1, SCROOGE_PLANE_SCALES = 2, SCROOGE_PLANE_ZEROS = 3 };

enum { SCROOGE_LAYOUT_CANONICAL = 0, SCROOGE_LAYOUT_INTERLEAVED = 1, SCROOGE_LAYOUT_AWQ = 2 };

typedef struct scrooge_tensor_info {
  uint32_t struct_size;
  int32_t kind;     /* SCROOGE_TENSOR_* */
  const char* name; /* lives as long as the model */
  uint64_t rows;    /* N; 1 for vectors */
  uint64_t columns; /* K */
  int32_t dtype;    /* dense: of the data; quantized: of the scales; SCROOGE_DTYPE_* */
  uint32_t bits;    /* quantized only, as are the next three */
  uint64_t group;   /* weights per scale along K; the last group of a row may be shorter */
  int32_t symmetric;
  uint32_t layout;       /* SCROOGE_LAYOUT_*: the order of the planes; schema/README.md has the bytes */
  uint32_t layout_rows;  /* interleaved only, as is the next: rows of a tile */
  uint32_t layout_chunk; /* bytes of a row's codes that stay together */
} scrooge_tensor_info;

SCROOGE_API uint64_t scrooge_model_tensor_count(const scrooge_model* model);
/* Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_tensor(const scrooge_model* model, uint64_t index,
                                                                     scrooge_tensor_info* info, scrooge_error** error);
/* SCROOGE_MISSING_TENSOR when there is none of that name. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_find_tensor(const scrooge_model* model, const char* name,
                                                                      uint64_t* index, scrooge_error** error);
/* Zero copy: a pointer into the mapped file (reading it after another program cut the file short is a bus error; all
 * other calls read copies and report that), 256-byte aligned in it, valid until close. A plane that the tensor does
 * not have gives NULL and 0. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_plane(const scrooge_model* model, uint64_t index,
                                                                    int32_t plane, const void** data, uint64_t* size,
                                                                    scrooge_error** error);
/* rows [first, first + count) as f32, row-major; `out_floats`, the room in out, is at least count * columns. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_read_rows(const scrooge_model* model, uint64_t index,
                                                                    uint64_t first, uint64_t count, float* out,
                                                                    uint64_t out_floats, scrooge_error** error);
/* What the file holds: a model, or what a calibration found (options.save_calibration), which has no weights. */
enum { SCROOGE_CONTENTS_MODEL = 0, SCROOGE_CONTENTS_CALIBRATION = 1 };
SCROOGE_API int32_t scrooge_model_contents(const scrooge_model* model);

/* How a stage of a block, the linears that read one input, was calibrated. None in a file of round-to-nearest. */
typedef struct scrooge_stage_info {
  uint32_t struct_size;
  uint32_t block;
  const char* name;      /* "qkv"; lives as long as the model, as does the next */
  const char* candidate; /* the scale that was chosen: "identity", "mean_abs_weight", ... */
  double alpha;
  double loss_identity; /* of the scale search, by round-to-nearest, summed over tokens */
  double loss_chosen;
  uint64_t tokens; /* that entered the statistics */
  double damping;  /* of second-order rounding, a share of the mean diagonal; 0: none, or the file lacks it */
} scrooge_stage_info;
SCROOGE_API uint64_t scrooge_model_stage_count(const scrooge_model* model);
/* SCROOGE_INVALID_ARGUMENT when index >= count. Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_stage(const scrooge_model* model, uint64_t index,
                                                                    scrooge_stage_info* info, scrooge_error** error);

/* How well a linear was quantized. */
typedef struct scrooge_linear_info {
  uint32_t struct_size;
  uint32_t block;
  const char* name;  /* of its weight; lives as long as the model */
  double loss;       /* squared output error, summed over tokens; 0 where it was not measured, as the next */
  double loss_rtn;   /* the same for round-to-nearest */
  int32_t fell_back; /* 1: its stage was not better than round-to-nearest everywhere: unscaled, or rounded to nearest */
  uint32_t reserved;
  const char* rounding; /* what its codes went through, as options.rounding has it; empty where the file lacks it */
} scrooge_linear_info;
SCROOGE_API uint64_t scrooge_model_linear_count(const scrooge_model* model);
/* SCROOGE_INVALID_ARGUMENT when index >= count. Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_linear(const scrooge_model* model, uint64_t index,
                                                                     scrooge_linear_info* info, scrooge_error** error);
/* A file of the checkpoint that the file was made from. */
typedef struct scrooge_source_info {
  uint32_t struct_size;
  uint32_t reserved;
  const char* name;   /* without its folder; lives as long as the model, as does the next */
  const char* sha256; /* 64 hexadecimal digits; empty where it was not computed */
  uint64_t size;
} scrooge_source_info;
SCROOGE_API uint64_t scrooge_model_source_count(const scrooge_model* model);
/* SCROOGE_INVALID_ARGUMENT when index >= count. Set info->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_source(const scrooge_model* model, uint64_t index,
                                                                     scrooge_source_info* info, scrooge_error** error);
/* Everything about the file as JSON. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_model_get_json(const scrooge_model* model, char* buffer,
                                                                   size_t capacity, size_t* required,
                                                                   scrooge_error** error);
/* Opens with all checks and reads every byte; result_json may be NULL. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_verify(const char* path, scrooge_progress_fn progress, void* user,
                                                           char* result_json, size_t capacity, size_t* required,
                                                           scrooge_error** error);

/* ---- device layouts --------------------------------------------------------------------------------------------- */

typedef struct scrooge_repack_options {
  uint32_t struct_size;
  uint32_t reserved;
  void* next;         /* must be NULL */
  const char* input;  /* a .scrooge file of any layout */
  const char* output; /* the one to write */
  /* How the codes, scales and zeros of quantized tensors are ordered, by name:
   *   canonical     rows of bit streams, what every reader knows; also for NULL
   *   interleaved4  4 rows side by side, 8 bytes of each in turn (12 at 3 bits), for NEON and the like
   *   interleaved8  the same with 8 rows, for i8mm and wider
   *   awq           the word order of AutoAWQ's GEMM kernels: 4 bits, rows a multiple of 8, zeros always there
   * All hold the same numbers: from any into any other and back nothing is lost. */
  const char* layout;
  scrooge_progress_fn progress; /* may be NULL */
  void* progress_user;
} scrooge_repack_options;

SCROOGE_API void scrooge_repack_options_init(scrooge_repack_options* options, size_t struct_size);
/* Checks every byte of the input and writes it in another layout; nothing else in the file changes, and repacking back
 * gives the input's bytes. A few MiB of memory, whatever the size. The output appears under its name only when complete
 * and durable. SCROOGE_INVALID_ARGUMENT names the tensor that cannot be in the layout, before anything is written. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_repack(const scrooge_repack_options* options,
                                                           scrooge_error** error);

/* ---- evaluation ------------------------------------------------------------------------------------------------- */

typedef struct scrooge_evaluate_options {
  uint32_t struct_size;
  uint32_t reserved;
  void* next;            /* must be NULL */
  const char* model;     /* a .scrooge file or a checkpoint */
  const char* reference; /* a checkpoint to compare with, or NULL */
  const char* text;      /* UTF-8 text file */
  const char* token_ids; /* instead of text, as calibration_ids */
  uint32_t context;      /* tokens per window; windows do not overlap */
  uint32_t max_windows;  /* 0: all */
  uint32_t threads;      /* 0: all processors of this process */
  uint32_t reserved2;
  uint64_t memory; /* host budget in bytes; 0: what is free, as for scrooge_job_prepare; UINT64_MAX: no limit */
  const char* device;
  const scrooge_allocator* allocator;
  scrooge_progress_fn progress;
  void* progress_user;
  scrooge_log_fn log;
  void* log_user;
  uint64_t device_memory; /* as in scrooge_quantize_options */
} scrooge_evaluate_options;

/* Defaults: context 2048, all windows, what memory is free, device "cpu". */
SCROOGE_API void scrooge_evaluate_options_init(scrooge_evaluate_options* options, size_t struct_size);

typedef struct scrooge_evaluation {
  uint32_t struct_size;
  uint32_t has_reference;
  double perplexity; /* exp of the mean negative log-likelihood; each window of N tokens scores N - 1 */
  double kl;         /* mean KL(reference || model) in nats; with a reference only, as are the next two */
  double top1;       /* share of positions where both agree on the likeliest token, 0 to 1 */
  double reference_perplexity;
  uint64_t tokens;         /* scored */
  uint64_t tokens_dropped; /* tail that filled no window, or windows beyond max_windows */
  uint64_t peak_bytes;
  double seconds;
  uint64_t device_peak_bytes; /* of a device with memory of its own; 0 for the others */
} scrooge_evaluation;

/* Set result->struct_size before. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_evaluate(const scrooge_evaluate_options* options,
                                                             scrooge_evaluation* result, scrooge_error** error);

/* ---- tokenizer -------------------------------------------------------------------------------------------------- */

typedef struct scrooge_tokenizer scrooge_tokenizer;
/* `path`: a checkpoint (folder or GGUF), a tokenizer.json, or a .scrooge file. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_tokenizer_open(const char* path, scrooge_tokenizer** tokenizer,
                                                                   scrooge_error** error);
SCROOGE_API void scrooge_tokenizer_close(scrooge_tokenizer* tokenizer);
/* Text of `size` bytes to ids; no special token is added. `required` is in ids. */
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_tokenizer_encode(const scrooge_tokenizer* tokenizer,
                                                                     const char* text, size_t size, int32_t* ids,
                                                                     size_t capacity, size_t* required,
                                                                     scrooge_error** error);
SCROOGE_API SCROOGE_MUST_USE scrooge_status scrooge_tokenizer_decode(const scrooge_tokenizer* tokenizer,
                                                                     const int32_t* ids, size_t count, char* buffer,
                                                                     size_t capacity, size_t* required,
                                                                     scrooge_error** error);
SCROOGE_API int32_t scrooge_tokenizer_vocabulary_size(const scrooge_tokenizer* tokenizer);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SCROOGE_SCROOGE_H_ */
