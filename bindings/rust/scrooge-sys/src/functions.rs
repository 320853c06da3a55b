// SPDX-License-Identifier: Apache-2.0
//! The functions of scrooge.h, in its order.

use crate::c_char;
use crate::types::*;
use core::ffi::c_void;

extern "C" {
    pub fn scrooge_version() -> u32;
    pub fn scrooge_version_string() -> *const c_char;
    pub fn scrooge_status_string(status: scrooge_status) -> *const c_char;
    pub fn scrooge_error_get_status(error: *const scrooge_error) -> scrooge_status;
    pub fn scrooge_error_get_message(error: *const scrooge_error) -> *const c_char;
    pub fn scrooge_error_destroy(error: *mut scrooge_error);
    pub fn scrooge_device_count() -> u32;
    #[must_use]
    pub fn scrooge_device_get_info(
        index: u32,
        info: *mut scrooge_device_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_device_find(
        name: *const c_char,
        info: *mut scrooge_device_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_quantize_options_init(options: *mut scrooge_quantize_options, struct_size: usize);
    #[must_use]
    pub fn scrooge_quantize_options_preset(
        options: *mut scrooge_quantize_options,
        name: *const c_char,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_prepare(
        options: *const scrooge_quantize_options,
        job: *mut *mut scrooge_job,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_plan(
        job: *const scrooge_job,
        plan: *mut scrooge_plan,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_plan_item(
        job: *const scrooge_job,
        index: u32,
        item: *mut scrooge_plan_item,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_disk(
        job: *const scrooge_job,
        index: u32,
        disk: *mut scrooge_disk,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_plan_json(
        job: *const scrooge_job,
        buffer: *mut c_char,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_time_plan(
        job: *const scrooge_job,
        time: *mut scrooge_time_plan,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_time_item(
        job: *const scrooge_job,
        index: u32,
        item: *mut scrooge_time_item,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_convert(job: *mut scrooge_job, error: *mut *mut scrooge_error) -> scrooge_status;
    pub fn scrooge_job_cancel(job: *mut scrooge_job);
    #[must_use]
    pub fn scrooge_job_get_guards(
        job: *const scrooge_job,
        guards: *mut scrooge_guards,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_job_get_report_json(
        job: *const scrooge_job,
        buffer: *mut c_char,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_job_destroy(job: *mut scrooge_job);
    #[must_use]
    pub fn scrooge_model_open(
        path: *const c_char,
        level: i32,
        model: *mut *mut scrooge_model,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_model_close(model: *mut scrooge_model);
    pub fn scrooge_model_tensor_count(model: *const scrooge_model) -> u64;
    #[must_use]
    pub fn scrooge_model_get_tensor(
        model: *const scrooge_model,
        index: u64,
        info: *mut scrooge_tensor_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_model_find_tensor(
        model: *const scrooge_model,
        name: *const c_char,
        index: *mut u64,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_model_get_plane(
        model: *const scrooge_model,
        index: u64,
        plane: i32,
        data: *mut *const c_void,
        size: *mut u64,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_model_read_rows(
        model: *const scrooge_model,
        index: u64,
        first: u64,
        count: u64,
        out: *mut f32,
        out_floats: u64,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_model_contents(model: *const scrooge_model) -> i32;
    pub fn scrooge_model_stage_count(model: *const scrooge_model) -> u64;
    #[must_use]
    pub fn scrooge_model_get_stage(
        model: *const scrooge_model,
        index: u64,
        info: *mut scrooge_stage_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_model_linear_count(model: *const scrooge_model) -> u64;
    #[must_use]
    pub fn scrooge_model_get_linear(
        model: *const scrooge_model,
        index: u64,
        info: *mut scrooge_linear_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_model_source_count(model: *const scrooge_model) -> u64;
    #[must_use]
    pub fn scrooge_model_get_source(
        model: *const scrooge_model,
        index: u64,
        info: *mut scrooge_source_info,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_model_get_json(
        model: *const scrooge_model,
        buffer: *mut c_char,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_verify(
        path: *const c_char,
        progress: Option<scrooge_progress_fn>,
        user: *mut c_void,
        result_json: *mut c_char,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_repack_options_init(options: *mut scrooge_repack_options, struct_size: usize);
    #[must_use]
    pub fn scrooge_repack(options: *const scrooge_repack_options, error: *mut *mut scrooge_error) -> scrooge_status;
    pub fn scrooge_evaluate_options_init(options: *mut scrooge_evaluate_options, struct_size: usize);
    #[must_use]
    pub fn scrooge_evaluate(
        options: *const scrooge_evaluate_options,
        result: *mut scrooge_evaluation,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_tokenizer_open(
        path: *const c_char,
        tokenizer: *mut *mut scrooge_tokenizer,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_tokenizer_close(tokenizer: *mut scrooge_tokenizer);
    #[must_use]
    pub fn scrooge_tokenizer_encode(
        tokenizer: *const scrooge_tokenizer,
        text: *const c_char,
        size: usize,
        ids: *mut i32,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    #[must_use]
    pub fn scrooge_tokenizer_decode(
        tokenizer: *const scrooge_tokenizer,
        ids: *const i32,
        count: usize,
        buffer: *mut c_char,
        capacity: usize,
        required: *mut usize,
        error: *mut *mut scrooge_error,
    ) -> scrooge_status;
    pub fn scrooge_tokenizer_vocabulary_size(tokenizer: *const scrooge_tokenizer) -> i32;
}
