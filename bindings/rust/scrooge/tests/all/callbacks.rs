// SPDX-License-Identifier: Apache-2.0
use crate::support::{rtn_job, scratch, small_job};
use scrooge::{Allocator, Evaluate, Flow, Layout, LogLevel, Phase, Repack, Status, Verify};
use std::alloc;
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What a panic said.
fn panic_text(call: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("the panic goes on");
    payload.downcast_ref::<&str>().expect("a plain message").to_string()
}

#[test]
fn progress_is_reported_to_a_closure_that_borrows() {
    let path = scratch("progress.scrooge");
    let (mut phases, mut last) = (Vec::new(), 0.0);
    let progress = |report: &scrooge::Progress<'_>| {
        assert!(report.fraction >= last && !report.stage.is_empty());
        last = report.fraction;
        if !phases.contains(&report.phase) {
            phases.push(report.phase);
        }
        Flow::Continue
    };
    small_job(&path).progress(progress).prepare().unwrap().convert().unwrap();
    assert!(phases.contains(&Phase::Block) && phases.contains(&Phase::BlockDone));
    assert_eq!(last, 1.0);
}

#[test]
fn progress_cancels() {
    let path = scratch("cancelled.scrooge");
    let progress = |report: &scrooge::Progress<'_>| match report.phase {
        Phase::Prepare => Flow::Continue,
        _ => Flow::Cancel,
    };
    let mut job = small_job(&path).progress(progress).prepare().unwrap();
    assert_eq!(job.convert().unwrap_err().status(), Status::Cancelled);
    assert!(!path.exists());
}

#[test]
fn a_panic_in_progress_stops_the_job_and_goes_on() {
    let path = scratch("panicked.scrooge");
    let mut calls = 0;
    let progress = |report: &scrooge::Progress<'_>| {
        calls += 1;
        assert!(report.phase == Phase::Prepare, "too much");
        Flow::Continue
    };
    let mut job = small_job(&path).progress(progress).prepare().unwrap();
    assert_eq!(panic_text(|| job.convert().unwrap()), "too much");
    drop(job);
    assert!(calls > 0 && !path.exists());
    small_job(&path).prepare().unwrap().convert().unwrap(); // nothing is left locked
}

#[test]
fn a_panic_in_the_log_stops_the_job_and_goes_on() {
    let path = scratch("log.scrooge");
    // A text that is much too short for what is asked for makes the library remark on it.
    let job = || small_job(&path).samples(100_000);
    let mut lines = Vec::new();
    let sink = |level: LogLevel, text: &str| lines.push((level, text.to_string()));
    job().log(sink).prepare().unwrap().convert().unwrap();
    assert!(lines.iter().any(|(level, text)| *level == LogLevel::Warning && text.contains("rows")), "{:?}", lines);
    let call = || job().log(|_, _| panic!("no remarks")).prepare().unwrap().convert().unwrap();
    assert_eq!(panic_text(call), "no remarks");
}

#[test]
fn other_calls_report_and_cancel_too() {
    let (path, packed) = (scratch("others.scrooge"), scratch("others_packed.scrooge"));
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    let mut phase = None;
    let note = |report: &scrooge::Progress<'_>| {
        phase = Some(report.phase);
        Flow::Continue
    };
    assert!(Verify::new(&path).progress(note).run().unwrap().contains("\"ok\":true"));
    assert_eq!(phase, Some(Phase::Verify));

    let cancelled = |result: scrooge::Result<()>| assert_eq!(result.unwrap_err().status(), Status::Cancelled);
    let cancel = |_: &scrooge::Progress<'_>| Flow::Cancel;
    cancelled(Verify::new(&path).progress(cancel).run().map(drop));
    cancelled(Repack::new(&path, &packed, Layout::Interleaved4).progress(cancel).run());
    assert!(!packed.exists());
    let text = crate::support::golden("tiny_text.txt");
    cancelled(Evaluate::new(&path).text(&text).progress(cancel).run().map(drop));
    let call = || drop(Evaluate::new(&path).text(&text).progress(|_| panic!("not this one")).run());
    assert_eq!(panic_text(call), "not this one");
}

/// Memory of the system, with what is out counted.
#[derive(Default)]
struct Counting {
    out: HashMap<usize, alloc::Layout>,
    peak: usize,
    fails: bool,
}

// SAFETY: gives what the system's allocator gives.
unsafe impl Allocator for &mut Counting {
    fn allocate(&mut self, size: usize, alignment: usize) -> *mut u8 {
        if self.fails {
            return std::ptr::null_mut();
        }
        let layout = alloc::Layout::from_size_align(size.max(1), alignment).unwrap();
        let pointer = unsafe { alloc::alloc(layout) };
        self.out.insert(pointer as usize, layout);
        self.peak = self.peak.max(self.out.values().map(|layout| layout.size()).sum());
        pointer
    }

    unsafe fn release(&mut self, pointer: *mut u8, size: usize) {
        let layout = self.out.remove(&(pointer as usize)).expect("released once");
        assert_eq!(layout.size(), size.max(1));
        unsafe { alloc::dealloc(pointer, layout) };
    }
}

#[test]
fn buffers_come_from_an_allocator() {
    let path = scratch("allocator.scrooge");
    let mut memory = Counting::default();
    small_job(&path).allocator(&mut memory).prepare().unwrap().convert().unwrap();
    assert!(memory.out.is_empty() && memory.peak > 0);

    memory.fails = true;
    let failed = small_job(&path).allocator(&mut memory).prepare().and_then(|mut job| job.convert());
    assert_eq!(failed.unwrap_err().status(), Status::OutOfMemory);
}
