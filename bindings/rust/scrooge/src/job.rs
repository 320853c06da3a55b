// SPDX-License-Identifier: Apache-2.0
use crate::call::{check, fill, text};
use crate::callbacks::Callbacks;
use crate::error::{Error, Result, Status};
use crate::plan::{DiskPlan, Guards, Plan, PlanItem, TimeItem, TimePlan};
use scrooge_sys as sys;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A prepared quantization job, from [`Quantize::prepare`](crate::Quantize::prepare). `'a` is how long its closures
/// live.
pub struct Job<'a> {
    handle: NonNull<sys::scrooge_job>,
    cancel: CancelHandle,
    // After the handle, which refers to it: see Drop.
    callbacks: Callbacks<'a>,
}

// SAFETY: a job is used by one thread at a time, which may be any; that is what Send without Sync says.
unsafe impl Send for Job<'_> {}

impl<'a> Job<'a> {
    /// REQUIRES: the options refer to these callbacks.
    pub(crate) fn prepare(options: &sys::scrooge_quantize_options, callbacks: Callbacks<'a>) -> Result<Job<'a>> {
        let mut handle = ptr::null_mut();
        // SAFETY: the options and all they point to live during the call, which copies them.
        let result = check(|error| unsafe { sys::scrooge_job_prepare(options, &mut handle, error) });
        let job = match NonNull::new(handle) {
            Some(handle) => Job { handle, cancel: CancelHandle::new(handle), callbacks },
            None => {
                callbacks.resume_panic();
                return Err(result.err().unwrap_or_else(|| Error::new(Status::Internal, "success without a job")));
            }
        };
        job.callbacks.resume_panic(); // the job is there already, so that it ends with the panic
        result.map(|()| job)
    }

    /// What the job will take.
    pub fn plan(&self) -> Result<Plan> {
        let plan = self.c_plan()?;
        // SAFETY: its texts live as long as the job.
        Ok(unsafe { Plan::from_c(&plan) })
    }

    /// Everything that the job allocates under its budget.
    pub fn plan_items(&self) -> Result<Vec<PlanItem<'_>>> {
        let job = self.handle.as_ptr();
        // SAFETY: a live job, and its texts live as long.
        let item = |i| unsafe {
            let item = fill(|item, error| sys::scrooge_job_get_plan_item(job, i, item, error))?;
            Ok(PlanItem::from_c(&item))
        };
        (0..self.c_plan()?.items).map(item).collect()
    }

    /// What the job needs of each disk that it writes to.
    pub fn disks(&self) -> Result<Vec<DiskPlan<'_>>> {
        let job = self.handle.as_ptr();
        // SAFETY: a live job, and its texts live as long.
        let disk = |i| unsafe {
            let disk = fill(|disk, error| sys::scrooge_job_get_disk(job, i, disk, error))?;
            Ok(DiskPlan::from_c(&disk))
        };
        (0..self.c_plan()?.disks).map(disk).collect()
    }

    /// How long the job will take. The first call in a process may time the device, for some milliseconds.
    pub fn time_plan(&self) -> Result<TimePlan> {
        let job = self.handle.as_ptr();
        // SAFETY: a live job.
        let time = fill(|time, error| unsafe { sys::scrooge_job_get_time_plan(job, time, error) })?;
        // SAFETY: as above, and the texts are static.
        let item = |i| unsafe {
            let item = fill(|item, error| sys::scrooge_job_get_time_item(job, i, item, error))?;
            Ok(TimeItem::from_c(&item))
        };
        Ok(TimePlan {
            seconds: time.seconds,
            seconds_fast: Some(time.seconds_fast).filter(|seconds| *seconds > 0.0),
            items: (0..time.items).map(item).collect::<Result<_>>()?,
            measured: time.rate_measured != 0,
        })
    }

    /// The whole plan, with its items and settings, as JSON.
    pub fn plan_json(&self) -> Result<String> {
        // SAFETY: a live job, and a buffer of that capacity.
        text(0, |buffer, capacity, required, error| unsafe {
            sys::scrooge_job_get_plan_json(self.handle.as_ptr(), buffer, capacity, required, error)
        })
    }

    /// Runs the job, once. The output appears under its name only when it is complete; after a failure or a cancel an
    /// older file of that name is as it was, and the same job, prepared again, goes on behind the last finished block.
    pub fn convert(&mut self) -> Result<()> {
        // SAFETY: a live job, and nobody else uses it meanwhile but through its cancel handles, which may.
        self.callbacks.run(|| check(|error| unsafe { sys::scrooge_job_convert(self.handle.as_ptr(), error) }))
    }

    /// After [`convert`](Job::convert): what its guards did.
    pub fn guards(&self) -> Result<Guards> {
        // SAFETY: a live job.
        fill(|guards, error| unsafe { sys::scrooge_job_get_guards(self.handle.as_ptr(), guards, error) })
            .map(|guards| Guards::from_c(&guards))
    }

    /// After [`convert`](Job::convert): everything measured, per block and per linear, as JSON.
    pub fn report_json(&self) -> Result<String> {
        // SAFETY: a live job, and a buffer of that capacity.
        text(0, |buffer, capacity, required, error| unsafe {
            sys::scrooge_job_get_report_json(self.handle.as_ptr(), buffer, capacity, required, error)
        })
    }

    /// Something to stop [`convert`](Job::convert) with, from any thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }

    fn c_plan(&self) -> Result<sys::scrooge_plan> {
        // SAFETY: a live job.
        fill(|plan, error| unsafe { sys::scrooge_job_get_plan(self.handle.as_ptr(), plan, error) })
    }
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        *self.cancel.target() = None;
        // SAFETY: no cancel handle reaches it any more. The callbacks, a field, go after this.
        unsafe { sys::scrooge_job_destroy(self.handle.as_ptr()) };
    }
}

struct Target(NonNull<sys::scrooge_job>);

// SAFETY: only ever passed to scrooge_job_cancel, which any thread may call.
unsafe impl Send for Target {}

/// Stops a [`Job`], from any thread: [`convert`](Job::convert) returns [`Status::Cancelled`](crate::Status::Cancelled)
/// within a fifth of a second. May outlive its job, and then does nothing. It takes a lock, so a signal handler rather
/// sets a flag that the progress closure looks at.
#[derive(Clone)]
pub struct CancelHandle(Arc<Mutex<Option<Target>>>);

impl CancelHandle {
    fn new(job: NonNull<sys::scrooge_job>) -> CancelHandle {
        CancelHandle(Arc::new(Mutex::new(Some(Target(job)))))
    }

    /// Stops the job.
    pub fn cancel(&self) {
        if let Some(target) = &*self.target() {
            // SAFETY: the job takes the target away, under this lock, before it is destroyed.
            unsafe { sys::scrooge_job_cancel(target.0.as_ptr()) };
        }
    }

    fn target(&self) -> MutexGuard<'_, Option<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").finish_non_exhaustive()
    }
}
