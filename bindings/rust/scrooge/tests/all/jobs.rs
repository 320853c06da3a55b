// SPDX-License-Identifier: Apache-2.0
use crate::support::{golden, rtn_job, scratch, small_job};
use scrooge::{
    Budget, BudgetOrigin, Contents, Effort, Method, Model, OpenLevel, Placement, Preset, Propagate, Quantize, Rounding,
    Sampling, States, Status,
};
use std::fs;

#[test]
fn a_job_is_planned_run_and_reported() {
    let path = scratch("job.scrooge");
    let mut job = small_job(&path).memory(1 << 30).prepare().unwrap();
    let plan = job.plan().unwrap();
    assert_eq!((plan.blocks, plan.tokens, plan.budget_bytes), (2, 128, Some(1 << 30)));
    assert_eq!(plan.budget_origin, BudgetOrigin::Given);
    assert!(plan.minimum_bytes <= plan.peak_bytes && plan.bits_per_weight > 4.0);
    assert_eq!(plan.tokens_dropped, 0); // what is behind the rows is not read
    let items = job.plan_items().unwrap();
    assert!(items.iter().any(|item| item.placement == Placement::Held && item.purpose.contains("weights")));
    assert!(job.plan_json().unwrap().starts_with('{'));
    let disks = job.disks().unwrap();
    assert_eq!(disks.len(), 1);
    assert!(disks[0].purposes.starts_with("output ") && disks[0].required_bytes >= plan.output_bytes);
    let time = job.time_plan().unwrap();
    assert!(time.seconds > 0.0 && time.seconds_fast.map_or(false, |fast| fast < time.seconds));
    assert!((time.items.iter().map(|item| item.seconds).sum::<f64>() - time.seconds).abs() < 1e-6 * time.seconds);
    assert!(time.items.iter().any(|item| item.purpose == "error correction"));
    assert!(!path.exists());

    job.convert().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), plan.output_bytes);
    assert!(job.report_json().unwrap().contains("\"blocks\""));
    let guards = job.guards().unwrap();
    assert_eq!(guards.held_out_tokens, plan.held_out_tokens);
    assert_eq!(guards.held_out_tokens + guards.statistics_tokens, plan.tokens);
    assert_eq!(job.convert().unwrap_err().status(), Status::InvalidArgument); // once only

    let model = Model::open_with(&path, OpenLevel::Checksums).unwrap();
    assert_eq!(model.contents(), Contents::Model);
    assert_eq!((model.stages().len(), model.linears().len()), (8, 14));
    assert!(model.stages().all(|stage| stage.tokens > 0 && !stage.candidate.is_empty() && stage.damping >= 0.0));
    assert!(model.linears().all(|linear| ["nearest", "gptq"].contains(&linear.rounding)));
    assert_eq!(model.stages().next().unwrap().name, "qkv");
    assert!(model.linears().all(|linear| linear.loss <= linear.loss_rtn || linear.fell_back));
    assert_eq!(model.linears().last().unwrap().block, 1);
    let source = model.sources().find(|source| source.name == "model.safetensors").unwrap();
    assert_eq!(source.size, fs::metadata(golden("tiny_llama/model.safetensors")).unwrap().len());
    assert!(source.sha256.map_or(true, |digits| digits.len() == 64));
    assert!(model.json().unwrap().contains("llama"));
}

/// What an option says reaches the library: each changes the plan, or the bytes, or is refused.
#[test]
fn options_reach_the_library() {
    let path = scratch("options.scrooge");
    let plan_of = |job: Quantize| job.prepare().unwrap().plan_json().unwrap();
    let plain = plan_of(small_job(&path));
    for (name, job) in [
        ("samples", small_job(&path).samples(5)),
        ("length", small_job(&path).length(16)),
        ("bits", small_job(&path).bits(8)),
        ("group", small_job(&path).group(32)),
        ("symmetric", small_job(&path).symmetric(true)),
        ("effort", small_job(&path).effort(Effort::Fast)),
        ("preset", small_job(&path).preset(Preset::Minimal)),
        ("memory", small_job(&path).memory(Budget::Unlimited)),
    ] {
        assert_ne!(plan_of(job), plain, "{}", name);
    }

    let bytes_of = |job: Quantize| {
        job.prepare().unwrap().convert().unwrap();
        fs::read(&path).unwrap()
    };
    let fast = || small_job(&path).effort(Effort::Fast);
    let plain = bytes_of(fast());
    for (name, job) in [
        ("method", fast().method(Method::Rtn)),
        ("propagate", fast().propagate(Propagate::None)),
        ("grid", fast().grid(6)),
        ("clip", fast().clip(false)),
        ("rounding", fast().rounding(Rounding::Gptq)),
        ("refit", fast().refit(1)),
        ("correct", fast().correct(1.0)),
        ("sampling", fast().sampling(Sampling::Even)),
        ("held_out", fast().held_out(40.0)),
        ("max_tokens_per_sample", fast().max_tokens_per_sample(7)),
        ("seed", fast().sampling(Sampling::Random).seed(7)),
    ] {
        assert!(bytes_of(job) != plain, "{}", name);
    }
    for (name, job) in [
        ("threads", fast().threads(1)),
        ("memory", fast().memory(1 << 28).device_memory(1 << 27)),
        ("spill", fast().spill(env!("CARGO_TARGET_TMPDIR"))),
        ("states", fast().states(States::Keep)),
        ("refine", fast().refine(0)),
        ("device", fast().device("cpu")),
    ] {
        assert!(bytes_of(job) == plain, "{}", name);
    }
    assert!(fast().outliers(70.0).prepare().is_err());
    assert!(fast().device("abacus").prepare().is_err());
}

#[test]
fn a_calibration_is_kept_and_used_again() {
    let (path, kept) = (scratch("first.scrooge"), scratch("kept.scrooge"));
    small_job(&path).effort(Effort::Fast).save_calibration(&kept).prepare().unwrap().convert().unwrap();
    let calibration = Model::open(&kept).unwrap();
    assert_eq!(calibration.contents(), Contents::Calibration);
    assert_eq!(calibration.stages().len(), 8);

    let again = scratch("again.scrooge");
    let job = Quantize::new(golden("tiny_llama"), &again).group(16).from_calibration(&kept);
    job.prepare().unwrap().convert().unwrap();
    let (first, again) = (Model::open(&path).unwrap(), Model::open(&again).unwrap());
    for (first, again) in first.tensors().zip(again.tensors()) {
        assert_eq!((first.name(), first.codes()), (again.name(), again.codes()));
    }
    let bytes = fs::read(&kept).unwrap();
    let refused = scrooge_reader::Model::open(&bytes).unwrap_err();
    assert_eq!(refused.kind(), scrooge_reader::ErrorKind::NotAModel);
}

#[test]
fn failures_have_a_status_and_a_sentence() {
    let path = scratch("failures.scrooge");
    let error = small_job(&path).bits(5).prepare().unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.message().contains("bits"), "{}", error);
    assert_eq!(error.to_string(), format!("{}: {}", error.status(), error.message()));

    let error = Quantize::new("no such folder", &path).method(Method::Rtn).prepare().unwrap_err();
    assert_eq!(error.status(), Status::NotFound);
    let error = small_job(&path).memory(0).prepare().unwrap_err();
    assert_eq!(error.status(), Status::BudgetExceeded);
    let error = rtn_job(&path).calibration_text("a\0b").bits(5).prepare().unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.message().contains("zero byte"), "{}", error);
    assert_eq!(Model::open(golden("tiny_text.txt")).unwrap_err().status(), Status::BadModelFile);
    assert_eq!(Status::BadCheckpoint.code(), scrooge_sys::SCROOGE_BAD_CHECKPOINT);
    assert_eq!(Status::Unknown(12345).to_string(), "unknown status");
}
