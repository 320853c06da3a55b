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
    /// Calibration tokens that filled no row, or rows beyond those wanted.
    pub tokens_dropped: u64,
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
