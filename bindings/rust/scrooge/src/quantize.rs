// SPDX-License-Identifier: Apache-2.0
use crate::allocator::Allocator;
use crate::call::check;
use crate::callbacks::Callbacks;
use crate::choices::{
    Budget, Effort, Layout, LogLevel, Method, Preset, Propagate, Rounding, Sampling, ScaleType, States,
};
use crate::error::Result;
use crate::job::Job;
use crate::progress::{Flow, Progress};
use crate::settings::{initialized, Settings};
use crate::text::{c_path, c_text};
use scrooge_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::path::Path;

/// Options of a quantization job. Those not named keep the library's defaults: AWQ, default effort, 4 bits, groups of
/// 128, asymmetric, fp16 scales, 128 samples of 512 tokens, the processor, and what memory is free.
#[must_use = "nothing happens before prepare"]
pub struct Quantize<'a> {
    settings: Settings<'a, sys::scrooge_quantize_options>,
}

impl<'a> Quantize<'a> {
    /// A job that quantizes `checkpoint` (a folder with config.json and safetensors, or a GGUF file) and writes `output`.
    pub fn new(checkpoint: impl AsRef<Path>, output: impl AsRef<Path>) -> Quantize<'a> {
        // SAFETY: init fills a struct of that size.
        let options = unsafe { initialized(sys::scrooge_quantize_options_init) };
        Quantize { settings: Settings::new(options) }
            .set_text(c_path(checkpoint.as_ref()), |options| &mut options.checkpoint)
            .set_text(c_path(output.as_ref()), |options| &mut options.output)
    }

    fn set_text(
        mut self,
        text: Result<CString>,
        field: impl FnOnce(&mut sys::scrooge_quantize_options) -> &mut *const sys::c_char,
    ) -> Self {
        self.settings.set_text(text, field);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut sys::scrooge_quantize_options)) -> Self {
        change(&mut self.settings.options);
        self
    }

    /// The UTF-8 text to calibrate on. Rounding to nearest needs none.
    pub fn calibration_text(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.calibration_text)
    }

    /// Token ids instead of a text: decimal numbers, separated by white space or commas.
    pub fn calibration_ids(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.calibration_ids)
    }

    /// Sets samples, length and effort together; change what you like afterwards.
    pub fn preset(mut self, preset: Preset) -> Self {
        let result = c_text(preset.name()).and_then(|name| {
            // SAFETY: initialized options and a C string.
            check(|error| unsafe {
                sys::scrooge_quantize_options_preset(&mut self.settings.options, name.as_ptr(), error)
            })
        });
        self.settings.note(result);
        self
    }

    /// Rows of calibration tokens.
    pub fn samples(self, rows: u32) -> Self {
        self.set(|options| options.samples = rows)
    }

    /// Tokens of a row.
    pub fn length(self, tokens: u32) -> Self {
        self.set(|options| options.length = tokens)
    }

    /// Bits of a code: 2, 3, 4 or 8.
    pub fn bits(self, bits: u32) -> Self {
        self.set(|options| options.bits = bits)
    }

    /// Weights that share a scale; 0: a whole row.
    pub fn group(self, weights: u32) -> Self {
        self.set(|options| options.group = weights)
    }

    /// Whether zero points are the middle code everywhere.
    pub fn symmetric(self, symmetric: bool) -> Self {
        self.set(|options| options.symmetric = i32::from(symmetric))
    }

    /// Calibrated, or rounding to nearest.
    pub fn method(self, method: Method) -> Self {
        self.set(|options| options.method = method.value())
    }

    /// The type of scales.
    pub fn scale_type(self, scale_type: ScaleType) -> Self {
        self.set(|options| options.scale_type = scale_type.value())
    }

    /// Which inputs a linear is calibrated on.
    pub fn propagate(self, propagate: Propagate) -> Self {
        self.set(|options| options.propagate = propagate.value())
    }

    /// Steps of the scale search; 0 keeps the identity.
    pub fn grid(self, steps: u32) -> Self {
        self.set(|options| options.grid = steps)
    }

    /// Whether the clip range of every group is searched.
    pub fn clip(self, clip: bool) -> Self {
        self.set(|options| options.clip = i32::from(clip))
    }

    /// Threads to work on; 0: all processors of this process. Never changes the result.
    pub fn threads(self, threads: u32) -> Self {
        self.set(|options| options.threads = threads)
    }

    /// Of [`Sampling::Random`]; with another sampling it stays 0.
    pub fn seed(self, seed: u64) -> Self {
        self.set(|options| options.seed = seed)
    }

    /// The ceiling for host memory: a number of bytes, or a [`Budget`]. Never changes the result.
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

    /// How much is tried. Picks what rounding, correct, refine and refit leave open.
    pub fn effort(self, effort: Effort) -> Self {
        self.set(|options| options.effort = effort.value())
    }

    /// How codes are chosen.
    pub fn rounding(self, rounding: Rounding) -> Self {
        self.set_text(c_text(rounding.name()), |options| &mut options.rounding)
    }

    /// Error correction towards the original output, 0 to 1.
    pub fn correct(self, share: f64) -> Self {
        self.set(|options| options.correct = share)
    }

    /// Sweeps of coordinate descent on the codes, before each refit.
    pub fn refine(self, sweeps: u32) -> Self {
        self.set(|options| options.refine = i32::try_from(sweeps).unwrap_or(i32::MAX))
    }

    /// Sweeps of scale refitting after rounding.
    pub fn refit(self, sweeps: u32) -> Self {
        self.set(|options| options.refit = i32::try_from(sweeps).unwrap_or(i32::MAX))
    }

    /// Which rows of a long text are taken.
    pub fn sampling(self, sampling: Sampling) -> Self {
        self.set(|options| options.sampling = sampling.value())
    }

    /// Percent of the calibration tokens kept apart to check the result on, 0 to 50.
    pub fn held_out(self, percent: f64) -> Self {
        self.set(|options| options.held_out = percent)
    }

    /// Percent of the tokens, the most extreme ones, left out of the statistics, 0 to 50.
    pub fn outliers(self, percent: f64) -> Self {
        self.set(|options| options.outliers = percent)
    }

    /// Tokens of a row, evenly spaced, that enter the statistics; 0: all.
    pub fn max_tokens_per_sample(self, tokens: u64) -> Self {
        self.set(|options| options.max_tokens_per_sample = tokens)
    }

    /// Folder for what the memory budget has no room for.
    pub fn spill(self, folder: impl AsRef<Path>) -> Self {
        self.set_text(c_path(folder.as_ref()), |options| &mut options.spill)
    }

    /// Whether to start over rather than to go on where an earlier run of this job stopped.
    pub fn fresh(self, fresh: bool) -> Self {
        self.set(|options| options.fresh = i32::from(fresh))
    }

    /// What going on after an interruption starts from.
    pub fn states(self, states: States) -> Self {
        self.set(|options| options.states = states.value())
    }

    /// File for what the calibration finds, beside the output.
    pub fn save_calibration(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.save_calibration)
    }

    /// Such a file, to quantize from without a text and without a forward pass.
    pub fn from_calibration(self, file: impl AsRef<Path>) -> Self {
        self.set_text(c_path(file.as_ref()), |options| &mut options.from_calibration)
    }

    /// The order of the planes of quantized tensors.
    pub fn layout(self, layout: Layout) -> Self {
        self.set_text(c_text(layout.name()), |options| &mut options.layout)
    }

    /// Arithmetic in one fixed order: slower, and the output's bytes are the same on every processor and system.
    pub fn reproducible(self, reproducible: bool) -> Self {
        self.set(|options| options.reproducible = i32::from(reproducible))
    }

    /// Where large buffers come from. See [`Allocator`].
    pub fn allocator(mut self, allocator: impl Allocator + Send + 'a) -> Self {
        self.settings.closures.allocator = Some(Box::new(allocator));
        self
    }

    /// Called with how far it is, on the thread that runs prepare or convert; stops it by [`Flow::Cancel`] or a panic.
    pub fn progress(mut self, report: impl FnMut(&Progress<'_>) -> Flow + Send + 'a) -> Self {
        self.settings.closures.progress = Some(Box::new(report));
        self
    }

    /// Called with remarks and warnings, on the same thread.
    pub fn log(mut self, sink: impl FnMut(LogLevel, &str) + Send + 'a) -> Self {
        self.settings.closures.log = Some(Box::new(sink));
        self
    }

    /// Opens and checks everything, tokenizes, plans memory; writes nothing.
    pub fn prepare(mut self) -> Result<Job<'a>> {
        self.settings.check()?;
        let callbacks = Callbacks::new(self.settings.closures);
        let options = &mut self.settings.options;
        options.allocator = callbacks.allocator();
        options.progress = callbacks.progress();
        options.progress_user = callbacks.user();
        options.log = callbacks.log();
        options.log_user = callbacks.user();
        Job::prepare(options, callbacks)
    }
}

impl fmt::Debug for Quantize<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantize").field("options", &self.settings.options).finish_non_exhaustive()
    }
}
