// SPDX-License-Identifier: Apache-2.0
//! Options of a call while they are put together: the C struct, what it points to, and the caller's closures.
use crate::callbacks::Closures;
use crate::error::{Error, Result};
use scrooge_sys as sys;
use std::ffi::CString;
use std::mem::{self, MaybeUninit};

/// A struct of options as the library initializes it.
///
/// # Safety
/// `init` fills the whole of a struct of the size it is given.
pub(crate) unsafe fn initialized<O>(init: unsafe extern "C" fn(*mut O, usize)) -> O {
    let mut options = MaybeUninit::uninit();
    // SAFETY: the caller's word.
    unsafe {
        init(options.as_mut_ptr(), mem::size_of::<O>());
        options.assume_init()
    }
}

pub(crate) struct Settings<'a, O> {
    pub(crate) options: O,
    /// What the options point to.
    texts: Vec<CString>,
    pub(crate) closures: Closures<'a>,
    /// The first thing that could not be set; the call gives it.
    error: Option<Error>,
}

/// Options whose pointers lead to the `texts` of their settings, or to static texts of the library.
///
/// # Safety
/// That is so.
pub(crate) unsafe trait OwnedOptions {}

// SAFETY: every pointer is set by `set_text`, or by the library's `_init` function.
unsafe impl OwnedOptions for sys::scrooge_quantize_options {}
// SAFETY: likewise.
unsafe impl OwnedOptions for sys::scrooge_evaluate_options {}

// SAFETY: `texts` moves along.
unsafe impl<O: OwnedOptions> Send for Settings<'_, O> {}

impl<O> Settings<'_, O> {
    pub(crate) fn new(options: O) -> Self {
        Settings { options, texts: Vec::new(), closures: Closures::default(), error: None }
    }

    pub(crate) fn set_text(&mut self, text: Result<CString>, field: impl FnOnce(&mut O) -> &mut *const sys::c_char) {
        match text {
            Ok(text) => {
                *field(&mut self.options) = text.as_ptr(); // its bytes stay where they are when it moves
                self.texts.push(text);
            }
            Err(error) => self.note(Err(error)),
        }
    }

    /// Keeps the first error.
    pub(crate) fn note(&mut self, result: Result<()>) {
        if let (None, Err(error)) = (&self.error, result) {
            self.error = Some(error);
        }
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }
}
