// SPDX-License-Identifier: Apache-2.0
//! Quantizes a checkpoint to 4 bits within 2 GiB and reads a row of the result back:
//!   quantize CHECKPOINT CALIBRATION_TEXT OUTPUT
use scrooge::{Flow, Model, Phase, Quantize, TensorKind};
use std::process::ExitCode;

fn run(checkpoint: &str, text: &str, output: &str) -> scrooge::Result<()> {
    let mut job = Quantize::new(checkpoint, output)
        .calibration_text(text)
        .group(64)
        .memory(2 << 30)
        .progress(|report| {
            if report.phase == Phase::BlockDone {
                let (block, loss, rtn) = (report.block + 1, report.loss, report.loss_rtn);
                println!("block {} of {}: loss {:.3}, round-to-nearest {:.3}", block, report.blocks, loss, rtn);
            }
            Flow::Continue // Flow::Cancel would stop the job
        })
        .prepare()?;
    let plan = job.plan()?;
    println!(
        "planned peak {} bytes, at least {}; output {} bytes",
        plan.peak_bytes, plan.minimum_bytes, plan.output_bytes
    );
    job.convert()?;

    let model = Model::open(output)?;
    if let Some(tensor) = model.tensors().find(|tensor| tensor.kind() == TensorKind::Quantized) {
        println!("{}[0, 0] = {}", tensor.name(), tensor.read_row(0)?[0]);
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [checkpoint, text, output] => run(checkpoint, text, output),
        _ => {
            eprintln!("usage: quantize CHECKPOINT CALIBRATION_TEXT OUTPUT");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error);
            ExitCode::FAILURE
        }
    }
}
