// SPDX-License-Identifier: Apache-2.0
//! One program: linking is most of the time.
mod declarations;
mod discovery;
