// SPDX-License-Identifier: Apache-2.0
//! The declarations against the header and against what a C compiler made of its structs.
use scrooge_sys::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem::{size_of, MaybeUninit};
use std::path::PathBuf;
use std::process::Command;
use std::{fs, ptr};

/// A file of the repository; none where the crate was taken out of it.
fn repository_file(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: {} is not there", path.display());
    }
    text
}

/// `struct field offset size` of a struct and of each of its fields, by "struct" and "struct.field".
type Layout = BTreeMap<String, (usize, usize)>;

macro_rules! describe {
    ($layout:ident, $name:ident { $($field:ident),* $(,)? }) => {{
        let value = MaybeUninit::<$name>::uninit();
        let base = value.as_ptr();
        $layout.insert(stringify!($name).to_string(), (0, size_of::<$name>()));
        $(
            // No field is read, only where it would be.
            let field = unsafe { ptr::addr_of!((*base).$field) };
            let offset = field as usize - base as usize;
            $layout.insert(concat!(stringify!($name), ".", stringify!($field)).to_string(), (offset, size_at(field)));
        )*
        // Fails to compile where a field is missing above.
        let _ = |value: $name| { let $name { $($field: _),* } = value; };
    }};
}

fn size_at<T>(_: *const T) -> usize {
    size_of::<T>()
}

fn rust_layout() -> Layout {
    let mut layout = Layout::new();
    describe!(layout, scrooge_allocator { struct_size, reserved, allocate, release, user });
    describe!(
        layout,
        scrooge_progress {
            struct_size,
            phase,
            block,
            blocks,
            fraction,
            elapsed_seconds,
            eta_seconds,
            tokens_per_second,
            calibrate_seconds,
            quantize_seconds,
            loss,
            loss_rtn,
            memory_before,
            memory_after,
            memory_peak,
            memory_limit,
            stage,
            device_memory_before,
            device_memory_after,
            device_memory_peak,
            device_memory_limit,
        }
    );
    describe!(
        layout,
        scrooge_device_info {
            struct_size,
            available,
            total_bytes,
            free_bytes,
            id,
            name,
            features,
            own_memory,
            software,
            driver,
            unfit,
            reason,
        }
    );
    describe!(
        layout,
        scrooge_quantize_options {
            struct_size,
            reserved,
            next,
            checkpoint,
            output,
            calibration_text,
            calibration_ids,
            samples,
            length,
            bits,
            group,
            symmetric,
            method,
            scale_type,
            propagate,
            grid,
            clip,
            threads,
            reserved2,
            seed,
            memory,
            device,
            allocator,
            progress,
            progress_user,
            log,
            log_user,
            effort,
            refit,
            rounding,
            correct,
            refine,
            sampling,
            held_out,
            outliers,
            max_tokens_per_sample,
            spill,
            fresh,
            states,
            device_memory,
            save_calibration,
            from_calibration,
            layout,
            reproducible,
            reserved3,
        }
    );
    describe!(
        layout,
        scrooge_plan {
            struct_size,
            blocks,
            peak_bytes,
            minimum_bytes,
            budget_bytes,
            output_bytes,
            tokens,
            tokens_dropped,
            bits_per_weight,
            spill_bytes,
            overhead_bytes,
            budget_origin,
            items,
            states_bytes,
            device_peak_bytes,
            device_minimum_bytes,
            device_budget_bytes,
            device_budget_origin,
            device_own_memory,
            device,
            device_name,
            device_reason,
            held_out_tokens,
            statistics_tokens,
            disks,
            reserved,
        }
    );
    describe!(layout, scrooge_plan_item { struct_size, placement, stage, purpose, bytes, memory, reserved });
    describe!(layout, scrooge_disk { struct_size, reserved, folder, purposes, bytes, required_bytes, free_bytes });
    describe!(
        layout,
        scrooge_time_plan { struct_size, items, seconds, seconds_fast, rate_exact, rate_fast, rate_measured, reserved }
    );
    describe!(layout, scrooge_time_item { struct_size, reserved, purpose, seconds });
    describe!(
        layout,
        scrooge_guards {
            struct_size,
            reserved,
            held_out_tokens,
            statistics_tokens,
            overfit_corrections,
            overfit_linears,
            nearest_linears,
            damped_stages,
            broken_down_stages,
        }
    );
    describe!(
        layout,
        scrooge_tensor_info {
            struct_size,
            kind,
            name,
            rows,
            columns,
            dtype,
            bits,
            group,
            symmetric,
            layout,
            layout_rows,
            layout_chunk,
        }
    );
    describe!(
        layout,
        scrooge_stage_info { struct_size, block, name, candidate, alpha, loss_identity, loss_chosen, tokens, damping }
    );
    describe!(layout, scrooge_linear_info { struct_size, block, name, loss, loss_rtn, fell_back, reserved, rounding });
    describe!(layout, scrooge_source_info { struct_size, reserved, name, sha256, size });
    describe!(
        layout,
        scrooge_repack_options { struct_size, reserved, next, input, output, layout, progress, progress_user }
    );
    describe!(
        layout,
        scrooge_evaluate_options {
            struct_size,
            reserved,
            next,
            model,
            reference,
            text,
            token_ids,
            context,
            max_windows,
            threads,
            reserved2,
            memory,
            device,
            allocator,
            progress,
            progress_user,
            log,
            log_user,
            device_memory,
        }
    );
    describe!(
        layout,
        scrooge_evaluation {
            struct_size,
            has_reference,
            perplexity,
            kl,
            top1,
            reference_perplexity,
            tokens,
            tokens_dropped,
            peak_bytes,
            seconds,
            device_peak_bytes,
        }
    );
    layout
}

#[test]
fn c_char_is_the_platforms() {
    let text: *const c_char = ptr::null();
    let _: *const std::os::raw::c_char = text; // compiles, or it is not
}

#[test]
fn constants_are_the_headers() {
    let (header, constants) = match (header(), repository_file("bindings/rust/scrooge-sys/src/constants.rs")) {
        (Some(header), Some(constants)) => (header, constants),
        _ => return,
    };
    let mut ours = BTreeMap::new();
    for line in constants.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, value) = line.split_once(" = ").expect("a constant has a value");
        ours.insert(name.split(':').next().unwrap().to_string(), value.trim_end_matches(';').to_string());
    }
    let mut theirs = BTreeMap::new();
    for line in header.lines() {
        if let Some((name, value)) = line.strip_prefix("#define SCROOGE_VERSION_").and_then(|rest| rest.split_once(' '))
        {
            theirs.insert(format!("SCROOGE_VERSION_{}", name), value.trim().to_string());
        }
    }
    for list in header.split("enum {").skip(1) {
        for item in list.split('}').next().unwrap().split(',') {
            if let Some((name, value)) = item.split_once('=') {
                theirs.insert(name.trim().to_string(), value.trim().to_string());
            }
        }
    }
    assert!(theirs.len() > 80, "{} constants were found in the header", theirs.len());
    assert_eq!(ours, theirs);
}

#[test]
fn functions_are_the_headers() {
    let (header, functions) = match (header(), repository_file("bindings/rust/scrooge-sys/src/functions.rs")) {
        (Some(header), Some(functions)) => (header, functions),
        _ => return,
    };
    let names_and_counts = |text: &str, start: &str| -> Vec<String> {
        let mut found = Vec::new();
        for part in text.split(start).skip(1) {
            let (head, rest) = part.split_once('(').unwrap();
            let arguments = rest.split_once(");").map_or(rest, |(list, _)| list);
            let arguments = arguments.split(") ->").next().unwrap().trim().trim_end_matches(',');
            let count = if arguments.is_empty() || arguments == "void" { 0 } else { arguments.split(',').count() };
            let name = head.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            found.push(format!("{} takes {}", name, count));
        }
        found
    };
    let declared = names_and_counts(&header, "\nSCROOGE_API ");
    assert!(declared.len() > 30, "{} functions were found in the header", declared.len());
    assert_eq!(names_and_counts(&functions, "pub fn "), declared);
}

#[test]
fn structs_are_laid_out_as_listed() {
    if let Some(text) = repository_file("tests/capi/abi_layout.txt") {
        if cfg!(target_pointer_width = "64") {
            assert_eq!(rust_layout(), read_layout(&text));
        } else {
            eprintln!("skipped: the list is of a machine with 64-bit pointers");
        }
    }
}

/// Asks this machine's C compiler about the same structs and fields, where there is one.
#[test]
fn structs_are_laid_out_as_in_c() {
    if header().is_none() {
        return;
    }
    let include = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../include");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join("layout.c"), folder.join("layout"));
    let mut text = String::from("#include <scrooge/scrooge.h>\n#include <stdio.h>\nint main(void) {\n");
    for key in rust_layout().keys() {
        let (name, field, offset, size) = match key.split_once('.') {
            Some((name, field)) => {
                let member = format!("((({} *)0)->{})", name, field);
                (name, field, format!("offsetof({}, {})", name, field), format!("sizeof{}", member))
            }
            None => (key.as_str(), "-", "(size_t)0".to_string(), format!("sizeof({})", key)),
        };
        writeln!(text, "  printf(\"{} {} %zu %zu\\n\", {}, {});", name, field, offset, size).unwrap();
    }
    fs::write(&source, text + "  return 0;\n}\n").unwrap();
    match Command::new("cc").arg("-I").arg(&include).arg(&source).arg("-o").arg(&program).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => return eprintln!("skipped: there is no cc: {}", error),
    }
    let listing = Command::new(&program).output().unwrap();
    assert_eq!(rust_layout(), read_layout(&String::from_utf8(listing.stdout).unwrap()));
}

/// The header without its comments.
fn header() -> Option<String> {
    let text = repository_file("include/scrooge/scrooge.h")?;
    let mut bare = String::new();
    let mut rest = text.as_str();
    while let Some((code, after)) = rest.split_once("/*") {
        bare.push_str(code);
        rest = after.split_once("*/").map_or("", |(_, code)| code);
    }
    bare.push_str(rest);
    Some(bare)
}

/// Lines `struct field offset size`; the struct itself stands with "-" for a field.
fn read_layout(text: &str) -> Layout {
    let mut layout = Layout::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let word: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(word.len(), 4, "not \"struct field offset size\": {}", line);
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let key = if word[1] == "-" { word[0].to_string() } else { format!("{}.{}", word[0], word[1]) };
        layout.insert(key, (number(word[2]), number(word[3])));
    }
    layout
}
