// SPDX-License-Identifier: Apache-2.0
use crate::allocator::Allocator;
use crate::call::fill;
use crate::callbacks::Callbacks;
use crate::choices::{Budget, LogLevel};
use crate::error::Result;
use crate::progress::{Flow, Progress};
use crate::settings::{initialized, Settings};
use crate::text::{c_path, c_text};
use scrooge_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::path::Path;

/// Options of an evaluation: the perplexity of a model on a text, and how far it is from a reference.
///
/// ```no_run
/// let result = scrooge::Evaluate::new("qwen.scrooge").text("held-out.txt").reference("Qwen2.5-0.5B").run()?;
/// println!("perplexity {}, KL {:?}", result.perplexity, result.reference.map(|r| r.kl));
/// # Ok::<(), scrooge::Error>(())
/// ```
#[must_use = "nothing happens before run"]
pub struct Evaluate<'a> {
    settings: Settings<'a, sys::scrooge_evaluate_options>,
}

impl<'a> Evaluate<'a> {
    /// Of `model`, a `.scrooge` file or a checkpoint.
    pub fn new(model: impl AsRef<Path>) -> Evaluate<'a> {
        // SAFETY: init fills a struct of that size.
        let options = unsafe { initialized(sys::scrooge_evaluate_options_init) };
        Evaluate { settings: Settings::new(options) }.set_text(c_path(model.as_ref()), |options| &mut options.model)
    }

    fn set_text(
        mut self,
        text: Result<CString>,
        field: impl FnOnce(&mut sys::scrooge_evaluate_options) -> &mut *const sys::c_char,
    ) -> Self {
        self.settings.set_text(text, field);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut sys::scrooge_evaluate_options)) -> Self {
        change(&mut self.settings.options);
        self
    }

    /// A checkpoint to compare with.
    pub fn reference(self, checkpoint: impl AsRef<Path>) -> Self {
        self.set_text(c_path(checkpoint.as_ref()), |options| &mut options.reference)
    }

    /// The UTF-8 text.
    pub fn text(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.text)
    }

    /// Token ids instead of a text: decimal numbers, separated by white space or commas.
    pub fn token_ids(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.token_ids)
    }

    /// Tokens of a window; windows do not overlap.
    pub fn context(self, tokens: u32) -> Self {
        self.set(|options| options.context = tokens)
    }

    /// How many windows at most; 0: all.
    pub fn max_windows(self, windows: u32) -> Self {
        self.set(|options| options.max_windows = windows)
    }

    /// Threads to work on; 0: all processors of this process.
    pub fn threads(self, threads: u32) -> Self {
        self.set(|options| options.threads = threads)
    }

    /// The ceiling for host memory: a number of bytes, or a [`Budget`].
    pub fn memory(self, budget: impl Into<Budget>) -> Self {
        let bytes = budget.into().value();
        self.set(|options| options.memory = bytes)
    }

    /// The budget of a device with memory of its own; a second ceiling beside [`memory`](Self::memory) for one without.
    pub fn device_memory(self, budget: impl Into<Budget>) -> Self {
        let bytes = budget.into().value();
        self.set(|options| options.device_memory = bytes)
    }

    /// What [`find_device`](crate::find_device) takes: an id, `auto`, or a part of a name.
    pub fn device(self, id: &str) -> Self {
        self.set_text(c_text(id), |options| &mut options.device)
    }

    /// Where large buffers come from. See [`Allocator`].
    pub fn allocator(mut self, allocator: impl Allocator + Send + 'a) -> Self {
        self.settings.closures.allocator = Some(Box::new(allocator));
        self
    }

    /// Called with how far it is, on the thread of run; stops it by [`Flow::Cancel`] or a panic.
    pub fn progress(mut self, report: impl FnMut(&Progress<'_>) -> Flow + Send + 'a) -> Self {
        self.settings.closures.progress = Some(Box::new(report));
        self
    }

    /// Called with remarks and warnings, on the same thread.
    pub fn log(mut self, sink: impl FnMut(LogLevel, &str) + Send + 'a) -> Self {
        self.settings.closures.log = Some(Box::new(sink));
        self
    }

    /// Evaluates.
    pub fn run(mut self) -> Result<Evaluation> {
        self.settings.check()?;
        let callbacks = Callbacks::new(self.settings.closures);
        let options = &mut self.settings.options;
        options.allocator = callbacks.allocator();
        options.progress = callbacks.progress();
        options.progress_user = callbacks.user();
        options.log = callbacks.log();
        options.log_user = callbacks.user();
        let options = &*options;
        // SAFETY: the options and all they point to live during the call.
        let result =
            callbacks.run(|| fill(|result, error| unsafe { sys::scrooge_evaluate(options, result, error) }))?;
        Ok(Evaluation::from_c(&result))
    }
}

impl fmt::Debug for Evaluate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluate").field("options", &self.settings.options).finish_non_exhaustive()
    }
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// exp of the mean negative log-likelihood; each window of N tokens scores N - 1.
    pub perplexity: f64,
    /// Against the reference, where one was given.
    pub reference: Option<Comparison>,
    /// Tokens scored.
    pub tokens: u64,
    /// Tokens that filled no window, or of windows beyond those wanted.
    pub tokens_dropped: u64,
    /// The most that was allocated at once.
    pub peak_bytes: u64,
    /// The same on a device with memory of its own; 0 for the others.
    pub device_peak_bytes: u64,
    /// How long it took.
    pub seconds: f64,
}

/// A model against a reference, at every position of a text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Mean Kullback-Leibler divergence of the model from the reference, in nats.
    pub kl: f64,
    /// Share of positions where both agree on the likeliest token, 0 to 1.
    pub top1: f64,
    /// The reference's own.
    pub perplexity: f64,
}

impl Evaluation {
    fn from_c(result: &sys::scrooge_evaluation) -> Evaluation {
        let reference = Comparison { kl: result.kl, top1: result.top1, perplexity: result.reference_perplexity };
        Evaluation {
            perplexity: result.perplexity,
            reference: Some(reference).filter(|_| result.has_reference != 0),
            tokens: result.tokens,
            tokens_dropped: result.tokens_dropped,
            peak_bytes: result.peak_bytes,
            device_peak_bytes: result.device_peak_bytes,
            seconds: result.seconds,
        }
    }
}
