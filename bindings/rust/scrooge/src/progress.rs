// SPDX-License-Identifier: Apache-2.0
use crate::choices::Phase;
use crate::text::borrow;
use scrooge_sys as sys;

/// Whether a call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It stops, with [`Status::Cancelled`](crate::Status::Cancelled).
    Cancel,
}

/// What a progress closure is told. While something takes long the last report is repeated, many times a second.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What is being done.
    pub phase: Phase,
    /// `qkv`, `o`, `gate_up`, `down`, `embedding` and so on.
    pub stage: &'a str,
    /// The block, from 0.
    pub block: u32,
    /// Blocks of the whole job.
    pub blocks: u32,
    /// Of the whole job, 0 to 1.
    pub fraction: f64,
    /// Since the job began.
    pub elapsed_seconds: f64,
    /// Until it ends, once that can be said.
    pub eta_seconds: Option<f64>,
    /// Tokens through one block, once that can be said.
    pub tokens_per_second: Option<f64>,
    /// Of this block: forward passes and statistics.
    pub calibrate_seconds: f64,
    /// Of this block: search, rounding, packing.
    pub quantize_seconds: f64,
    /// Of this block: squared output error, summed over its linears, per token.
    pub loss: f64,
    /// The same for rounding to nearest.
    pub loss_rtn: f64,
    /// Bytes of the budget in use when the block began.
    pub memory_before: u64,
    /// Now.
    pub memory_after: u64,
    /// At most, so far.
    pub memory_peak: u64,
    /// The budget, if there is one.
    pub memory_limit: Option<u64>,
    /// The same of a device with memory of its own.
    pub device_memory: Option<DeviceMemory>,
}

/// Bytes in use on a device with memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceMemory {
    /// When the block began.
    pub before: u64,
    /// Now.
    pub after: u64,
    /// At most, in this block.
    pub peak: u64,
    /// The budget, if there is one.
    pub limit: Option<u64>,
}

impl<'a> Progress<'a> {
    /// # Safety
    /// The text of `report` lives as long as `'a`.
    pub(crate) unsafe fn from_c(report: &sys::scrooge_progress) -> Progress<'a> {
        let device_memory = DeviceMemory {
            before: report.device_memory_before,
            after: report.device_memory_after,
            peak: report.device_memory_peak,
            limit: Some(report.device_memory_limit).filter(|limit| *limit != u64::MAX),
        };
        Progress {
            phase: Phase::from_value(report.phase),
            // SAFETY: the caller's word.
            stage: unsafe { borrow(report.stage) },
            block: report.block,
            blocks: report.blocks,
            fraction: report.fraction,
            elapsed_seconds: report.elapsed_seconds,
            eta_seconds: Some(report.eta_seconds).filter(|eta| *eta >= 0.0),
            tokens_per_second: Some(report.tokens_per_second).filter(|rate| *rate > 0.0),
            calibrate_seconds: report.calibrate_seconds,
            quantize_seconds: report.quantize_seconds,
            loss: report.loss,
            loss_rtn: report.loss_rtn,
            memory_before: report.memory_before,
            memory_after: report.memory_after,
            memory_peak: report.memory_peak,
            memory_limit: Some(report.memory_limit).filter(|limit| *limit != u64::MAX),
            device_memory: Some(device_memory).filter(|memory| memory.peak > 0),
        }
    }
}
