// SPDX-License-Identifier: Apache-2.0
//! The structs, handles and callback types of scrooge.h, field by field.

use crate::c_char;
use core::ffi::c_void;
use core::marker::{PhantomData, PhantomPinned};

/// A handle: made and read by the library alone, never `Send` or `Sync` by itself.
macro_rules! opaque {
    ($name:ident) => {
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            _private: [u8; 0],
            _marker: PhantomData<(*mut u8, PhantomPinned)>,
        }
    };
}

pub type scrooge_status = i32;

opaque!(scrooge_error);

pub type scrooge_log_fn = unsafe extern "C" fn(user: *mut c_void, level: i32, text: *const c_char);

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_allocator {
    pub struct_size: u32,
    pub reserved: u32,
    pub allocate: Option<unsafe extern "C" fn(user: *mut c_void, size: usize, alignment: usize) -> *mut c_void>,
    pub release: Option<unsafe extern "C" fn(user: *mut c_void, pointer: *mut c_void, size: usize)>,
    pub user: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_progress {
    pub struct_size: u32,
    pub phase: i32,
    pub block: u32,
    pub blocks: u32,
    pub fraction: f64,
    pub elapsed_seconds: f64,
    pub eta_seconds: f64,
    pub tokens_per_second: f64,
    pub calibrate_seconds: f64,
    pub quantize_seconds: f64,
    pub loss: f64,
    pub loss_rtn: f64,
    pub memory_before: u64,
    pub memory_after: u64,
    pub memory_peak: u64,
    pub memory_limit: u64,
    pub stage: *const c_char,
    pub device_memory_before: u64,
    pub device_memory_after: u64,
    pub device_memory_peak: u64,
    pub device_memory_limit: u64,
}

pub type scrooge_progress_fn = unsafe extern "C" fn(user: *mut c_void, progress: *const scrooge_progress) -> i32;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_device_info {
    pub struct_size: u32,
    pub available: u32,
    pub total_bytes: u64,
    pub free_bytes: u64,
    pub id: [c_char; 32],
    pub name: [c_char; 128],
    pub features: [c_char; 256],
    pub own_memory: u32,
    pub software: u32,
    pub driver: [c_char; 128],
    pub unfit: [c_char; 256],
    pub reason: [c_char; 256],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_quantize_options {
    pub struct_size: u32,
    pub reserved: u32,
    pub next: *mut c_void,
    pub checkpoint: *const c_char,
    pub output: *const c_char,
    pub calibration_text: *const c_char,
    pub calibration_ids: *const c_char,
    pub samples: u32,
    pub length: u32,
    pub bits: u32,
    pub group: u32,
    pub symmetric: i32,
    pub method: i32,
    pub scale_type: i32,
    pub propagate: i32,
    pub grid: u32,
    pub clip: i32,
    pub threads: u32,
    pub reserved2: u32,
    pub seed: u64,
    pub memory: u64,
    pub device: *const c_char,
    pub allocator: *const scrooge_allocator,
    pub progress: Option<scrooge_progress_fn>,
    pub progress_user: *mut c_void,
    pub log: Option<scrooge_log_fn>,
    pub log_user: *mut c_void,
    pub effort: i32,
    pub refit: i32,
    pub rounding: *const c_char,
    pub correct: f64,
    pub refine: i32,
    pub sampling: i32,
    pub held_out: f64,
    pub outliers: f64,
    pub max_tokens_per_sample: u64,
    pub spill: *const c_char,
    pub fresh: i32,
    pub states: i32,
    pub device_memory: u64,
    pub save_calibration: *const c_char,
    pub from_calibration: *const c_char,
    pub layout: *const c_char,
    pub reproducible: i32,
    pub reserved3: u32,
}

opaque!(scrooge_job);

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_plan {
    pub struct_size: u32,
    pub blocks: u32,
    pub peak_bytes: u64,
    pub minimum_bytes: u64,
    pub budget_bytes: u64,
    pub output_bytes: u64,
    pub tokens: u64,
    pub tokens_dropped: u64,
    pub bits_per_weight: f64,
    pub spill_bytes: u64,
    pub overhead_bytes: u64,
    pub budget_origin: i32,
    pub items: u32,
    pub states_bytes: u64,
    pub device_peak_bytes: u64,
    pub device_minimum_bytes: u64,
    pub device_budget_bytes: u64,
    pub device_budget_origin: i32,
    pub device_own_memory: u32,
    pub device: *const c_char,
    pub device_name: *const c_char,
    pub device_reason: *const c_char,
    pub held_out_tokens: u64,
    pub statistics_tokens: u64,
    pub disks: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_plan_item {
    pub struct_size: u32,
    pub placement: i32,
    pub stage: *const c_char,
    pub purpose: *const c_char,
    pub bytes: u64,
    pub memory: i32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_disk {
    pub struct_size: u32,
    pub reserved: u32,
    pub folder: *const c_char,
    pub purposes: *const c_char,
    pub bytes: u64,
    pub required_bytes: u64,
    pub free_bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_time_plan {
    pub struct_size: u32,
    pub items: u32,
    pub seconds: f64,
    pub seconds_fast: f64,
    pub rate_exact: f64,
    pub rate_fast: f64,
    pub rate_measured: i32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_time_item {
    pub struct_size: u32,
    pub reserved: u32,
    pub purpose: *const c_char,
    pub seconds: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_guards {
    pub struct_size: u32,
    pub reserved: u32,
    pub held_out_tokens: u64,
    pub statistics_tokens: u64,
    pub overfit_corrections: u64,
    pub overfit_linears: u64,
    pub nearest_linears: u64,
    pub damped_stages: u64,
    pub broken_down_stages: u64,
}

opaque!(scrooge_model);

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_tensor_info {
    pub struct_size: u32,
    pub kind: i32,
    pub name: *const c_char,
    pub rows: u64,
    pub columns: u64,
    pub dtype: i32,
    pub bits: u32,
    pub group: u64,
    pub symmetric: i32,
    pub layout: u32,
    pub layout_rows: u32,
    pub layout_chunk: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_stage_info {
    pub struct_size: u32,
    pub block: u32,
    pub name: *const c_char,
    pub candidate: *const c_char,
    pub alpha: f64,
    pub loss_identity: f64,
    pub loss_chosen: f64,
    pub tokens: u64,
    pub damping: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_linear_info {
    pub struct_size: u32,
    pub block: u32,
    pub name: *const c_char,
    pub loss: f64,
    pub loss_rtn: f64,
    pub fell_back: i32,
    pub reserved: u32,
    pub rounding: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_source_info {
    pub struct_size: u32,
    pub reserved: u32,
    pub name: *const c_char,
    pub sha256: *const c_char,
    pub size: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_repack_options {
    pub struct_size: u32,
    pub reserved: u32,
    pub next: *mut c_void,
    pub input: *const c_char,
    pub output: *const c_char,
    pub layout: *const c_char,
    pub progress: Option<scrooge_progress_fn>,
    pub progress_user: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_evaluate_options {
    pub struct_size: u32,
    pub reserved: u32,
    pub next: *mut c_void,
    pub model: *const c_char,
    pub reference: *const c_char,
    pub text: *const c_char,
    pub token_ids: *const c_char,
    pub context: u32,
    pub max_windows: u32,
    pub threads: u32,
    pub reserved2: u32,
    pub memory: u64,
    pub device: *const c_char,
    pub allocator: *const scrooge_allocator,
    pub progress: Option<scrooge_progress_fn>,
    pub progress_user: *mut c_void,
    pub log: Option<scrooge_log_fn>,
    pub log_user: *mut c_void,
    pub device_memory: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct scrooge_evaluation {
    pub struct_size: u32,
    pub has_reference: u32,
    pub perplexity: f64,
    pub kl: f64,
    pub top1: f64,
    pub reference_perplexity: f64,
    pub tokens: u64,
    pub tokens_dropped: u64,
    pub peak_bytes: u64,
    pub seconds: f64,
    pub device_peak_bytes: u64,
}

opaque!(scrooge_tokenizer);
