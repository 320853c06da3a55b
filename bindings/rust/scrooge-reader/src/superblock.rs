// SPDX-License-Identifier: Apache-2.0
use crate::error::{Error, ErrorKind, Result};
use crate::hash::xxh64;

const MAGIC: [u8; 8] = *b"\x89SCRG\r\n\x1a";
const BYTES: usize = 64;
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// The first 64 bytes, checked against the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Superblock {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) segment_alignment: u64,
    pub(crate) plane_alignment: u64,
    pub(crate) index_offset: u64,
    pub(crate) index_size: u64,
    pub(crate) file_size: u64,
}

/// REQUIRES: at + N <= 64.
fn bytes_at<const N: usize>(head: &[u8; BYTES], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&head[at..at + N]);
    bytes
}

impl Superblock {
    pub(crate) fn read(file: &[u8]) -> Result<Superblock> {
        if file.get(..MAGIC.len()) != Some(MAGIC.as_ref()) {
            return Err(Error::bad("it does not start as a .scrooge file").at(0));
        }
        let head: &[u8; BYTES] = match file.get(..BYTES).and_then(|head| head.try_into().ok()) {
            Some(head) => head,
            None => return Err(Error::bad("it ends inside the superblock").at(file.len() as u64)),
        };
        let u16_at = |at| u16::from_le_bytes(bytes_at(head, at));
        let u32_at = |at| u32::from_le_bytes(bytes_at(head, at));
        let u64_at = |at| u64::from_le_bytes(bytes_at(head, at));
        if u16_at(8) != 1 {
            return Err(Error::unsupported("version_major is not 1").at(8));
        }
        if u32_at(60) != xxh64(&head[..60]) as u32 {
            return Err(Error::new(ErrorKind::ChecksumMismatch, "the superblock").at(60));
        }
        if u32_at(16) != 0 {
            return Err(Error::unsupported("flags of the superblock").at(16));
        }
        let (segment_log2, plane_log2) = (head[20], head[21]);
        if !(12..=16).contains(&segment_log2) || !(8..=segment_log2).contains(&plane_log2) || u16_at(22) != 0 {
            return Err(Error::bad("the alignments are out of range").at(20));
        }
        let block = Superblock {
            major: 1,
            minor: u16_at(10),
            segment_alignment: 1 << segment_log2,
            plane_alignment: 1 << plane_log2,
            index_offset: u64_at(24),
            index_size: u64_at(32),
            file_size: u64_at(40),
        };
        block.check(file.len() as u64, u64::from(u32_at(12)))?;
        if u32_at(56) != xxh64(block.index(file)?) as u32 {
            return Err(Error::new(ErrorKind::ChecksumMismatch, "the index").at(block.index_offset));
        }
        Ok(block)
    }

    fn check(&self, actual_size: u64, own_size: u64) -> Result<()> {
        if own_size < BYTES as u64 || own_size > self.segment_alignment {
            return Err(Error::bad("the size of the superblock is out of range").at(12));
        }
        if self.file_size != actual_size {
            return Err(Error::bad("the file is not as long as it says: cut short, or something was appended").at(40));
        }
        if self.file_size % self.segment_alignment != 0 {
            return Err(Error::bad("file_size is not on the segment alignment").at(40));
        }
        if self.index_size == 0 || self.index_size > MAX_INDEX_BYTES {
            return Err(Error::bad("meta_size is out of range").at(32));
        }
        let fits = self.file_size.checked_sub(self.index_offset).map_or(false, |room| self.index_size <= room);
        if !fits || self.index_offset < own_size || self.index_offset % self.segment_alignment != 0 {
            return Err(Error::bad("meta_offset puts the index outside the file, or is misaligned").at(24));
        }
        Ok(())
    }

    pub(crate) fn index<'a>(&self, file: &'a [u8]) -> Result<&'a [u8]> {
        range(file, self.index_offset, self.index_size).ok_or(Error::bad("the index lies outside the file"))
    }
}

/// `size` bytes at `offset`, where the file has them.
pub(crate) fn range(file: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let offset = usize::try_from(offset).ok()?;
    let size = usize::try_from(size).ok()?;
    file.get(offset..)?.get(..size)
}
