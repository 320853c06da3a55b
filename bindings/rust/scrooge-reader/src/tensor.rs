// SPDX-License-Identifier: Apache-2.0
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{List, Table};
use crate::geometry::{dense_plane, quantized_planes, PlaneShape};
use crate::hash::xxh64;
use crate::scheme::Scheme;
use crate::segment::Segment;
use crate::superblock::{range, Superblock};

/// What a [`Tensor`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TensorKind {
    /// Numbers as they are.
    Dense,
    /// Codes, scales and zero points.
    Quantized,
    /// Numbers that say how others were made; a runtime needs none.
    Auxiliary,
}

/// The type of a dense tensor's elements, or of scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// Bytes that mean something else.
    U8,
}

impl DataType {
    pub(crate) fn from_value(value: u8) -> Option<DataType> {
        [DataType::F32, DataType::F16, DataType::Bf16, DataType::U8].get(usize::from(value)).copied()
    }

    pub(crate) fn size(self) -> u64 {
        match self {
            DataType::F32 => 4,
            DataType::F16 | DataType::Bf16 => 2,
            DataType::U8 => 1,
        }
    }
}

/// What a plane of a tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlaneKind {
    /// The elements of a dense tensor.
    Data,
    /// Codes, in the bits and the layout of the scheme.
    Codes,
    /// Scales, f16 or bf16.
    Scales,
    /// Zero points, in as many bits as codes.
    Zeros,
    /// f32 factors that the columns were multiplied by before quantization.
    InputScale,
}

const PLANE_KINDS: [PlaneKind; 5] =
    [PlaneKind::Data, PlaneKind::Codes, PlaneKind::Scales, PlaneKind::Zeros, PlaneKind::InputScale];

/// One plane of a tensor.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    kind: PlaneKind,
    offset: u64,
    bytes: &'a [u8],
    row_bytes: u64,
    xxh64: u64,
}

impl<'a> Plane<'a> {
    /// What it holds.
    pub fn kind(&self) -> PlaneKind {
        self.kind
    }

    /// Where it starts in the file: on 256 bytes, at least.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes from one row of the plane to the next. A row of the plane is a row of the matrix in the canonical layout,
    /// something else in others.
    pub fn row_bytes(&self) -> u64 {
        self.row_bytes
    }

    /// Compares the plane with its checksum.
    pub fn verify(&self) -> core::result::Result<(), Error> {
        match xxh64(self.bytes) == self.xxh64 {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::ChecksumMismatch, "a plane of a tensor").at(self.offset)),
        }
    }
}

/// What is needed to read a tensor: the file, and what the index says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) superblock: Superblock,
    pub(crate) segments: List<'a>,
    pub(crate) allows_device_layouts: bool,
}

/// A matrix of `rows` outputs by `columns` inputs; a vector has one row.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    name: &'a str,
    rows: u64,
    columns: u64,
    kind: TensorKind,
    data_type: DataType,
    scheme: Option<Scheme>,
    folded: bool,
    planes: [Option<Plane<'a>>; 5],
}

impl<'a> Tensor<'a> {
    /// Reads and checks entry `index` of Model.tensors.
    pub(crate) fn read(table: &Table<'a>, context: &Context<'a>) -> Result<Tensor<'a>> {
        let name = table.text(0)?;
        if name.is_empty() {
            return Err(Error::bad("a tensor has no name"));
        }
        let (rows, columns) = (table.u64(1)?, table.u64(2)?);
        if rows == 0 {
            return Err(Error::bad("a tensor has no rows"));
        }
        let kind = match table.u8(3)? {
            0 => TensorKind::Dense,
            1 => TensorKind::Quantized,
            2 => TensorKind::Auxiliary,
            _ => return Err(Error::bad("the kind of a tensor is unknown")),
        };
        let scheme = table.table(5)?.map(|table| Scheme::read(&table)).transpose()?;
        let list = table.list(6)?;
        let (data_type, shapes) = match (kind, &scheme) {
            (TensorKind::Quantized, Some(scheme)) => {
                if scheme.layout() != crate::Layout::Canonical && !context.allows_device_layouts {
                    return Err(Error::bad("a tensor has a device layout, but the file does not say that it has such"));
                }
                let has_input_scale = list.len() > 2 + usize::from(scheme.has_zeros());
                (scheme.scale_type(), quantized_planes(rows, columns, scheme, has_input_scale)?)
            }
            (TensorKind::Dense | TensorKind::Auxiliary, None) => {
                let data_type = DataType::from_value(table.u8(4)?).ok_or(Error::bad("a tensor's dtype is unknown"))?;
                (data_type, [Some(dense_plane(rows, columns, data_type)?), None, None, None])
            }
            _ => return Err(Error::bad("a tensor has a scheme but is not quantized, or the other way round")),
        };
        let mut tensor =
            Tensor { name, rows, columns, kind, data_type, scheme, folded: table.flag(7)?, planes: [None; 5] };
        if list.len() != shapes.iter().flatten().count() {
            return Err(Error::bad("a tensor does not have the planes that its kind has"));
        }
        for (i, shape) in shapes.iter().flatten().enumerate() {
            let plane = read_plane(&list.get(i)?, shape, context)?;
            tensor.planes[plane.kind as usize] = Some(plane);
        }
        Ok(tensor)
    }

    /// Its name, as in the checkpoint.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Outputs, N.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Inputs, K: elements of a row.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// What it is.
    pub fn kind(&self) -> TensorKind {
        self.kind
    }

    /// The type of the elements; of the scales, where it is quantized.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// How it was quantized, if it was.
    pub fn scheme(&self) -> Option<&Scheme> {
        self.scheme.as_ref()
    }

    /// Whether the factors of an input_scale plane are divided out already by what produces the input. Where they are
    /// not, the runtime divides the input by them.
    pub fn is_folded(&self) -> bool {
        self.folded
    }

    /// The planes that it has, in the order of the file.
    pub fn planes(&self) -> impl Iterator<Item = Plane<'a>> {
        IntoIterator::into_iter(self.planes).flatten()
    }

    /// One plane, if it has it.
    pub fn plane(&self, kind: PlaneKind) -> Option<Plane<'a>> {
        self.planes[kind as usize]
    }

    /// Compares every plane with its checksum: reads the whole tensor.
    pub fn verify(&self) -> core::result::Result<(), Error> {
        self.planes().try_for_each(|plane| plane.verify())
    }

    /// Row `row` as f32, the weights as the runtime must see them; bit for bit what the library gives. Plain loops, for
    /// loading and checking: a fast product takes the planes themselves.
    ///
    /// [`ErrorKind::InvalidArgument`] where there is no such row, `out` does not hold [`columns`](Tensor::columns)
    /// elements, or the tensor holds raw bytes ([`DataType::U8`]).
    pub fn dequantize_row(&self, row: u64, out: &mut [f32]) -> core::result::Result<(), Error> {
        if row >= self.rows {
            return Err(Error::argument("the tensor has no such row"));
        }
        if out.len() as u64 != self.columns {
            return Err(Error::argument("the slice does not have as many elements as the tensor has columns"));
        }
        crate::dequantize::row(self, row, out)
    }
}

fn read_plane<'a>(table: &Table<'a>, shape: &PlaneShape, context: &Context<'a>) -> Result<Plane<'a>> {
    let (offset, size) = (table.u64(2)?, table.u64(3)?);
    let kind = PLANE_KINDS.get(usize::from(table.u8(0)?)).ok_or(Error::bad("the kind of a plane is unknown"))?;
    if *kind != shape.kind {
        return Err(Error::bad("a plane stands in the place of another kind").at(offset));
    }
    let row_bytes = table.u64(5)?;
    if row_bytes != shape.row_bytes || size != shape.size {
        return Err(Error::bad("a plane's sizes are not what its tensor's shape gives").at(offset));
    }
    if offset % context.superblock.plane_alignment != 0 {
        return Err(Error::bad("a plane is not on the plane alignment").at(offset));
    }
    let segment = context.segments.get(table.u32(1)? as usize)?;
    let segment = Segment::read_unnamed(&segment, &context.superblock, context.file)?;
    if segment.kind().is_raw() {
        return Err(Error::bad("a plane lies in a raw segment").at(offset));
    }
    let bytes = offset.checked_sub(segment.offset()).and_then(|inside| range(segment.bytes(), inside, size));
    let bytes = bytes.ok_or_else(|| Error::bad("a plane does not lie inside its segment").at(offset))?;
    Ok(Plane { kind: *kind, offset, bytes, row_bytes, xxh64: table.u64(4)? })
}
