// SPDX-License-Identifier: Apache-2.0
use crate::support::{golden, rtn_job, scratch};
use scrooge::{Evaluate, Status, Tokenizer};
use std::process::Command;

#[test]
fn the_library_and_its_devices_answer() {
    assert_eq!(scrooge::version(), (0, 1, 0));
    let devices = scrooge::devices().unwrap();
    let cpu = devices.iter().find(|device| device.id == "cpu").unwrap();
    assert!(cpu.is_available && !cpu.name.is_empty() && !cpu.has_own_memory && cpu.unfit.is_none());
    let found = scrooge::find_device("cpu").unwrap();
    assert_eq!((found.id.as_str(), &found.name), ("cpu", &cpu.name));
    assert!(scrooge::find_device("auto").unwrap().reason.is_some());
    assert_eq!(scrooge::find_device("no such device").unwrap_err().status(), Status::Unavailable);
}

#[test]
fn tokenizers_encode_and_decode() {
    let tokenizer = Tokenizer::open(golden("tiny_llama")).unwrap();
    assert_eq!(tokenizer.vocabulary_size(), 384);
    let text = "The miser counted 480 coins – or so they'd say.";
    let ids = tokenizer.encode(text).unwrap();
    assert_eq!(tokenizer.decode(&ids).unwrap(), text);
    let parts: Vec<u8> = ids.iter().flat_map(|id| tokenizer.decode_bytes(&[*id]).unwrap()).collect();
    assert_eq!(parts, text.as_bytes());
    assert_eq!((tokenizer.encode("").unwrap(), tokenizer.decode(&[]).unwrap()), (vec![], String::new()));
    assert_eq!(Tokenizer::open(golden("tiny_ids.json")).unwrap_err().status(), Status::BadTokenizer);

    let path = scratch("tokenizer.scrooge");
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    assert_eq!(Tokenizer::open(&path).unwrap().encode(text).unwrap(), ids);
}

#[test]
fn models_are_evaluated() {
    let path = scratch("evaluated.scrooge");
    rtn_job(&path).prepare().unwrap().convert().unwrap();
    let evaluate = || Evaluate::new(&path).text(golden("tiny_text.txt")).context(64).max_windows(4).threads(2);
    let alone = evaluate().run().unwrap();
    assert!(alone.perplexity > 1.0 && alone.reference.is_none());
    assert_eq!(alone.tokens, 4 * 63);

    let result = evaluate().reference(golden("tiny_llama")).memory(1 << 28).device("cpu").run().unwrap();
    let comparison = result.reference.unwrap();
    assert_eq!(result.perplexity, alone.perplexity);
    assert!(comparison.kl > 0.0 && comparison.top1 > 0.5 && comparison.perplexity > 1.0);
    assert_eq!(evaluate().context(0).run().unwrap_err().status(), Status::InvalidArgument);
}

/// As cargo builds it beside the tests.
#[test]
fn the_example_quantizes() {
    let deps = std::env::current_exe().unwrap();
    let example = deps.parent().unwrap().join("../examples/quantize");
    if !example.is_file() {
        return eprintln!("skipped: the example was not built");
    }
    let path = scratch("example.scrooge");
    let arguments = [golden("tiny_llama"), golden("tiny_text.txt"), path.clone()];
    let output = Command::new(example).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("block 2 of 2") && text.contains("[0, 0] = ") && path.exists(), "{}", text);
}
