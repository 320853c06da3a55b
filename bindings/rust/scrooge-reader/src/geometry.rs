// SPDX-License-Identifier: Apache-2.0
//! The sizes that a tensor's planes must have, from its shape and scheme alone.
use crate::error::{Error, Result};
use crate::scheme::{Layout, Scheme};
use crate::tensor::{DataType, PlaneKind};

const MAX_COLUMNS: u64 = 1 << 40;
const MAX_PIECE_BYTES: u64 = 1 << 27;
const PIECE_ALIGNMENT: u64 = 256;
const TOO_LARGE: Error = Error::bad("a tensor's plane is larger than can be");

/// One plane: `rows` rows of `row_bytes` bytes. Those of a device layout are not the rows of the matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaneShape {
    pub(crate) kind: PlaneKind,
    pub(crate) row_bytes: u64,
    pub(crate) size: u64,
}

fn shape(kind: PlaneKind, row_bytes: Option<u64>, rows: u64) -> Result<PlaneShape> {
    let row_bytes = row_bytes.ok_or(TOO_LARGE)?;
    let size = row_bytes.checked_mul(rows).ok_or(TOO_LARGE)?;
    // 256 / gcd(row_bytes, 256) rows are a piece that starts on 256 bytes.
    let piece_rows = PIECE_ALIGNMENT >> row_bytes.trailing_zeros().min(8);
    if size > MAX_PIECE_BYTES && row_bytes.checked_mul(piece_rows).map_or(true, |piece| piece > MAX_PIECE_BYTES) {
        return Err(Error::bad("a tensor's plane cannot be divided into pieces of 2^27 bytes"));
    }
    Ok(PlaneShape { kind, row_bytes, size })
}

fn check_columns(columns: u64) -> Result<()> {
    if !(1..=MAX_COLUMNS).contains(&columns) {
        return Err(Error::bad("a tensor's columns are out of range"));
    }
    Ok(())
}

pub(crate) fn dense_plane(rows: u64, columns: u64, data_type: DataType) -> Result<PlaneShape> {
    check_columns(columns)?;
    shape(PlaneKind::Data, columns.checked_mul(data_type.size()), rows)
}

/// Codes, scales, zeros and input_scale, those that there must be (the last where `has_input_scale`).
pub(crate) fn quantized_planes(
    rows: u64,
    columns: u64,
    scheme: &Scheme,
    has_input_scale: bool,
) -> Result<[Option<PlaneShape>; 4]> {
    check_columns(columns)?;
    let bits = u64::from(scheme.bits());
    let groups = scheme.groups(columns);
    // None of these overflows: columns are at most 2^40, bits 8.
    let canonical = [(columns * bits + 7) / 8, groups * 2, (groups * bits + 7) / 8];
    let kinds = [PlaneKind::Codes, PlaneKind::Scales, PlaneKind::Zeros];
    let mut planes = [None; 4];
    for (i, (kind, bytes)) in kinds.iter().zip(canonical).enumerate() {
        if *kind == PlaneKind::Zeros && !scheme.has_zeros() {
            continue;
        }
        planes[i] = Some(match scheme.layout() {
            Layout::Canonical => shape(*kind, Some(bytes), rows)?,
            Layout::Interleaved { rows: tile, chunk } => {
                let (tile, chunk) = (u64::from(tile), chunk_bytes(*kind, u64::from(chunk)));
                let padded = (bytes + chunk - 1) / chunk * chunk;
                shape(*kind, padded.checked_mul(tile), (rows - 1) / tile + 1)?
            }
            Layout::AutoAwq => {
                if rows % 8 != 0 {
                    return Err(Error::bad("a tensor in AutoAWQ's order has rows that are no multiple of 8"));
                }
                match kind {
                    PlaneKind::Codes => shape(*kind, Some(rows / 2), columns)?,
                    PlaneKind::Scales => shape(*kind, rows.checked_mul(2), groups)?,
                    _ => shape(*kind, Some(rows / 2), groups)?,
                }
            }
        });
    }
    if has_input_scale {
        planes[3] = Some(shape(PlaneKind::InputScale, Some(columns * 4), 1)?);
    }
    Ok(planes)
}

/// Bytes of a row that stay together in an interleaved plane: whole codes, one scale, one byte of zero points.
pub(crate) fn chunk_bytes(kind: PlaneKind, chunk: u64) -> u64 {
    match kind {
        PlaneKind::Scales => 2,
        PlaneKind::Zeros => 1,
        _ => chunk,
    }
}
