// SPDX-License-Identifier: Apache-2.0
use crate::choices::{BudgetOrigin, Memory, Placement};
use crate::text::{borrow, text_of};
use scrooge_sys as sys;

/// What a job will take, known before any work. Sizes are bytes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Decoder blocks.
    pub blocks: u32,
    /// Planned peak of everything allocated under the budget.
    pub peak_bytes: u64,
    /// The smallest budget that the job can run in.
    pub minimum_bytes: u64,
    /// The budget, if there is one.
    pub budget_bytes: Option<u64>,
    /// Where it comes from.
    pub budget_origin: BudgetOrigin,
    /// Size of the file that will be written.
    pub output_bytes: u64,
    /// Calibration tokens used.
    pub tokens: u64,
    /// Calibration tokens that were read and filled no row, or are of rows that were not chosen.
    pub tokens_dropped: u64,
    /// Of the tokens used, those kept apart to check the result on.
    pub held_out_tokens: u64,
    /// Of the others, those that enter the statistics.
    pub statistics_tokens: u64,
    /// Of the blocks' linears, as stored.
    pub bits_per_weight: f64,
    /// Of disk in the spill folder, while the job runs.
    pub spill_bytes: u64,
    /// Of disk beside the output, while the job runs.
    pub states_bytes: u64,
    /// Of the process itself; in the peak, not in the minimum.
    pub overhead_bytes: u64,
    /// The device's id.
    pub device: String,
    /// Its name.
    pub device_name: String,
    /// Of a device with memory of its own.
    pub device_memory: Option<DevicePlan>,
}

/// What a job will take of a device with memory of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DevicePlan {
    /// Planned peak.
    pub peak_bytes: u64,
    /// The smallest budget of the device that the job can run in, beside the host's.
    pub minimum_bytes: u64,
    /// The budget, if there is one.
    pub budget_bytes: Option<u64>,
    /// Where it comes from.
    pub budget_origin: BudgetOrigin,
}

impl Plan {
    /// # Safety
    /// The texts of `plan` are there, or null.
    pub(crate) unsafe fn from_c(plan: &sys::scrooge_plan) -> Plan {
        let device_memory = DevicePlan {
            peak_bytes: plan.device_peak_bytes,
            minimum_bytes: plan.device_minimum_bytes,
            budget_bytes: Some(plan.device_budget_bytes).filter(|bytes| *bytes != u64::MAX),
            budget_origin: BudgetOrigin::from_value(plan.device_budget_origin),
        };
        Plan {
            blocks: plan.blocks,
            peak_bytes: plan.peak_bytes,
            minimum_bytes: plan.minimum_bytes,
            budget_bytes: Some(plan.budget_bytes).filter(|bytes| *bytes != u64::MAX),
            budget_origin: BudgetOrigin::from_value(plan.budget_origin),
            output_bytes: plan.output_bytes,
            tokens: plan.tokens,
            tokens_dropped: plan.tokens_dropped,
            held_out_tokens: plan.held_out_tokens,
            statistics_tokens: plan.statistics_tokens,
            bits_per_weight: plan.bits_per_weight,
            spill_bytes: plan.spill_bytes,
            states_bytes: plan.states_bytes,
            overhead_bytes: plan.overhead_bytes,
            // SAFETY: the caller's word.
            device: unsafe { text_of(plan.device) },
            // SAFETY: as above.
            device_name: unsafe { text_of(plan.device_name) },
            device_memory: Some(device_memory).filter(|_| plan.device_own_memory != 0),
        }
    }
}

/// One thing that a job allocates under its budget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanItem<'j> {
    /// When it is there: `job`, `solve` and so on.
    pub stage: &'j str,
    /// What it is for: `weights of a block`.
    pub purpose: &'j str,
    /// How its contents are kept.
    pub placement: Placement,
    /// Of memory.
    pub bytes: u64,
    /// Whose.
    pub memory: Memory,
}

impl<'j> PlanItem<'j> {
    /// # Safety
    /// The texts live as long as `'j`.
    pub(crate) unsafe fn from_c(item: &sys::scrooge_plan_item) -> PlanItem<'j> {
        PlanItem {
            // SAFETY: the caller's word.
            stage: unsafe { borrow(item.stage) },
            // SAFETY: as above.
            purpose: unsafe { borrow(item.purpose) },
            placement: Placement::from_value(item.placement),
            bytes: item.bytes,
            memory: Memory::from_value(item.memory),
        }
    }
}

/// What a job needs of a disk that it writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskPlan<'j> {
    /// A folder on it.
    pub folder: &'j str,
    /// `output 60.1 MiB, spill files 2.0 GiB`.
    pub purposes: &'j str,
    /// That the job still has to write there, while it runs and at its end.
    pub bytes: u64,
    /// Of them, without what the job can do without.
    pub required_bytes: u64,
    /// Where the file system says so.
    pub free_bytes: Option<u64>,
}

impl<'j> DiskPlan<'j> {
    /// # Safety
    /// The texts live as long as `'j`.
    pub(crate) unsafe fn from_c(disk: &sys::scrooge_disk) -> DiskPlan<'j> {
        DiskPlan {
            // SAFETY: the caller's word.
            folder: unsafe { borrow(disk.folder) },
            // SAFETY: as above.
            purposes: unsafe { borrow(disk.purposes) },
            bytes: disk.bytes,
            required_bytes: disk.required_bytes,
            free_bytes: Some(disk.free_bytes).filter(|bytes| *bytes != u64::MAX),
        }
    }
}

/// How long a job will take, estimated from shapes; within a factor of about two on a machine without other work.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TimePlan {
    /// Of the whole job.
    pub seconds: f64,
    /// Of the same job with the least effort, where something is calibrated.
    pub seconds_fast: Option<f64>,
    /// What each part of the work takes.
    pub items: Vec<TimeItem>,
    /// Whether the device was timed; else it is taken for one of its kind.
    pub measured: bool,
}

/// A part of a job's work.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TimeItem {
    /// `scale search`, `second-order rounding`, `error correction` and so on.
    pub purpose: &'static str,
    /// Of the whole job.
    pub seconds: f64,
}

impl TimeItem {
    /// # Safety
    /// The text is static.
    pub(crate) unsafe fn from_c(item: &sys::scrooge_time_item) -> TimeItem {
        // SAFETY: the caller's word.
        TimeItem { purpose: unsafe { borrow(item.purpose) }, seconds: item.seconds }
    }
}

/// What the guards of a job did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guards {
    /// Tokens that checked the result.
    pub held_out_tokens: u64,
    /// Tokens that entered the statistics, of the block with the fewest.
    pub statistics_tokens: u64,
    /// Stages solved again without error correction.
    pub overfit_corrections: u64,
    /// Linears that were worse than rounding to nearest on the held-out tokens only.
    pub overfit_linears: u64,
    /// Linears rounded to nearest in the end.
    pub nearest_linears: u64,
    /// Stages whose second-order rounding took more than 1 % of damping.
    pub damped_stages: u64,
    /// Stages for which no damping was enough.
    pub broken_down_stages: u64,
}

impl Guards {
    pub(crate) fn from_c(guards: &sys::scrooge_guards) -> Guards {
        Guards {
            held_out_tokens: guards.held_out_tokens,
            statistics_tokens: guards.statistics_tokens,
            overfit_corrections: guards.overfit_corrections,
            overfit_linears: guards.overfit_linears,
            nearest_linears: guards.nearest_linears,
            damped_stages: guards.damped_stages,
            broken_down_stages: guards.broken_down_stages,
        }
    }
}
