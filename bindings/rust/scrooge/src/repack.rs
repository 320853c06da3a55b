// SPDX-License-Identifier: Apache-2.0
use crate::call::check;
use crate::callbacks::{Callbacks, Closures};
use crate::choices::Layout;
use crate::error::Result;
use crate::progress::{Flow, Progress};
use crate::settings::initialized;
use crate::text::{c_path, c_text};
use scrooge_sys as sys;
use std::fmt;
use std::path::{Path, PathBuf};

/// Writes a `.scrooge` file again, with its quantized tensors in another [`Layout`]: the same numbers, nothing lost.
///
/// ```no_run
/// scrooge::Repack::new("qwen.scrooge", "qwen-arm.scrooge", scrooge::Layout::Interleaved8).run()?;
/// # Ok::<(), scrooge::Error>(())
/// ```
#[must_use = "nothing happens before run"]
pub struct Repack<'a> {
    input: PathBuf,
    output: PathBuf,
    layout: Layout,
    closures: Closures<'a>,
}

impl<'a> Repack<'a> {
    /// Of `input`, which may have any layout, to `output`.
    pub fn new(input: impl AsRef<Path>, output: impl AsRef<Path>, layout: Layout) -> Repack<'a> {
        let (input, output) = (input.as_ref().to_path_buf(), output.as_ref().to_path_buf());
        Repack { input, output, layout, closures: Closures::default() }
    }

    /// Called with how far it is, on the thread of run; stops it by [`Flow::Cancel`] or a panic.
    pub fn progress(mut self, report: impl FnMut(&Progress<'_>) -> Flow + Send + 'a) -> Self {
        self.closures.progress = Some(Box::new(report));
        self
    }

    /// Checks every byte of the input and writes the output, which appears under its name only when it is complete.
    pub fn run(self) -> Result<()> {
        let (input, output) = (c_path(&self.input)?, c_path(&self.output)?);
        let layout = c_text(self.layout.name())?;
        let callbacks = Callbacks::new(self.closures);
        // SAFETY: init fills a struct of that size.
        let mut options = unsafe { initialized(sys::scrooge_repack_options_init) };
        options.input = input.as_ptr();
        options.output = output.as_ptr();
        options.layout = layout.as_ptr();
        options.progress = callbacks.progress();
        options.progress_user = callbacks.user();
        // SAFETY: the options and all they point to live during the call.
        callbacks.run(|| check(|error| unsafe { sys::scrooge_repack(&options, error) }))
    }
}

impl fmt::Debug for Repack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Repack");
        text.field("input", &self.input).field("output", &self.output).field("layout", &self.layout);
        text.finish_non_exhaustive()
    }
}
