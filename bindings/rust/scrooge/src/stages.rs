// SPDX-License-Identifier: Apache-2.0
//! How a model was made: lists that the library answers one entry at a time.
use crate::call::fill;
use crate::model::Model;
use crate::text::borrow;
use scrooge_sys as sys;

/// How a stage of a block, the linears that read one input, was calibrated.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stage<'m> {
    /// Its block, from 0.
    pub block: u32,
    /// `qkv`, `o`, `gate_up`, `down`.
    pub name: &'m str,
    /// The scale that was chosen: `identity`, `mean_abs_weight` and so on.
    pub candidate: &'m str,
    /// The scale's exponent.
    pub alpha: f64,
    /// Loss of the identity in the scale search, by rounding to nearest, summed over tokens.
    pub loss_identity: f64,
    /// The same of what was chosen.
    pub loss_chosen: f64,
    /// Calibration tokens that entered the statistics.
    pub tokens: u64,
    /// Of second-order rounding, a share of the mean diagonal; 0 where there was none, or none that was enough.
    pub damping: f64,
}

/// How well a linear was quantized.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Linear<'m> {
    /// Its block, from 0.
    pub block: u32,
    /// Of its weight.
    pub name: &'m str,
    /// Squared output error, summed over tokens; 0 where it was not measured, as the next.
    pub loss: f64,
    /// The same for rounding to nearest.
    pub loss_rtn: f64,
    /// Whether its stage was not better than rounding to nearest everywhere: unscaled, or rounded to nearest.
    pub fell_back: bool,
    /// What its codes went through in the end: `nearest`, `heuristic` or `gptq`; empty where the file does not say.
    pub rounding: &'m str,
}

/// A file of the checkpoint that a model was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source<'m> {
    /// Without its folder.
    pub name: &'m str,
    /// Of its bytes.
    pub size: u64,
    /// 64 hexadecimal digits, where it was computed.
    pub sha256: Option<&'m str>,
}

impl<'m> Stage<'m> {
    /// # Safety
    /// The texts live as long as `'m`.
    unsafe fn from_c(info: &sys::scrooge_stage_info) -> Stage<'m> {
        Stage {
            block: info.block,
            // SAFETY: the caller's word.
            name: unsafe { borrow(info.name) },
            // SAFETY: as above.
            candidate: unsafe { borrow(info.candidate) },
            alpha: info.alpha,
            loss_identity: info.loss_identity,
            loss_chosen: info.loss_chosen,
            tokens: info.tokens,
            damping: info.damping,
        }
    }
}

impl<'m> Linear<'m> {
    /// # Safety
    /// The texts live as long as `'m`.
    unsafe fn from_c(info: &sys::scrooge_linear_info) -> Linear<'m> {
        Linear {
            block: info.block,
            // SAFETY: the caller's word.
            name: unsafe { borrow(info.name) },
            loss: info.loss,
            loss_rtn: info.loss_rtn,
            fell_back: info.fell_back != 0,
            // SAFETY: as above.
            rounding: unsafe { borrow(info.rounding) },
        }
    }
}

impl<'m> Source<'m> {
    /// # Safety
    /// The texts live as long as `'m`.
    unsafe fn from_c(info: &sys::scrooge_source_info) -> Source<'m> {
        Source {
            // SAFETY: the caller's word.
            name: unsafe { borrow(info.name) },
            size: info.size,
            // SAFETY: as above.
            sha256: Some(unsafe { borrow(info.sha256) }).filter(|digits| !digits.is_empty()),
        }
    }
}

/// An iterator over one of the lists.
macro_rules! list {
    ($(#[$doc:meta])* $iterator:ident of $item:ident by $get:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $iterator<'m> {
            model: &'m Model,
            next: u64,
            end: u64,
        }

        impl<'m> $iterator<'m> {
            pub(crate) fn new(model: &'m Model, count: u64) -> $iterator<'m> {
                $iterator { model, next: 0, end: count }
            }
        }

        impl<'m> Iterator for $iterator<'m> {
            type Item = $item<'m>;

            fn next(&mut self) -> Option<$item<'m>> {
                if self.next == self.end {
                    return None;
                }
                // SAFETY: a live model and an index below its count, which is all that the call can refuse.
                let info = fill(|info, error| unsafe { sys::$get(self.model.as_ptr(), self.next, info, error) });
                self.next += 1;
                // SAFETY: the texts live as long as the model.
                info.ok().map(|info| unsafe { $item::from_c(&info) })
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                let rest = (self.end - self.next) as usize;
                (rest, Some(rest))
            }
        }

        impl ExactSizeIterator for $iterator<'_> {}
    };
}

list!(
    /// Iterator of [`Model::stages`].
    Stages of Stage by scrooge_model_get_stage
);
list!(
    /// Iterator of [`Model::linears`].
    Linears of Linear by scrooge_model_get_linear
);
list!(
    /// Iterator of [`Model::sources`].
    Sources of Source by scrooge_model_get_source
);
