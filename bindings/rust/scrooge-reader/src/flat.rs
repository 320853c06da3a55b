// SPDX-License-Identifier: Apache-2.0
//! FlatBuffers by hand: tables, lists and texts of the index, each position checked before it is followed. An index has
//! at most 64 MiB, so positions are sums of small numbers; the additions are checked all the same.
use crate::error::{Error, Result};

const MAX_TEXT_BYTES: usize = 64 << 10;
const OUTSIDE: Error = Error::bad("the index points outside itself");

/// The bytes of the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat<'a> {
    bytes: &'a [u8],
}

impl<'a> Flat<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Flat<'a> {
        Flat { bytes }
    }

    pub(crate) fn root(self, identifier: &[u8; 4]) -> Result<Table<'a>> {
        if self.bytes.get(4..8) != Some(identifier.as_ref()) {
            return Err(Error::bad("the index has no file identifier SCR1"));
        }
        self.table(self.follow(0)?)
    }

    fn array<const N: usize>(self, at: usize) -> Result<[u8; N]> {
        let end = at.checked_add(N).ok_or(OUTSIDE)?;
        self.bytes.get(at..end).and_then(|bytes| bytes.try_into().ok()).ok_or(OUTSIDE)
    }

    fn u16(self, at: usize) -> Result<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(self, at: usize) -> Result<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// Where the distance stored at `at` leads.
    fn follow(self, at: usize) -> Result<usize> {
        let distance = usize::try_from(self.u32(at)?).map_err(|_| OUTSIDE)?;
        if distance == 0 {
            return Err(Error::bad("the index points to itself"));
        }
        at.checked_add(distance).filter(|to| *to < self.bytes.len()).ok_or(OUTSIDE)
    }

    fn table(self, at: usize) -> Result<Table<'a>> {
        let distance = i64::from(self.array(at).map(i32::from_le_bytes)?);
        let vtable = usize::try_from(at as i64 - distance).map_err(|_| OUTSIDE)?;
        let vtable_size = usize::from(self.u16(vtable)?);
        if vtable_size < 4 || vtable_size % 2 != 0 || at % 4 != 0 || vtable % 2 != 0 {
            return Err(Error::bad("the index has a malformed table"));
        }
        if vtable_size > self.bytes.len().saturating_sub(vtable) {
            return Err(OUTSIDE);
        }
        Ok(Table { flat: self, at, vtable, vtable_size })
    }
}

/// A table; its fields are named by their ids in the schema. An absent one has its default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    flat: Flat<'a>,
    at: usize,
    vtable: usize,
    vtable_size: usize,
}

impl<'a> Table<'a> {
    fn field(&self, id: usize) -> Result<Option<usize>> {
        let slot = 4 + 2 * id;
        if slot + 2 > self.vtable_size {
            return Ok(None);
        }
        let distance = usize::from(self.flat.u16(self.vtable + slot)?);
        Ok(if distance == 0 { None } else { Some(self.at + distance) })
    }

    fn scalar<const N: usize>(&self, id: usize) -> Result<Option<[u8; N]>> {
        self.field(id)?.map(|at| self.flat.array(at)).transpose()
    }

    pub(crate) fn u8_or(&self, id: usize, default: u8) -> Result<u8> {
        Ok(self.scalar(id)?.map_or(default, u8::from_le_bytes))
    }

    pub(crate) fn u8(&self, id: usize) -> Result<u8> {
        self.u8_or(id, 0)
    }

    pub(crate) fn flag(&self, id: usize) -> Result<bool> {
        Ok(self.u8(id)? != 0)
    }

    pub(crate) fn u16(&self, id: usize) -> Result<u16> {
        Ok(self.scalar(id)?.map_or(0, u16::from_le_bytes))
    }

    pub(crate) fn u32(&self, id: usize) -> Result<u32> {
        Ok(self.scalar(id)?.map_or(0, u32::from_le_bytes))
    }

    pub(crate) fn i32(&self, id: usize) -> Result<i32> {
        Ok(self.scalar(id)?.map_or(0, i32::from_le_bytes))
    }

    pub(crate) fn u64(&self, id: usize) -> Result<u64> {
        Ok(self.scalar(id)?.map_or(0, u64::from_le_bytes))
    }

    pub(crate) fn table(&self, id: usize) -> Result<Option<Table<'a>>> {
        self.field(id)?.map(|at| self.flat.table(self.flat.follow(at)?)).transpose()
    }

    /// A list of tables; an absent one is empty.
    pub(crate) fn list(&self, id: usize) -> Result<List<'a>> {
        let at = match self.field(id)? {
            Some(field) => self.flat.follow(field)?,
            None => return Ok(List { flat: self.flat, first: 0, count: 0 }),
        };
        let count = self.flat.u32(at)? as usize;
        let first = at + 4;
        if count > self.flat.bytes.len().saturating_sub(first) / 4 {
            return Err(OUTSIDE);
        }
        Ok(List { flat: self.flat, first, count })
    }

    /// A text of at most 64 KiB; an absent one is empty.
    pub(crate) fn text(&self, id: usize) -> Result<&'a str> {
        let at = match self.field(id)? {
            Some(field) => self.flat.follow(field)?,
            None => return Ok(""),
        };
        let size = self.flat.u32(at)? as usize;
        if size > MAX_TEXT_BYTES {
            return Err(Error::bad("a text of the index is longer than 64 KiB"));
        }
        let bytes = self.flat.bytes.get(at + 4..at + 4 + size).ok_or(OUTSIDE)?;
        if self.flat.bytes.get(at + 4 + size) != Some(&0) || bytes.contains(&0) {
            return Err(Error::bad("a text of the index does not end with its only zero byte"));
        }
        core::str::from_utf8(bytes).map_err(|_| Error::bad("a text of the index is not UTF-8"))
    }
}

/// A list of tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    flat: Flat<'a>,
    first: usize,
    count: usize,
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, index: usize) -> Result<Table<'a>> {
        if index >= self.count {
            return Err(OUTSIDE);
        }
        self.flat.table(self.flat.follow(self.first + 4 * index)?)
    }
}
