// SPDX-License-Identifier: Apache-2.0
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{Flat, List, Table};
use crate::scheme::{Layout, Scheme};
use crate::segment::{Segment, SegmentKind, TAIL_BYTES};
use crate::superblock::Superblock;
use crate::tensor::{Context, Tensor};

const MAX_TENSORS: usize = 1_000_000;
const CALIBRATION: u64 = 1;
const DEVICE_LAYOUTS: u64 = 2;

/// Ids of the fields of the root table.
mod field {
    pub(super) const VERSION_MAJOR: usize = 0;
    pub(super) const VERSION_MINOR: usize = 1;
    pub(super) const REQUIRED_FEATURES: usize = 2;
    pub(super) const TAG: usize = 4;
    pub(super) const ARCHITECTURE: usize = 5;
    pub(super) const METHOD: usize = 6;
    pub(super) const SCHEME: usize = 7;
    pub(super) const ATTRIBUTES: usize = 11;
    pub(super) const LIBRARY_VERSION: usize = 12;
    pub(super) const SEGMENTS: usize = 16;
    pub(super) const TENSORS: usize = 17;
}

/// An open `.scrooge` file: a view of its bytes, as cheap to copy as a few pointers.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    context: Context<'a>,
    tensors: List<'a>,
    attributes: List<'a>,
    tag: &'a str,
    architecture: &'a str,
    method: &'a str,
    library_version: &'a str,
    scheme: Scheme,
}

impl<'a> Model<'a> {
    /// Checks the file, as the crate's first page says, and gives a view of it. Reads superblock and index only. `file`
    /// may lie at any address; kernels that load vectors want it on 256 bytes, as a map is.
    pub fn open(file: &'a [u8]) -> core::result::Result<Model<'a>, Error> {
        let superblock = Superblock::read(file)?;
        Model::from_index(file, superblock).map_err(|error| error.at(superblock.index_offset))
    }

    fn from_index(file: &'a [u8], superblock: Superblock) -> Result<Model<'a>> {
        let root = Flat::new(superblock.index(file)?).root(b"SCR1")?;
        if (root.u16(field::VERSION_MAJOR)?, root.u16(field::VERSION_MINOR)?) != (superblock.major, superblock.minor) {
            return Err(Error::bad("the version of the index is not the superblock's"));
        }
        let features = root.u64(field::REQUIRED_FEATURES)?;
        if features & !(CALIBRATION | DEVICE_LAYOUTS) != 0 {
            return Err(Error::unsupported("required_features has bits that are not known"));
        }
        if features & CALIBRATION != 0 {
            return Err(Error::new(ErrorKind::NotAModel, "the file holds what a calibration found"));
        }
        let allows_device_layouts = features & DEVICE_LAYOUTS != 0;
        let scheme = root.table(field::SCHEME)?.ok_or(Error::bad("the index has no scheme"))?;
        let scheme = Scheme::read(&scheme)?;
        if scheme.layout() != Layout::Canonical && !allows_device_layouts {
            return Err(Error::bad("the scheme has a device layout, but the file does not say that it has such"));
        }
        let segments = root.list(field::SEGMENTS)?;
        let model = Model {
            context: Context { file, superblock, segments, allows_device_layouts },
            tensors: root.list(field::TENSORS)?,
            attributes: root.list(field::ATTRIBUTES)?,
            tag: root.text(field::TAG)?,
            architecture: root.text(field::ARCHITECTURE)?,
            method: root.text(field::METHOD)?,
            library_version: root.text(field::LIBRARY_VERSION)?,
            scheme,
        };
        model.check()?;
        Ok(model)
    }

    /// Reads every entry of every list once: what the iterators give later is known to be there.
    fn check(&self) -> Result<()> {
        if self.tensors.len() > MAX_TENSORS {
            return Err(Error::bad("there are more than 1 000 000 tensors"));
        }
        let superblock = &self.context.superblock;
        // Entries may share their texts: without this, a small file could keep a reader busy for hours.
        let mut allowance = 8 * superblock.index_size as usize + (64 << 10);
        let mut charge = |size: usize| {
            allowance = allowance.checked_sub(size).ok_or(Error::bad("the index shares its texts without end"))?;
            Ok(())
        };
        for i in 0..self.attributes.len() {
            let (key, value) = read_attribute(&self.attributes.get(i)?)?;
            charge(key.len() + value.len())?;
        }
        let mut end = superblock.index_offset + superblock.index_size;
        for i in 0..self.context.segments.len() {
            let segment = self.read_segment(i)?;
            charge(segment.name().len())?;
            end = end.max(segment.offset() + segment.bytes().len() as u64 + TAIL_BYTES);
        }
        let alignment = superblock.segment_alignment;
        if end.checked_add(alignment - 1).map(|end| end / alignment * alignment) != Some(superblock.file_size) {
            return Err(Error::bad("file_size is not where the last segment or the index ends"));
        }
        for i in 0..self.tensors.len() {
            charge(self.read_tensor(i)?.name().len())?;
        }
        Ok(())
    }

    fn read_segment(&self, index: usize) -> Result<Segment<'a>> {
        Segment::read(&self.context.segments.get(index)?, &self.context.superblock, self.context.file)
    }

    fn read_tensor(&self, index: usize) -> Result<Tensor<'a>> {
        Tensor::read(&self.tensors.get(index)?, &self.context)
    }

    /// Major and minor version of the format that the file is written in.
    pub fn version(&self) -> (u16, u16) {
        (self.context.superblock.major, self.context.superblock.minor)
    }

    /// The model's architecture: `llama`.
    pub fn architecture(&self) -> &'a str {
        self.architecture
    }

    /// How it was quantized: `awq`, `rtn`.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// A word of whoever made the file; often empty.
    pub fn tag(&self) -> &'a str {
        self.tag
    }

    /// The version of the library that wrote the file.
    pub fn library_version(&self) -> &'a str {
        self.library_version
    }

    /// The scheme that was asked for. Each tensor has its own.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Tensors, in the order of the file.
    pub fn tensors(&self) -> Tensors<'a> {
        Tensors { model: *self, next: 0, end: self.tensors.len() }
    }

    /// The tensor of that name. Looks through the list from its start.
    pub fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        self.tensors().find(|tensor| tensor.name() == name)
    }

    /// Segments, in the order of the file.
    pub fn segments(&self) -> Segments<'a> {
        Segments { model: *self, next: 0, end: self.context.segments.len() }
    }

    /// The raw file of that kind: `segment(SegmentKind::Tokenizer)`. Where there are several, the first.
    pub fn segment(&self, kind: SegmentKind) -> Option<Segment<'a>> {
        self.segments().find(|segment| segment.kind() == kind)
    }

    /// Facts about the model, as (key, value).
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { list: self.attributes, next: 0 }
    }

    /// The value of an attribute. Looks through the list from its start.
    pub fn attribute(&self, key: &str) -> Option<&'a str> {
        self.attributes().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Compares every plane and raw file with its checksum: reads the whole file.
    pub fn verify(&self) -> core::result::Result<(), Error> {
        self.segments().try_for_each(|segment| segment.verify())?;
        self.tensors().try_for_each(|tensor| tensor.verify())
    }
}

fn read_attribute<'a>(table: &Table<'a>) -> Result<(&'a str, &'a str)> {
    match (table.text(0)?, table.text(1)?) {
        ("", _) => Err(Error::bad("an attribute has no key")),
        pair => Ok(pair),
    }
}

/// Iterator of [`Model::tensors`].
#[derive(Clone, Debug)]
pub struct Tensors<'a> {
    model: Model<'a>,
    next: usize,
    end: usize,
}

/// Iterator of [`Model::segments`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    model: Model<'a>,
    next: usize,
    end: usize,
}

macro_rules! iterate {
    ($iterator:ident, $item:ident, $read:ident) => {
        impl<'a> Iterator for $iterator<'a> {
            type Item = $item<'a>;

            fn next(&mut self) -> Option<$item<'a>> {
                if self.next == self.end {
                    return None;
                }
                self.next += 1;
                self.model.$read(self.next - 1).ok() // open has read it once
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.end - self.next, Some(self.end - self.next))
            }
        }

        impl ExactSizeIterator for $iterator<'_> {}

        impl<'a> DoubleEndedIterator for $iterator<'a> {
            fn next_back(&mut self) -> Option<$item<'a>> {
                if self.next == self.end {
                    return None;
                }
                self.end -= 1;
                self.model.$read(self.end).ok()
            }
        }
    };
}

iterate!(Tensors, Tensor, read_tensor);
iterate!(Segments, Segment, read_segment);

/// Iterator of [`Model::attributes`].
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    list: List<'a>,
    next: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let table = self.list.get(self.next).ok()?;
        self.next += 1;
        read_attribute(&table).ok()
    }
}
