// SPDX-License-Identifier: Apache-2.0
//! The enumerations of scrooge.h.
use scrooge_sys as sys;

/// One that a caller chooses from.
macro_rules! input {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $constant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
        }

        impl $name {
            pub(crate) fn value(self) -> i32 {
                match self {
                    $($name::$item => sys::$constant,)*
                }
            }
        }
    };
}

/// One that the library answers with.
macro_rules! output {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $constant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
            /// One that this crate does not know: the library is newer.
            Unknown(i32),
        }

        impl $name {
            pub(crate) fn from_value(value: i32) -> $name {
                match value {
                    $(sys::$constant => $name::$item,)*
                    other => $name::Unknown(other),
                }
            }
        }
    };
}

input! {
    /// How weights are rounded to codes.
    Method {
        /// Activation-aware, calibrated.
        Awq = SCROOGE_METHOD_AWQ,
        /// To nearest, without calibration.
        Rtn = SCROOGE_METHOD_RTN,
    }
}

input! {
    /// Which inputs a linear is calibrated on.
    Propagate {
        /// Those that every earlier quantized linear left.
        Linear = SCROOGE_PROPAGATE_LINEAR,
        /// Those of earlier quantized blocks, with original linears inside a block.
        Block = SCROOGE_PROPAGATE_BLOCK,
        /// The original model's: classic AWQ.
        None = SCROOGE_PROPAGATE_NONE,
    }
}

input! {
    /// How much is tried for a better result.
    Effort {
        /// Plain AWQ, rounding to nearest.
        Fast = SCROOGE_EFFORT_FAST,
        /// Second-order rounding, descent on the codes, error correction, refitted scales.
        Default = SCROOGE_EFFORT_DEFAULT,
        /// Descent and refit repeated.
        Max = SCROOGE_EFFORT_MAX,
    }
}

input! {
    /// Which rows of a long calibration text are taken.
    Sampling {
        /// The first.
        First = SCROOGE_SAMPLING_FIRST,
        /// Evenly spaced ones.
        Even = SCROOGE_SAMPLING_EVEN,
        /// Random ones, by the seed.
        Random = SCROOGE_SAMPLING_RANDOM,
    }
}

input! {
    /// Whether hidden states are kept on disk beside the output, so that no finished block runs again after an
    /// interruption.
    States {
        /// Where writing them is cheap beside the work of a block.
        Auto = SCROOGE_STATES_AUTO,
        /// Always.
        Keep = SCROOGE_STATES_KEEP,
        /// Never.
        Replay = SCROOGE_STATES_REPLAY,
    }
}

input! {
    /// The type of scales in the file.
    ScaleType {
        /// IEEE binary16.
        Fp16 = SCROOGE_SCALE_FP16,
        /// bfloat16.
        Bf16 = SCROOGE_SCALE_BF16,
    }
}

input! {
    /// How much of a file is checked when it is opened.
    OpenLevel {
        /// The superblock: sizes and bounds. Nothing of the index is there to be asked for.
        Bounds = SCROOGE_OPEN_BOUNDS,
        /// And the index: verified, every plane inside the file, sizes consistent.
        Structure = SCROOGE_OPEN_STRUCTURE,
        /// And every byte of every plane.
        Checksums = SCROOGE_OPEN_CHECKSUMS,
    }
}

input! {
    /// What a plane of a tensor holds.
    Plane {
        /// The elements of a dense tensor.
        Data = SCROOGE_PLANE_DATA,
        /// Codes.
        Codes = SCROOGE_PLANE_CODES,
        /// Scales.
        Scales = SCROOGE_PLANE_SCALES,
        /// Zero points.
        Zeros = SCROOGE_PLANE_ZEROS,
    }
}

output! {
    /// What a job, evaluation or verification is doing.
    Phase {
        /// Opening, tokenizing.
        Prepare = SCROOGE_PHASE_PREPARE,
        /// Inside a block.
        Block = SCROOGE_PHASE_BLOCK,
        /// A block is done and its figures are final.
        BlockDone = SCROOGE_PHASE_BLOCK_DONE,
        /// Embedding, head, index, sync.
        Finish = SCROOGE_PHASE_FINISH,
        /// Evaluating.
        Evaluate = SCROOGE_PHASE_EVALUATE,
        /// Verifying.
        Verify = SCROOGE_PHASE_VERIFY,
        /// Repacking.
        Repack = SCROOGE_PHASE_REPACK,
    }
}

output! {
    /// How serious a line of the log is.
    LogLevel {
        /// For whoever works on the library.
        Debug = SCROOGE_LOG_DEBUG,
        /// Worth knowing.
        Info = SCROOGE_LOG_INFO,
        /// Something is not as it should be, and the call goes on.
        Warning = SCROOGE_LOG_WARNING,
        /// The call fails.
        Error = SCROOGE_LOG_ERROR,
    }
}

output! {
    /// Where a memory budget comes from.
    BudgetOrigin {
        /// There is none.
        Unlimited = SCROOGE_BUDGET_UNLIMITED,
        /// [`Quantize::memory`](crate::Quantize::memory).
        Given = SCROOGE_BUDGET_GIVEN,
        /// [`Quantize::device_memory`](crate::Quantize::device_memory).
        Device = SCROOGE_BUDGET_DEVICE,
        /// What the process's control group leaves.
        Cgroup = SCROOGE_BUDGET_CGROUP,
        /// What the machine has free.
        Machine = SCROOGE_BUDGET_MACHINE,
        /// What the limits of the process leave.
        Process = SCROOGE_BUDGET_PROCESS,
        /// What the device has free.
        DeviceFree = SCROOGE_BUDGET_FREE,
    }
}

output! {
    /// How the contents of a buffer are kept.
    Placement {
        /// In memory, as a whole.
        Held = SCROOGE_PLACEMENT_HELD,
        /// Passing through memory, from or to a file.
        Streamed = SCROOGE_PLACEMENT_STREAMED,
        /// On disk, in the spill folder; or with the host, for a device with memory of its own.
        Spilled = SCROOGE_PLACEMENT_SPILLED,
        /// Not at all: made again when wanted.
        Recomputed = SCROOGE_PLACEMENT_RECOMPUTED,
    }
}

output! {
    /// Whose memory something is in.
    Memory {
        /// The host's, which a device may use too.
        Host = SCROOGE_MEMORY_HOST,
        /// That of a device with memory of its own.
        Device = SCROOGE_MEMORY_DEVICE,
    }
}

output! {
    /// What a tensor is.
    TensorKind {
        /// Numbers as they are.
        Dense = SCROOGE_TENSOR_DENSE,
        /// Codes, scales and zero points.
        Quantized = SCROOGE_TENSOR_QUANTIZED,
        /// Numbers that say how others were made.
        Auxiliary = SCROOGE_TENSOR_AUXILIARY,
    }
}

output! {
    /// The type of elements, or of scales.
    DataType {
        /// IEEE binary32.
        F32 = SCROOGE_DTYPE_F32,
        /// IEEE binary16.
        F16 = SCROOGE_DTYPE_F16,
        /// bfloat16.
        Bf16 = SCROOGE_DTYPE_BF16,
        /// Bytes that mean something else.
        U8 = SCROOGE_DTYPE_U8,
    }
}

output! {
    /// What a `.scrooge` file holds.
    Contents {
        /// A model.
        Model = SCROOGE_CONTENTS_MODEL,
        /// What a calibration found: [`Quantize::save_calibration`](crate::Quantize::save_calibration).
        Calibration = SCROOGE_CONTENTS_CALIBRATION,
    }
}

/// A ceiling for what a job or an evaluation allocates. A number of bytes converts into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// What is free when the call begins, less a tenth.
    Free,
    /// That many bytes.
    Bytes(u64),
    /// None.
    Unlimited,
}

impl From<u64> for Budget {
    fn from(bytes: u64) -> Budget {
        Budget::Bytes(bytes)
    }
}

impl Budget {
    pub(crate) fn value(self) -> u64 {
        match self {
            Budget::Free => 0,
            Budget::Bytes(bytes) => bytes.max(1), // 0 has another meaning; a budget of 0 is refused like one of 1
            Budget::Unlimited => u64::MAX,
        }
    }
}

/// How codes are chosen between their neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rounding {
    /// The nearest.
    Nearest,
    /// The nearest, with the sum of a group kept.
    Heuristic,
    /// Second order, by the statistics of the inputs.
    Gptq,
}

impl Rounding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rounding::Nearest => "nearest",
            Rounding::Heuristic => "heuristic",
            Rounding::Gptq => "gptq",
        }
    }
}

/// Samples, length and effort that go together, by how much memory and time there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// The least memory.
    Minimal,
    /// The least time.
    Fast,
    /// What a new [`Quantize`](crate::Quantize) has.
    Production,
    /// The best result.
    Max,
}

impl Preset {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Preset::Minimal => "minimal",
            Preset::Fast => "fast",
            Preset::Production => "production",
            Preset::Max => "max",
        }
    }
}

/// In what order the planes of quantized tensors are written. All hold the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Rows of bit streams, what every reader knows.
    Canonical,
    /// 4 rows side by side, for NEON and the like.
    Interleaved4,
    /// 8 rows side by side, for i8mm and wider.
    Interleaved8,
    /// The word order of AutoAWQ's GEMM kernels: 4 bits, rows a multiple of 8.
    AutoAwq,
}

impl Layout {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Canonical => "canonical",
            Layout::Interleaved4 => "interleaved4",
            Layout::Interleaved8 => "interleaved8",
            Layout::AutoAwq => "awq",
        }
    }
}
