// SPDX-License-Identifier: Apache-2.0
//! Stored planes back to f32. That every plane has the size which shape and scheme give was checked when the tensor was
//! read, so every position computed here lies inside its plane.
use crate::error::{Error, Result};
use crate::geometry::chunk_bytes;
use crate::half::{bf16_to_f32, f16_to_f32};
use crate::scheme::{Layout, Scheme};
use crate::tensor::{DataType, PlaneKind, Tensor};

/// The bytes of one row of the matrix, wherever a plane has them: `piece` bytes together, then `stride` further.
#[derive(Clone, Copy)]
struct RowBytes<'a> {
    bytes: &'a [u8],
    start: usize,
    piece: usize,
    stride: usize,
}

impl RowBytes<'_> {
    fn byte(&self, i: usize) -> u8 {
        self.bytes.get(self.start + i / self.piece * self.stride + i % self.piece).copied().unwrap_or(0)
    }

    fn half(&self, i: usize) -> u16 {
        u16::from_le_bytes([self.byte(2 * i), self.byte(2 * i + 1)])
    }

    /// Element `i` of a little-endian bit stream.
    fn bits(&self, i: usize, bits: usize) -> u8 {
        let (at, shift) = (i * bits / 8, i * bits % 8);
        let mut window = u16::from(self.byte(at));
        if shift + bits > 8 {
            window |= u16::from(self.byte(at + 1)) << 8;
        }
        (window >> shift) as u8 & (0xff >> (8 - bits))
    }
}

/// The codes, or the zero points, of one row.
#[derive(Clone, Copy)]
struct RowCodes<'a> {
    row: RowBytes<'a>,
    bits: usize,
    /// AutoAWQ's order: element `i` is in byte `i` of the row, this far from its lowest bit.
    nibble: Option<u32>,
}

impl RowCodes<'_> {
    fn get(&self, i: usize) -> u8 {
        match self.nibble {
            Some(shift) => self.row.byte(i) >> shift & 0xf,
            None => self.row.bits(i, self.bits),
        }
    }
}

/// Where row `row` is in the plane `kind`; an empty row where there is no such plane.
fn row_bytes<'a>(tensor: &Tensor<'a>, kind: PlaneKind, row: usize) -> RowBytes<'a> {
    let plane = match tensor.plane(kind) {
        Some(plane) => plane,
        None => return RowBytes { bytes: &[], start: 0, piece: 1, stride: 0 },
    };
    let (bytes, row_bytes) = (plane.bytes(), plane.row_bytes() as usize);
    match tensor.scheme().map(Scheme::layout) {
        Some(Layout::Interleaved { rows, chunk }) => {
            let tile = usize::from(rows);
            let piece = chunk_bytes(kind, u64::from(chunk)) as usize;
            RowBytes { bytes, start: row / tile * row_bytes + row % tile * piece, piece, stride: tile * piece }
        }
        Some(Layout::AutoAwq) => match kind {
            PlaneKind::Scales => RowBytes { bytes, start: 2 * row, piece: 2, stride: row_bytes },
            // Nibble r/2 of a word for even r, 4 + r/2 for odd ones; two nibbles are a byte.
            _ => {
                let start = row / 8 * 4 + row % 2 * 2 + row % 8 / 4;
                RowBytes { bytes, start, piece: 1, stride: row_bytes }
            }
        },
        _ => RowBytes { bytes, start: row * row_bytes, piece: row_bytes, stride: row_bytes },
    }
}

fn row_codes<'a>(tensor: &Tensor<'a>, scheme: &Scheme, kind: PlaneKind, row: usize) -> RowCodes<'a> {
    let nibble = match scheme.layout() {
        Layout::AutoAwq => Some(row as u32 % 4 / 2 * 4),
        _ => None,
    };
    RowCodes { row: row_bytes(tensor, kind, row), bits: scheme.bits() as usize, nibble }
}

/// REQUIRES: row < tensor.rows(), out holds tensor.columns() elements.
pub(crate) fn row(tensor: &Tensor<'_>, row: u64, out: &mut [f32]) -> Result<()> {
    let row = usize::try_from(row).map_err(|_| Error::argument("the tensor has no such row"))?;
    match tensor.scheme() {
        Some(scheme) => {
            quantized(tensor, scheme, row, out);
            Ok(())
        }
        None => dense(tensor, row, out),
    }
}

fn quantized(tensor: &Tensor<'_>, scheme: &Scheme, row: usize, out: &mut [f32]) {
    let codes = row_codes(tensor, scheme, PlaneKind::Codes, row);
    let zeros = row_codes(tensor, scheme, PlaneKind::Zeros, row);
    let scales = row_bytes(tensor, PlaneKind::Scales, row);
    // As long as the row at most, so it fits.
    let group = scheme.group_length(out.len() as u64).max(1) as usize;
    for (p, values) in out.chunks_mut(group).enumerate() {
        let bits = scales.half(p);
        let scale = if scheme.scale_type() == DataType::Bf16 { bf16_to_f32(bits) } else { f16_to_f32(bits) };
        let zero = if scheme.has_zeros() { i32::from(zeros.get(p)) } else { scheme.code_bias() };
        for (i, value) in values.iter_mut().enumerate() {
            *value = (i32::from(codes.get(p * group + i)) - zero) as f32 * scale;
        }
    }
    if tensor.is_folded() {
        return;
    }
    if let Some(plane) = tensor.plane(PlaneKind::InputScale) {
        for (value, bytes) in out.iter_mut().zip(plane.bytes().chunks_exact(4)) {
            *value /= f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
}

fn dense(tensor: &Tensor<'_>, row: usize, out: &mut [f32]) -> Result<()> {
    let elements = row_bytes(tensor, PlaneKind::Data, row);
    match tensor.data_type() {
        DataType::F32 => out.iter_mut().enumerate().for_each(|(i, value)| {
            let halves = [elements.half(2 * i), elements.half(2 * i + 1)];
            *value = f32::from_bits(u32::from(halves[0]) | u32::from(halves[1]) << 16);
        }),
        DataType::F16 => out.iter_mut().enumerate().for_each(|(i, value)| *value = f16_to_f32(elements.half(i))),
        DataType::Bf16 => out.iter_mut().enumerate().for_each(|(i, value)| *value = bf16_to_f32(elements.half(i))),
        DataType::U8 => return Err(Error::argument("the tensor holds raw bytes; take its data plane")),
    }
    Ok(())
}
