// SPDX-License-Identifier: Apache-2.0
use scrooge::{Method, Quantize};
use std::env;
use std::path::{Path, PathBuf};

/// A fixture of the repository.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/golden").join(name)
}

/// A file of this run that only one test uses, not there yet.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// A calibrated job of a fraction of a second.
pub fn small_job<'a>(output: &Path) -> Quantize<'a> {
    Quantize::new(golden("tiny_llama"), output)
        .calibration_text(golden("tiny_text.txt"))
        .samples(4)
        .length(32)
        .group(16)
        .grid(4)
        .threads(2)
        .fresh(true)
}

/// One without calibration, of no time at all.
pub fn rtn_job<'a>(output: &Path) -> Quantize<'a> {
    Quantize::new(golden("tiny_llama"), output).method(Method::Rtn).group(16).threads(2).fresh(true)
}

/// The command, where it was built or installed: SCROOGE_TOOL, beside SCROOGE_LIB_DIR, or in the repository's build.
pub fn tool() -> Option<PathBuf> {
    let beside = env::var_os("SCROOGE_LIB_DIR").map(|folder| Path::new(&folder).join("../bin/scrooge"));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../build/release/bin/scrooge");
    let candidates = [env::var_os("SCROOGE_TOOL").map(PathBuf::from), beside, Some(built)];
    let found = IntoIterator::into_iter(candidates).flatten().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no scrooge command; name it by SCROOGE_TOOL");
    }
    found
}
