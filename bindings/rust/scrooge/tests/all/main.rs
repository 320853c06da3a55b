// SPDX-License-Identifier: Apache-2.0
//! The crate against the library, on the tiny models of `tests/golden`. One program: linking is most of the time.
#![deny(unsafe_op_in_unsafe_fn)]

mod answers;
mod callbacks;
mod jobs;
mod reading;
mod support;
mod threads;
