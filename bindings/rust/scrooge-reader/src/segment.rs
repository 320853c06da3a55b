// SPDX-License-Identifier: Apache-2.0
use crate::error::{Error, ErrorKind, Result};
use crate::flat::Table;
use crate::hash::xxh64;
use crate::superblock::{range, Superblock};

/// Zero bytes behind every segment, so that vector loads may run past its end.
pub(crate) const TAIL_BYTES: u64 = 64;

/// What a [`Segment`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SegmentKind {
    /// Planes of one decoder block.
    Block,
    /// Planes of the embedding.
    Embedding,
    /// Planes of the head.
    Head,
    /// Planes of what belongs to no block.
    Extras,
    /// `config.json`, as it was.
    Config,
    /// `tokenizer.json`, as it was.
    Tokenizer,
    /// `tokenizer_config.json`, as it was.
    TokenizerConfig,
    /// The header of the GGUF file that the model came from.
    GgufHeader,
    /// A file that somebody added, under its own name.
    Other,
}

impl SegmentKind {
    fn from_value(value: u8) -> Option<SegmentKind> {
        Some(match value {
            0 => SegmentKind::Block,
            1 => SegmentKind::Embedding,
            2 => SegmentKind::Head,
            3 => SegmentKind::Extras,
            16 => SegmentKind::Config,
            17 => SegmentKind::Tokenizer,
            18 => SegmentKind::TokenizerConfig,
            19 => SegmentKind::GgufHeader,
            20 => SegmentKind::Other,
            _ => return None,
        })
    }

    /// Whether the segment is one file, as it was, rather than planes of tensors.
    pub fn is_raw(self) -> bool {
        !matches!(self, SegmentKind::Block | SegmentKind::Embedding | SegmentKind::Head | SegmentKind::Extras)
    }
}

/// An aligned run of bytes: the planes of a decoder block, or one raw file.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    name: &'a str,
    kind: SegmentKind,
    offset: u64,
    bytes: &'a [u8],
    xxh64: u64,
}

impl<'a> Segment<'a> {
    pub(crate) fn read(table: &Table<'a>, superblock: &Superblock, file: &'a [u8]) -> Result<Segment<'a>> {
        let name = table.text(0)?;
        if name.is_empty() {
            return Err(Error::bad("a segment has no name"));
        }
        let segment = Segment::read_unnamed(table, superblock, file)?;
        Ok(Segment { name, xxh64: table.u64(4)?, ..segment })
    }

    /// Without what its planes need not know; there are several for each.
    pub(crate) fn read_unnamed(table: &Table<'a>, superblock: &Superblock, file: &'a [u8]) -> Result<Segment<'a>> {
        let kind = SegmentKind::from_value(table.u8(1)?).ok_or(Error::bad("the kind of a segment is unknown"))?;
        let (offset, size) = (table.u64(2)?, table.u64(3)?);
        if offset % superblock.segment_alignment != 0 {
            return Err(Error::bad("a segment is not on the segment alignment").at(offset));
        }
        let room = superblock.file_size.saturating_sub(offset);
        let bytes = match range(file, offset, size) {
            Some(bytes) if room - size >= TAIL_BYTES => bytes,
            _ => return Err(Error::bad("a segment and its zero tail do not lie inside the file").at(offset)),
        };
        Ok(Segment { name: "", kind, offset, bytes, xxh64: 0 })
    }

    /// Its name: `config.json`, `block.0`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What it holds.
    pub fn kind(&self) -> SegmentKind {
        self.kind
    }

    /// Where it starts in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Its content: a raw file as it was, or the planes of tensors with what is between them.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Compares a raw file with its checksum. Segments of planes have none of their own: see [`crate::Tensor::verify`].
    pub fn verify(&self) -> core::result::Result<(), Error> {
        if self.kind.is_raw() && xxh64(self.bytes) != self.xxh64 {
            return Err(Error::new(ErrorKind::ChecksumMismatch, "a raw segment").at(self.offset));
        }
        Ok(())
    }
}
