// SPDX-License-Identifier: Apache-2.0
use crate::call::text;
use crate::callbacks::{Callbacks, Closures};
use crate::error::Result;
use crate::progress::{Flow, Progress};
use crate::text::c_path;
use scrooge_sys as sys;
use std::path::{Path, PathBuf};

/// Opens a `.scrooge` file with all checks and reads every byte; the result as JSON.
///
/// ```
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scrooge-reader/tests/data/tiny.scrooge");
/// assert!(scrooge::verify(file)?.contains("\"ok\":true"));
/// # Ok::<(), scrooge::Error>(())
/// ```
pub fn verify(file: impl AsRef<Path>) -> Result<String> {
    Verify::new(file).run()
}

/// A verification with a progress closure.
#[must_use = "nothing happens before run"]
pub struct Verify<'a> {
    file: PathBuf,
    closures: Closures<'a>,
}

impl<'a> Verify<'a> {
    /// Of `file`.
    pub fn new(file: impl AsRef<Path>) -> Verify<'a> {
        Verify { file: file.as_ref().to_path_buf(), closures: Closures::default() }
    }

    /// Called with how far it is, on the thread of run; stops it by [`Flow::Cancel`] or a panic.
    pub fn progress(mut self, report: impl FnMut(&Progress<'_>) -> Flow + Send + 'a) -> Self {
        self.closures.progress = Some(Box::new(report));
        self
    }

    /// Verifies; the result as JSON.
    pub fn run(self) -> Result<String> {
        const ROOM: usize = 64 << 10; // from the start, because each call reads the whole file
        let path = c_path(&self.file)?;
        let callbacks = Callbacks::new(self.closures);
        // SAFETY: a C string, live callbacks, and a buffer of that capacity.
        callbacks.run(|| {
            text(ROOM, |buffer, capacity, required, error| unsafe {
                let (progress, user) = (callbacks.progress(), callbacks.user());
                sys::scrooge_verify(path.as_ptr(), progress, user, buffer, capacity, required, error)
            })
        })
    }
}

impl std::fmt::Debug for Verify<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verify").field("file", &self.file).finish_non_exhaustive()
    }
}
