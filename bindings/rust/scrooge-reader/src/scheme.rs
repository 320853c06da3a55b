// SPDX-License-Identifier: Apache-2.0
use crate::error::{Error, Result};
use crate::flat::Table;
use crate::tensor::DataType;

/// In what order the planes of a quantized tensor hold its rows; `schema/README.md` has the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// One row after another.
    Canonical,
    /// Tiles of `rows` rows, `chunk` bytes of each in turn.
    Interleaved {
        /// Rows of a tile: 4 or 8.
        rows: u8,
        /// Bytes of a row of codes that stay together.
        chunk: u8,
    },
    /// 32-bit words of eight rows, in the order of AutoAWQ's GEMM kernels. Always with zero points, also when symmetric.
    AutoAwq,
}

/// How a tensor was quantized: `weight = (code - code_bias - zero) * scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    bits: u8,
    group: u32,
    symmetric: bool,
    scale_type: DataType,
    layout: Layout,
}

impl Scheme {
    pub(crate) fn read(table: &Table<'_>) -> Result<Scheme> {
        let layout_fields = (table.u16(11)?, table.u16(12)?);
        let scheme = Scheme {
            bits: table.u8(0)?,
            group: table.u32(1)?,
            symmetric: table.flag(3)?,
            scale_type: DataType::from_value(table.u8(4)?).ok_or(Error::bad("a scheme's scale_dtype is unknown"))?,
            layout: Scheme::read_layout(table.u16(9)?, table.u16(10)?, layout_fields, table.u8(0)?)?,
        };
        if !matches!(scheme.bits, 2 | 3 | 4 | 8) {
            return Err(Error::bad("a scheme's bits are not 2, 3, 4 or 8"));
        }
        if scheme.group != 0 && !(8..=1 << 20).contains(&scheme.group) {
            return Err(Error::bad("a scheme's group is out of range"));
        }
        if !matches!(scheme.scale_type, DataType::F16 | DataType::Bf16) {
            return Err(Error::bad("a scheme's scale_dtype is not f16 or bf16"));
        }
        if table.u8(5)? > 2 {
            return Err(Error::bad("a scheme's range rule is unknown"));
        }
        let zero_kind = u8::from(scheme.has_zeros());
        let unbiased = table.i32(7)? == 0 && table.i32(8)? == scheme.code_bias();
        if table.u8_or(2, 1)? != 1 || table.u8(6)? != zero_kind || !unbiased {
            return Err(Error::bad("a scheme's axis, zero kind or biases do not fit it"));
        }
        Ok(scheme)
    }

    fn read_layout(id: u16, version: u16, (rows, chunk): (u16, u16), bits: u8) -> Result<Layout> {
        if id > 2 || version != 1 {
            return Err(Error::unsupported("the layout of a tensor"));
        }
        let step = if bits == 3 { 12 } else { 4 };
        match (id, rows, chunk) {
            (0, 0, 0) => Ok(Layout::Canonical),
            (1, 4 | 8, 4..=64) if chunk % step == 0 => Ok(Layout::Interleaved { rows: rows as u8, chunk: chunk as u8 }),
            (2, 0, 0) if bits == 4 => Ok(Layout::AutoAwq),
            _ => Err(Error::bad("the parameters of a scheme's layout are out of range")),
        }
    }

    /// Bits of a code: 2, 3, 4 or 8.
    pub fn bits(&self) -> u32 {
        u32::from(self.bits)
    }

    /// Weights along a row that share a scale; 0: the whole row.
    pub fn group(&self) -> u32 {
        self.group
    }

    /// Whether all zero points are the middle code.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// [`DataType::F16`] or [`DataType::Bf16`].
    pub fn scale_type(&self) -> DataType {
        self.scale_type
    }

    /// The order of the planes' bytes.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether there is a plane of zero points.
    pub fn has_zeros(&self) -> bool {
        !self.symmetric || self.layout == Layout::AutoAwq
    }

    /// What every code has too much: the middle code where no plane holds zero points, else 0.
    pub fn code_bias(&self) -> i32 {
        match self.bits {
            bits @ 1..=8 if !self.has_zeros() => 1 << (bits - 1),
            _ => 0,
        }
    }

    /// Weights of a whole group in rows of `columns`.
    pub(crate) fn group_length(&self, columns: u64) -> u64 {
        match u64::from(self.group) {
            group if group != 0 && group <= columns => group,
            _ => columns,
        }
    }

    /// Groups of a row. REQUIRES: 1 <= columns <= 2^40.
    pub(crate) fn groups(&self, columns: u64) -> u64 {
        let length = self.group_length(columns);
        (columns + length - 1) / length
    }
}
