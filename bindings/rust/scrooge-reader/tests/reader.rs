// SPDX-License-Identifier: Apache-2.0
//! The reader alone, on a file that the library wrote (`data/README.md`) and on broken copies of it. That its numbers
//! are the library's is shown by the tests of the crate `scrooge`.
use scrooge_reader::{xxh64, DataType, ErrorKind, Layout, Model, PlaneKind, SegmentKind, TensorKind};

const FILE: &[u8] = include_bytes!("data/tiny.scrooge");

fn number(file: &[u8], at: usize) -> usize {
    u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize
}

fn index_range(file: &[u8]) -> std::ops::Range<usize> {
    let offset = number(file, 24);
    offset..offset + number(file, 32)
}

/// Makes the checksums of index and superblock right again.
fn reseal(file: &mut [u8]) {
    let index = xxh64(&file[index_range(file)]) as u32;
    file[56..60].copy_from_slice(&index.to_le_bytes());
    let superblock = xxh64(&file[..60]) as u32;
    file[60..64].copy_from_slice(&superblock.to_le_bytes());
}

/// Reads what there is to read and folds it into a number, so that nothing is left out.
fn use_everything(model: &Model) -> u64 {
    let mut sum = 0u64;
    let mut add = |value: u64| sum = sum.rotate_left(5) ^ value;
    for text in [model.architecture(), model.method(), model.tag(), model.library_version()] {
        add(xxh64(text.as_bytes()));
    }
    model.attributes().for_each(|(key, value)| add(xxh64(key.as_bytes()) ^ xxh64(value.as_bytes())));
    let segments = model.segments();
    assert_eq!(segments.len(), segments.count());
    for segment in model.segments() {
        add(xxh64(segment.name().as_bytes()) ^ segment.bytes().len() as u64);
    }
    let tensors = model.tensors();
    assert_eq!(tensors.len(), tensors.count());
    let mut row = Vec::new();
    for tensor in model.tensors() {
        for plane in tensor.planes() {
            assert!(plane.bytes().len() as u64 % plane.row_bytes() == 0);
            add(plane.bytes().len() as u64);
        }
        row.resize(tensor.columns() as usize, 0.0f32);
        for n in [0, tensor.rows() - 1] {
            let read = tensor.dequantize_row(n, &mut row);
            assert_eq!(read.is_err(), tensor.data_type() == DataType::U8);
            row.iter().for_each(|value| add(u64::from(value.to_bits())));
        }
        assert_eq!(tensor.dequantize_row(tensor.rows(), &mut row).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    sum
}

/// A small generator with a fixed seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn a_models_parts_are_listed() {
    let model = Model::open(FILE).unwrap();
    assert_eq!((model.version(), model.architecture(), model.method()), ((1, 0), "llama", "awq"));
    assert_eq!((model.scheme().bits(), model.scheme().group(), model.scheme().layout()), (4, 16, Layout::Canonical));
    assert!(!model.scheme().is_symmetric() && model.scheme().has_zeros());
    assert!(model.segment(SegmentKind::Config).unwrap().bytes().starts_with(b"{"));
    assert!(model.segment(SegmentKind::Tokenizer).unwrap().bytes().ends_with(b"}"));
    assert!(model.segment(SegmentKind::GgufHeader).is_none());
    assert!(model.segments().any(|segment| segment.name() == "block.1" && segment.kind() == SegmentKind::Block));
    let mut backwards: Vec<_> = model.tensors().rev().map(|tensor| tensor.name()).collect();
    backwards.reverse();
    assert!(model.tensors().map(|tensor| tensor.name()).eq(backwards));

    let query = model.tensor("model.layers.0.self_attn.q_proj.weight").unwrap();
    assert_eq!((query.kind(), query.data_type()), (TensorKind::Quantized, DataType::F16));
    let codes = query.plane(PlaneKind::Codes).unwrap();
    assert_eq!(codes.bytes().len() as u64, query.rows() * query.columns() / 2);
    assert_eq!(codes.offset() % 256, 0);
    assert!(query.plane(PlaneKind::Data).is_none());
    assert!(model.tensor("no such tensor").is_none());
    model.verify().unwrap();
}

#[test]
fn values_follow_the_formula() {
    let model = Model::open(FILE).unwrap();
    let tensor = model.tensor("model.layers.1.mlp.down_proj.weight").unwrap();
    let (columns, row) = (tensor.columns() as usize, 3);
    let row_of = |kind: PlaneKind| {
        let plane = tensor.plane(kind).unwrap();
        &plane.bytes()[row * plane.row_bytes() as usize..]
    };
    let nibble = |bytes: &[u8], i: usize| i32::from(bytes[i / 2] >> (4 * (i % 2)) & 15);
    let mut values = vec![0.0; columns];
    tensor.dequantize_row(row as u64, &mut values).unwrap();
    for (k, value) in values.iter().enumerate() {
        let group = k / 16;
        let scale = &row_of(PlaneKind::Scales)[2 * group..];
        let bits = u32::from(u16::from_le_bytes([scale[0], scale[1]]));
        // These scales are positive normal numbers.
        let scale = f32::from_bits(((bits >> 10) + 112) << 23 | (bits & 0x3ff) << 13);
        let code = nibble(row_of(PlaneKind::Codes), k) - nibble(row_of(PlaneKind::Zeros), group);
        assert_eq!(*value, code as f32 * scale, "column {}", k);
    }
}

#[test]
fn wrong_calls_are_refused() {
    let model = Model::open(FILE).unwrap();
    let tensor = model.tensors().next().unwrap();
    let mut short = vec![0.0; tensor.columns() as usize - 1];
    let error = tensor.dequantize_row(0, &mut short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("elements"), "{}", error);
}

#[test]
fn hashes_are_xxh64() {
    // Of the reference implementation: inputs of every kind of length.
    assert_eq!(xxh64(b""), 0xef46_db37_51d8_e999);
    assert_eq!(xxh64(b"a"), 0xd24e_c4f1_a98c_6e5b);
    assert_eq!(xxh64(b"abc"), 0x44bc_2cf5_ad77_0999);
    assert_eq!(xxh64(b"The quick brown fox jumps over the lazy dog"), 0x0b24_2d36_1fda_71bc);
}

#[test]
fn damage_is_named() {
    let kind_of = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = FILE.to_vec();
        change(&mut file);
        Model::open(&file).unwrap_err()
    };
    assert_eq!(kind_of(&|file| file[0] = b'P').kind(), ErrorKind::BadFile);
    assert_eq!(kind_of(&|file| file[8] = 2).kind(), ErrorKind::UnsupportedVersion);
    assert_eq!(kind_of(&|file| file[30] ^= 1).kind(), ErrorKind::ChecksumMismatch);
    let index = index_range(FILE).start;
    let error = kind_of(&|file| file[index + 100] ^= 1);
    assert_eq!((error.kind(), error.position()), (ErrorKind::ChecksumMismatch, Some(index as u64)));
    assert!(kind_of(&|file| file.extend([0; 16384])).to_string().contains("not as long"));

    let mut file = FILE.to_vec();
    let codes = Model::open(FILE).unwrap().tensor("model.layers.0.mlp.up_proj.weight").unwrap();
    let at = codes.plane(PlaneKind::Codes).unwrap().offset();
    file[at as usize] ^= 1;
    let error = Model::open(&file).unwrap().verify().unwrap_err();
    assert_eq!((error.kind(), error.position()), (ErrorKind::ChecksumMismatch, Some(at)));
}

#[test]
fn no_prefix_is_a_model() {
    let mut rest = FILE;
    while let [head @ .., _] = rest {
        assert!(Model::open(head).is_err(), "the first {} bytes", head.len());
        rest = head;
    }
}

#[test]
fn no_flipped_bit_of_superblock_or_index_goes_unseen() {
    let mut file = FILE.to_vec();
    for at in (0..64).chain(index_range(FILE)) {
        for bit in 0..8 {
            file[at] ^= 1 << bit;
            assert!(Model::open(&file).is_err(), "bit {} of byte {}", bit, at);
            file[at] ^= 1 << bit;
        }
    }
}

/// With its checksums right again, a changed index is an error or a model that can be read; never a panic.
#[test]
fn flipped_bits_under_right_checksums_do_no_harm() {
    let mut file = FILE.to_vec();
    let (mut opened, mut refused) = (0, 0);
    for at in index_range(FILE) {
        // Two of its bits, others in each place, take a quarter of the time.
        for bit in [at % 8, (at / 8 + at + 3) % 8] {
            file[at] ^= 1 << bit;
            reseal(&mut file);
            match Model::open(&file) {
                Ok(model) => {
                    use_everything(&model);
                    opened += 1;
                }
                Err(_) => refused += 1,
            }
            file[at] ^= 1 << bit;
        }
    }
    assert!(opened > 100 && refused > 100, "{} opened, {} refused", opened, refused);
}

#[test]
fn random_changes_under_right_checksums_do_no_harm() {
    const EXTREMES: [u32; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    let mut random = Random(0x5c40_06e5);
    let index = index_range(FILE);
    let mut file = FILE.to_vec();
    for _ in 0..4000 {
        for _ in 0..=random.below(3) {
            let at = index.start + random.below(index.len() - 4);
            let value = match random.below(3) {
                0 => EXTREMES[random.below(EXTREMES.len())],
                1 => random.next() as u32,
                _ => random.below(index.len()) as u32,
            };
            let size = 1 << random.below(3);
            file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        }
        if random.below(4) == 0 {
            let at = 8 + random.below(48);
            file[at] ^= 1 << random.below(8);
            let superblock = xxh64(&file[..60]) as u32;
            file[60..64].copy_from_slice(&superblock.to_le_bytes());
        } else {
            reseal(&mut file);
        }
        if let Ok(model) = Model::open(&file) {
            use_everything(&model);
        }
        file[..64].copy_from_slice(&FILE[..64]);
        file[index.clone()].copy_from_slice(&FILE[index.clone()]);
    }
}

#[test]
fn noise_is_not_a_model() {
    let mut random = Random(42);
    for size in 0..300 {
        let mut noise: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
        assert!(Model::open(&noise).is_err());
        if size >= 64 {
            noise[..24].copy_from_slice(&FILE[..24]);
            let superblock = xxh64(&noise[..60]) as u32;
            noise[60..64].copy_from_slice(&superblock.to_le_bytes());
            assert!(Model::open(&noise).is_err());
        }
    }
}
