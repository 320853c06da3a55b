// SPDX-License-Identifier: Apache-2.0
//! Scrooge quantizes large language models on the machine at hand, within a memory budget, into one `.scrooge` file.
//! This is the safe interface to its library; `scrooge/scrooge.h` has each option's meaning in full.
//!
//! ```no_run
//! # fn main() -> Result<(), scrooge::Error> {
//! let mut job = scrooge::Quantize::new("Qwen2.5-0.5B", "qwen.scrooge")
//!     .calibration_text("wiki.txt")
//!     .memory(2 << 30)
//!     .progress(|report| {
//!         eprintln!("{:3.0} % {}", 100.0 * report.fraction, report.stage);
//!         scrooge::Flow::Continue
//!     })
//!     .prepare()?; // opens, checks, plans; writes nothing
//! println!("peak {} bytes", job.plan()?.peak_bytes);
//! job.convert()?;
//!
//! let model = scrooge::Model::open("qwen.scrooge")?;
//! for tensor in model.tensors() {
//!     println!("{}: {} x {}", tensor.name(), tensor.rows(), tensor.columns());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Rules
//! - Handles close themselves. [`Model`] and [`Tokenizer`] are `Send + Sync`, a [`Job`] is `Send` only, and a
//!   [`CancelHandle`] stops a job from any thread: the thread rules of the C interface.
//! - An [`Error`] has a [`Status`] and the library's whole sentence: file, field, remedy.
//! - Closures run on the thread of the call that they belong to. One that panics stops the call, as if it had returned
//!   [`Flow::Cancel`]; when the library has cleaned up, the panic goes on from the call.
//! - Nothing is printed, and no state is global.
//! - Planes of a [`Model`] are the mapped file itself. The library replaces files and never changes one in place; whoever
//!   cuts or overwrites an open file with another program breaks its readers, in Rust as in C.
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

mod allocator;
mod call;
mod callbacks;
mod choices;
mod device;
mod error;
mod evaluate;
mod job;
mod model;
mod plan;
mod progress;
mod quantize;
mod repack;
mod settings;
mod stages;
mod tensor;
mod text;
mod tokenizer;
mod verify;

pub use allocator::Allocator;
pub use choices::{
    Budget, BudgetOrigin, Contents, DataType, Effort, Layout, LogLevel, Memory, Method, OpenLevel, Phase, Placement,
    Plane, Preset, Propagate, Rounding, Sampling, ScaleType, States, TensorKind,
};
pub use device::{devices, find_device, Device};
pub use error::{Error, Result, Status};
pub use evaluate::{Comparison, Evaluate, Evaluation};
pub use job::{CancelHandle, Job};
pub use model::{Model, Tensors};
pub use plan::{DevicePlan, DiskPlan, Guards, Plan, PlanItem, TimeItem, TimePlan};
pub use progress::{DeviceMemory, Flow, Progress};
pub use quantize::Quantize;
pub use repack::Repack;
pub use stages::{Linear, Linears, Source, Sources, Stage, Stages};
pub use tensor::{PlaneLayout, Quantization, TensorView};
pub use tokenizer::Tokenizer;
pub use verify::{verify, Verify};

/// Version of the library at run time: major, minor, patch.
///
/// ```
/// assert_eq!(scrooge::version().0, 0);
/// ```
pub fn version() -> (u32, u32, u32) {
    // SAFETY: takes nothing.
    let packed = unsafe { scrooge_sys::scrooge_version() };
    (packed >> 24, packed >> 12 & 0xfff, packed & 0xfff)
}
