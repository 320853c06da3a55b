// SPDX-License-Identifier: Apache-2.0
//! Files read by the library and by the crate `scrooge-reader`: both must see the same.
use crate::support::{golden, rtn_job, scratch, small_job, tool};
use scrooge::{DataType, Layout, Model, Plane, PlaneLayout, Quantize, Repack, ScaleType, TensorKind};
use scrooge_reader as reader;
use std::path::Path;
use std::process::Command;
use std::{fs, slice};

/// Every tensor, plane and row of the file, by both.
fn both_read_the_same(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let (ours, theirs) = (reader::Model::open(&bytes).unwrap(), Model::open(path).unwrap());
    ours.verify().unwrap();
    assert_eq!(ours.tensors().len(), theirs.tensors().len());
    for (ours, theirs) in ours.tensors().zip(theirs.tensors()) {
        assert_eq!(ours.name(), theirs.name());
        assert_eq!((ours.rows(), ours.columns()), (theirs.rows(), theirs.columns()));
        assert_eq!(format!("{:?}", ours.kind()), format!("{:?}", theirs.kind()));
        assert_eq!(format!("{:?}", ours.data_type()), format!("{:?}", theirs.data_type()));
        for (kind, plane) in [
            (reader::PlaneKind::Data, Plane::Data),
            (reader::PlaneKind::Codes, Plane::Codes),
            (reader::PlaneKind::Scales, Plane::Scales),
            (reader::PlaneKind::Zeros, Plane::Zeros),
        ] {
            let ours = ours.plane(kind).map_or(&[][..], |plane| plane.bytes());
            assert!(ours == theirs.plane(plane), "{} {:?}", theirs.name(), plane);
        }
        schemes_agree(&ours, &theirs);

        let all = theirs.read_rows(0..theirs.rows()).unwrap();
        let mut row = vec![0.0; ours.columns() as usize];
        for (n, wanted) in all.chunks(row.len()).enumerate() {
            ours.dequantize_row(n as u64, &mut row).unwrap();
            let same = row.iter().zip(wanted).all(|(ours, theirs)| ours.to_bits() == theirs.to_bits());
            assert!(same, "{}: row {} of {:?}", theirs.name(), n, ours.scheme());
        }
    }
}

fn schemes_agree(ours: &reader::Tensor, theirs: &scrooge::TensorView) {
    let (ours, theirs) = match (ours.scheme(), theirs.quantization()) {
        (None, None) => return,
        (ours, theirs) => (ours.unwrap(), theirs.unwrap()),
    };
    assert_eq!((ours.bits(), ours.is_symmetric()), (theirs.bits, theirs.symmetric));
    assert_eq!(matches!(ours.layout(), reader::Layout::Canonical), matches!(theirs.layout, PlaneLayout::Canonical));
    assert_eq!(matches!(ours.layout(), reader::Layout::AutoAwq), matches!(theirs.layout, PlaneLayout::AutoAwq));
}

#[test]
fn a_calibrated_model() {
    let path = scratch("calibrated.scrooge");
    small_job(&path).prepare().unwrap().convert().unwrap();
    both_read_the_same(&path);
}

#[test]
fn every_bits_symmetry_group_and_layout() {
    let path = scratch("schemes.scrooge");
    for bits in [2, 3, 4, 8] {
        for (symmetric, group, scale_type) in
            [(false, 16, ScaleType::Fp16), (true, 40, ScaleType::Bf16), (false, 0, ScaleType::Bf16)]
        {
            let mut layouts = vec![Layout::Canonical, Layout::Interleaved4, Layout::Interleaved8];
            layouts.extend(Some(Layout::AutoAwq).filter(|_| bits == 4));
            for layout in layouts {
                let job = rtn_job(&path).bits(bits).symmetric(symmetric).group(group).scale_type(scale_type);
                job.layout(layout).prepare().unwrap().convert().unwrap();
                both_read_the_same(&path);
            }
        }
    }
}

#[test]
fn a_model_with_biases_in_shards() {
    let path = scratch("qwen.scrooge");
    let job = Quantize::new(golden("tiny_qwen2"), &path).method(scrooge::Method::Rtn).group(16).fresh(true);
    job.prepare().unwrap().convert().unwrap();
    both_read_the_same(&path);
    let model = Model::open(&path).unwrap();
    assert!(model.tensors().any(|tensor| tensor.kind() == TensorKind::Dense && tensor.rows() == 1));
    assert_eq!(model.sources().filter(|source| source.name.ends_with(".safetensors")).count(), 2);
}

#[test]
fn layouts_are_repacked_without_loss() {
    let (path, packed, back) = (scratch("whole.scrooge"), scratch("packed.scrooge"), scratch("back.scrooge"));
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    for layout in [Layout::Interleaved4, Layout::Interleaved8, Layout::AutoAwq] {
        Repack::new(&path, &packed, layout).run().unwrap();
        both_read_the_same(&packed);
        let (before, after) = (Model::open(&path).unwrap(), Model::open(&packed).unwrap());
        for (before, after) in before.tensors().zip(after.tensors()) {
            assert_eq!(before.read_rows(0..before.rows()), after.read_rows(0..after.rows()), "{:?}", layout);
        }
        Repack::new(&packed, &back, Layout::Canonical).run().unwrap();
        assert!(fs::read(&path).unwrap() == fs::read(&back).unwrap(), "{:?}", layout);
    }
}

#[test]
fn the_command_writes_the_same_bytes() {
    let tool = match tool() {
        Some(tool) => tool,
        None => return,
    };
    let (ours, theirs) = (scratch("by_crate.scrooge"), scratch("by_command.scrooge"));
    small_job(&ours).bits(3).symmetric(true).layout(Layout::Interleaved4).prepare().unwrap().convert().unwrap();
    let mut command = Command::new(tool);
    command.arg("quantize").arg(golden("tiny_llama")).arg("--output").arg(&theirs).arg("--quiet").arg("--fresh");
    command.arg("--calibration").arg(golden("tiny_text.txt")).arg("--symmetric");
    for (option, value) in
        [("samples", "4"), ("length", "32"), ("group", "16"), ("grid", "4"), ("bits", "3"), ("layout", "interleaved4")]
    {
        command.arg(format!("--{}", option)).arg(value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read(&ours).unwrap() == fs::read(&theirs).unwrap());
}

#[test]
fn values_are_those_of_the_c_interface() {
    let path = scratch("c_values.scrooge");
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    let model = Model::open(&path).unwrap();
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    unsafe {
        let (mut handle, mut data, mut size) = (std::ptr::null_mut(), std::ptr::null(), 0);
        let none = std::ptr::null_mut();
        let level = scrooge_sys::SCROOGE_OPEN_STRUCTURE;
        assert_eq!(scrooge_sys::scrooge_model_open(name.as_ptr(), level, &mut handle, none), 0);
        assert_eq!(scrooge_sys::scrooge_model_tensor_count(handle), model.tensors().len() as u64);
        for tensor in &model {
            let (index, mut row) = (tensor.index(), vec![0f32; tensor.columns() as usize]);
            let room = row.len() as u64;
            let last = tensor.rows() - 1;
            let read = scrooge_sys::scrooge_model_read_rows(handle, index, last, 1, row.as_mut_ptr(), room, none);
            assert_eq!(read, 0);
            assert_eq!(tensor.read_row(last).unwrap(), row);
            let codes = scrooge_sys::SCROOGE_PLANE_CODES;
            assert_eq!(scrooge_sys::scrooge_model_get_plane(handle, index, codes, &mut data, &mut size, none), 0);
            let codes = if data.is_null() { &[][..] } else { slice::from_raw_parts(data.cast(), size as usize) };
            assert_eq!(tensor.codes(), codes);
        }
        scrooge_sys::scrooge_model_close(handle);
    }
}

#[test]
fn planes_and_rows_have_their_sizes() {
    let path = scratch("planes.scrooge");
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    let model = Model::open(&path).unwrap();
    let tensor = model.tensor("model.layers.1.self_attn.v_proj.weight").unwrap();
    let quantization = tensor.quantization().unwrap();
    assert_eq!((quantization.bits, quantization.group, quantization.symmetric), (4, 16, false));
    assert_eq!((quantization.layout, quantization.scale_type), (PlaneLayout::Canonical, DataType::F16));
    let groups = tensor.columns() / 16;
    assert_eq!(tensor.codes().len() as u64, tensor.rows() * tensor.columns() / 2);
    assert_eq!(tensor.scales().len() as u64, tensor.rows() * groups * 2);
    assert_eq!(tensor.zeros().len() as u64, tensor.rows() * ((groups + 1) / 2));
    assert!(tensor.data().is_empty());
    assert_eq!(tensor.codes().as_ptr() as usize % 256, 0);

    assert_eq!(model.tensors().len(), model.tensors().count());
    assert_eq!(model.tensors().next_back().unwrap().index() as usize, model.tensors().len() - 1);
    assert!(model.tensor("nothing").is_none() && model.tensor("no\0thing").is_none());
    assert!(tensor.read_row(tensor.rows()).is_err());
    assert!(tensor.read_rows(0..u64::MAX).is_err());
    assert!(tensor.read_rows_into(0..2, &mut [0.0; 3]).is_err());
    let start = tensor.rows();
    assert_eq!(tensor.read_rows(start..start).unwrap(), []);
}
