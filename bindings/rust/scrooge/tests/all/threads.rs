// SPDX-License-Identifier: Apache-2.0
use crate::support::{rtn_job, scratch, small_job};
use scrooge::{CancelHandle, Error, Evaluate, Flow, Job, Model, Phase, Quantize, Status, TensorView, Tokenizer};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn send<T: Send>() {}
fn send_and_sync<T: Send + Sync>() {}

/// Ambiguous, so that it does not compile, for a type that is Sync.
macro_rules! assert_not_sync {
    ($type:ty) => {{
        trait Ambiguous<A> {
            fn check() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct IsSync;
        impl<T: ?Sized + Sync> Ambiguous<IsSync> for T {}
        <$type as Ambiguous<_>>::check();
    }};
}

#[test]
fn handles_follow_the_thread_rules() {
    send_and_sync::<Model>();
    send_and_sync::<TensorView<'_>>();
    send_and_sync::<Tokenizer>();
    send_and_sync::<CancelHandle>();
    send_and_sync::<Error>();
    send::<Job<'_>>();
    send::<Quantize<'_>>();
    send::<Evaluate<'_>>();
    assert_not_sync!(Job<'static>);
}

#[test]
fn a_job_is_cancelled_from_another_thread() {
    let path = scratch("cancel_handle.scrooge");
    let (started, wait) = mpsc::channel();
    // The job stands still in its first report from a block until it was cancelled.
    let (cancelled, go_on) = mpsc::channel::<()>();
    let progress = move |report: &scrooge::Progress<'_>| {
        if report.phase != Phase::Prepare && started.send(()).is_ok() {
            let _ = go_on.recv_timeout(Duration::from_secs(60));
        }
        Flow::Continue
    };
    let mut job = small_job(&path).progress(progress).prepare().unwrap();
    let handle = job.cancel_handle();
    let canceller = thread::spawn(move || {
        wait.recv().unwrap();
        handle.cancel();
        drop(wait);
        drop(cancelled);
    });
    assert_eq!(job.convert().unwrap_err().status(), Status::Cancelled);
    canceller.join().unwrap();

    let handle = job.cancel_handle();
    drop(job);
    handle.cancel(); // nothing is there to be cancelled
}

#[test]
fn a_job_moves_to_another_thread() {
    let path = scratch("moved.scrooge");
    let mut job = small_job(&path).progress(|_| Flow::Continue).prepare().unwrap();
    thread::spawn(move || job.convert().unwrap()).join().unwrap();
    assert!(path.exists());
}

#[test]
fn a_model_is_read_by_several_threads() {
    let path = scratch("shared.scrooge");
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    let model = Model::open(&path).unwrap();
    let sum_of = |tensor: TensorView<'_>| tensor.read_rows(0..tensor.rows()).unwrap().iter().sum::<f32>();
    let wanted: Vec<f32> = model.tensors().map(sum_of).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(model.tensors().map(sum_of).eq(wanted.iter().copied())));
        }
    });
}
