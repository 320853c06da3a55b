// SPDX-License-Identifier: Apache-2.0
use crate::call::{bytes, check, grow};
use crate::error::Result;
use crate::text::c_path;
use scrooge_sys as sys;
use std::path::Path;
use std::ptr::{self, NonNull};

/// A model's tokenizer.
///
/// ```
/// # let checkpoint = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/golden/tiny_llama");
/// let tokenizer = scrooge::Tokenizer::open(checkpoint)?;
/// let ids = tokenizer.encode("a miser's candle")?;
/// assert_eq!(tokenizer.decode(&ids)?, "a miser's candle");
/// # Ok::<(), scrooge::Error>(())
/// ```
#[derive(Debug)]
pub struct Tokenizer(NonNull<sys::scrooge_tokenizer>);

// SAFETY: immutable after open, may be read from several threads (scrooge.h, rule 5).
unsafe impl Send for Tokenizer {}
// SAFETY: as above.
unsafe impl Sync for Tokenizer {}

impl Tokenizer {
    /// Of a checkpoint (folder or GGUF file), a `tokenizer.json` or a `.scrooge` file.
    pub fn open(path: impl AsRef<Path>) -> Result<Tokenizer> {
        let path = c_path(path.as_ref())?;
        let mut handle = ptr::null_mut();
        // SAFETY: a C string and a place for the handle.
        check(|error| unsafe { sys::scrooge_tokenizer_open(path.as_ptr(), &mut handle, error) })?;
        Ok(Tokenizer(NonNull::new(handle).expect("success comes with a tokenizer")))
    }

    /// Ids of a text; no special token is added.
    pub fn encode(&self, text: &str) -> Result<Vec<i32>> {
        // SAFETY: a live tokenizer, a text of that size, a buffer of that capacity.
        grow(0, |ids, capacity, required, error| unsafe {
            let (data, size) = (text.as_ptr().cast(), text.len());
            sys::scrooge_tokenizer_encode(self.0.as_ptr(), data, size, ids, capacity, required, error)
        })
    }

    /// The bytes that ids stand for. A single id may be a part of a character.
    pub fn decode_bytes(&self, ids: &[i32]) -> Result<Vec<u8>> {
        // SAFETY: a live tokenizer, a list of that length, a buffer of that capacity.
        bytes(0, |buffer, capacity, required, error| unsafe {
            let (data, count) = (ids.as_ptr(), ids.len());
            sys::scrooge_tokenizer_decode(self.0.as_ptr(), data, count, buffer, capacity, required, error)
        })
    }

    /// The text that ids stand for; parts of characters become U+FFFD.
    pub fn decode(&self, ids: &[i32]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.decode_bytes(ids)?).into_owned())
    }

    /// How many ids there are.
    pub fn vocabulary_size(&self) -> i32 {
        // SAFETY: a live tokenizer.
        unsafe { sys::scrooge_tokenizer_vocabulary_size(self.0.as_ptr()) }
    }
}

impl Drop for Tokenizer {
    fn drop(&mut self) {
        // SAFETY: a live tokenizer, not used again.
        unsafe { sys::scrooge_tokenizer_close(self.0.as_ptr()) };
    }
}
