// SPDX-License-Identifier: Apache-2.0
use crate::call::check;
use crate::choices::{DataType, Plane, TensorKind};
use crate::error::Result;
use crate::model::{too_large, Model};
use crate::text::borrow;
use scrooge_sys as sys;
use std::ops::Range;
use std::{fmt, ptr, slice};

/// A tensor of an open [`Model`]: a matrix of rows (outputs) by columns (inputs); a vector has one row.
#[derive(Clone, Copy)]
pub struct TensorView<'m> {
    model: &'m Model,
    index: usize,
}

/// How a tensor was quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quantization {
    /// Of a code.
    pub bits: u32,
    /// Weights along a row that share a scale; the last group of a row may be shorter.
    pub group: u64,
    /// Whether all zero points are the middle code.
    pub symmetric: bool,
    /// The type of scales.
    pub scale_type: DataType,
    /// The order of the planes.
    pub layout: PlaneLayout,
}

/// In what order planes hold the rows; `schema/README.md` has the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlaneLayout {
    /// One row after another.
    Canonical,
    /// Tiles of rows, some bytes of each in turn.
    Interleaved {
        /// Rows of a tile.
        rows: u32,
        /// Bytes of a row's codes that stay together.
        chunk: u32,
    },
    /// The word order of AutoAWQ's GEMM kernels.
    AutoAwq,
    /// One that this crate does not know: the library is newer.
    Unknown(u32),
}

impl<'m> TensorView<'m> {
    /// None where the model has no such tensor.
    pub(crate) fn new(model: &'m Model, index: usize) -> Option<TensorView<'m>> {
        model.infos().get(index).map(|_| TensorView { model, index })
    }

    fn info(&self) -> &'m sys::scrooge_tensor_info {
        &self.model.infos()[self.index]
    }

    /// Its place in the file, from 0.
    pub fn index(&self) -> u64 {
        self.index as u64
    }

    /// Its name, as in the checkpoint.
    pub fn name(&self) -> &'m str {
        // SAFETY: lives as long as the model.
        unsafe { borrow(self.info().name) }
    }

    /// What it is.
    pub fn kind(&self) -> TensorKind {
        TensorKind::from_value(self.info().kind)
    }

    /// Outputs; 1 for vectors.
    pub fn rows(&self) -> u64 {
        self.info().rows
    }

    /// Inputs: elements of a row.
    pub fn columns(&self) -> u64 {
        self.info().columns
    }

    /// The type of the elements; of the scales, where it is quantized.
    pub fn data_type(&self) -> DataType {
        DataType::from_value(self.info().dtype)
    }

    /// How it was quantized, if it was.
    pub fn quantization(&self) -> Option<Quantization> {
        if self.kind() != TensorKind::Quantized {
            return None;
        }
        let layout = match i32::try_from(self.info().layout) {
            Ok(sys::SCROOGE_LAYOUT_CANONICAL) => PlaneLayout::Canonical,
            Ok(sys::SCROOGE_LAYOUT_INTERLEAVED) => {
                PlaneLayout::Interleaved { rows: self.info().layout_rows, chunk: self.info().layout_chunk }
            }
            Ok(sys::SCROOGE_LAYOUT_AWQ) => PlaneLayout::AutoAwq,
            _ => PlaneLayout::Unknown(self.info().layout),
        };
        Some(Quantization {
            bits: self.info().bits,
            group: self.info().group,
            symmetric: self.info().symmetric != 0,
            scale_type: self.data_type(),
            layout,
        })
    }

    /// A plane, in place in the mapped file, on 256 bytes; empty where the tensor has none of that kind. While it is
    /// looked at, no other program may cut or overwrite the file: see the crate's rules.
    pub fn plane(&self, plane: Plane) -> &'m [u8] {
        let (mut data, mut size) = (ptr::null(), 0);
        // SAFETY: a live model, an index below its count.
        let result = check(|error| unsafe {
            sys::scrooge_model_get_plane(self.model.as_ptr(), self.index(), plane.value(), &mut data, &mut size, error)
        });
        match (result, usize::try_from(size)) {
            // SAFETY: so many bytes, valid until the model is closed, which `'m` outlives not.
            (Ok(()), Ok(size)) if !data.is_null() => unsafe { slice::from_raw_parts(data.cast(), size) },
            _ => &[],
        }
    }

    /// The elements of a dense tensor.
    pub fn data(&self) -> &'m [u8] {
        self.plane(Plane::Data)
    }

    /// The codes of a quantized one.
    pub fn codes(&self) -> &'m [u8] {
        self.plane(Plane::Codes)
    }

    /// Its scales.
    pub fn scales(&self) -> &'m [u8] {
        self.plane(Plane::Scales)
    }

    /// Its zero points.
    pub fn zeros(&self) -> &'m [u8] {
        self.plane(Plane::Zeros)
    }

    /// Rows as f32, one after another, into `out`, which has room for them. Reads a copy of the file, so a file that was
    /// cut short is an error here.
    pub fn read_rows_into(&self, rows: Range<u64>, out: &mut [f32]) -> Result<()> {
        let count = rows.end.saturating_sub(rows.start);
        // SAFETY: a live model, and a slice of that length.
        check(|error| unsafe {
            let (out, room) = (out.as_mut_ptr(), out.len() as u64);
            sys::scrooge_model_read_rows(self.model.as_ptr(), self.index(), rows.start, count, out, room, error)
        })
    }

    /// Rows as f32, one after another.
    pub fn read_rows(&self, rows: Range<u64>) -> Result<Vec<f32>> {
        let count = rows.end.saturating_sub(rows.start).min(self.rows());
        let floats = count.checked_mul(self.columns()).and_then(|floats| usize::try_from(floats).ok());
        let floats = floats.ok_or_else(too_large)?;
        let mut out = Vec::new();
        out.try_reserve_exact(floats).map_err(|_| too_large())?;
        out.resize(floats, 0.0);
        self.read_rows_into(rows, &mut out)?;
        Ok(out)
    }

    /// One row as f32.
    pub fn read_row(&self, row: u64) -> Result<Vec<f32>> {
        self.read_rows(row..row.saturating_add(1))
    }
}

impl fmt::Debug for TensorView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("TensorView");
        text.field("name", &self.name()).field("kind", &self.kind());
        text.field("rows", &self.rows()).field("columns", &self.columns());
        text.field("data_type", &self.data_type()).field("quantization", &self.quantization()).finish()
    }
}
