// SPDX-License-Identifier: Apache-2.0
//! Reads `.scrooge` files, for runtimes that only need the model: `core` alone, no allocation, no dependency and no
//! unsafe code. The caller has the bytes of the file, mapped or read; everything here borrows from them.
//!
//! ```
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.scrooge");
//! let file = std::fs::read(path).unwrap();
//! let model = scrooge_reader::Model::open(&file)?;
//! for tensor in model.tensors() {
//!     println!("{}: {} x {}, {:?}", tensor.name(), tensor.rows(), tensor.columns(), tensor.scheme());
//! }
//! let tensor = model.tensor("model.layers.0.self_attn.q_proj.weight").unwrap();
//! let mut row = vec![0.0; tensor.columns() as usize];
//! tensor.dequantize_row(0, &mut row)?;
//! # Ok::<(), scrooge_reader::Error>(())
//! ```
//!
//! [`Model::open`] checks the superblock, the index and every tensor and segment in it: both checksums, every position
//! before it is followed, every plane against the shape it belongs to. Its time is linear in the size of the index, and
//! no file, whatever its bytes, makes any call here panic. What takes memory or the whole file is left to
//! [`Model::verify`] (checksums of planes and raw files) and to `scrooge verify` (also: nothing overlaps, no name is
//! there twice, all padding is zero).
//!
//! The format is specified in `schema/README.md` of the repository. The feature `std` makes [`Error`] a
//! `std::error::Error`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

mod dequantize;
mod error;
mod flat;
mod geometry;
mod half;
mod hash;
mod model;
mod scheme;
mod segment;
mod superblock;
mod tensor;

pub use error::{Error, ErrorKind};
pub use hash::xxh64;
pub use model::{Attributes, Model, Segments, Tensors};
pub use scheme::{Layout, Scheme};
pub use segment::{Segment, SegmentKind};
pub use tensor::{DataType, Plane, PlaneKind, Tensor, TensorKind};
