// SPDX-License-Identifier: Apache-2.0
//! Raw declarations of Scrooge's C interface, `scrooge/scrooge.h`, all of it and nothing else. That header is the
//! documentation: names, rules of ownership, threads and strings are its own. The crate `scrooge` is the safe one.
//!
//! The declarations are written down, not generated at build time, and two tests compare them with the header and with
//! the sizes and offsets that a C compiler gives. `build.rs` says how the library is found; crates that build C code
//! themselves get `DEP_SCROOGE_INCLUDE`, `DEP_SCROOGE_LIB` and `DEP_SCROOGE_ROOT`.
//!
//! ```
//! assert_eq!(unsafe { scrooge_sys::scrooge_version() } >> 24, scrooge_sys::SCROOGE_VERSION_MAJOR);
//! ```
#![no_std]
#![allow(non_camel_case_types)]

mod constants;
mod functions;
mod types;

pub use constants::*;
pub use core::ffi::c_void;
pub use functions::*;
pub use types::*;

/// C's `char`. `core` has its own only from Rust 1.64 on.
#[cfg(any(
    all(
        target_os = "linux",
        any(
            target_arch = "aarch64",
            target_arch = "arm",
            target_arch = "powerpc",
            target_arch = "powerpc64",
            target_arch = "riscv32",
            target_arch = "riscv64",
            target_arch = "s390x"
        )
    ),
    all(target_os = "android", any(target_arch = "aarch64", target_arch = "arm"))
))]
pub type c_char = u8;

/// C's `char`. `core` has its own only from Rust 1.64 on.
#[cfg(not(any(
    all(
        target_os = "linux",
        any(
            target_arch = "aarch64",
            target_arch = "arm",
            target_arch = "powerpc",
            target_arch = "powerpc64",
            target_arch = "riscv32",
            target_arch = "riscv64",
            target_arch = "s390x"
        )
    ),
    all(target_os = "android", any(target_arch = "aarch64", target_arch = "arm"))
)))]
pub type c_char = i8;
