// SPDX-License-Identifier: Apache-2.0
//! Texts and paths, there and back.
use crate::error::{Error, Result, Status};
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::path::Path;

/// A copy of a text that the library lends.
///
/// # Safety
/// `text` is null or a C string.
pub(crate) unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's word.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A text that the library lends for `'a`. What is not UTF-8 becomes a remark: the library checks what it lends.
///
/// # Safety
/// `text` is null or a C string that lives as long as `'a`.
pub(crate) unsafe fn borrow<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: the caller's word.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("(not UTF-8)")
}

pub(crate) fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Status::InvalidArgument, format!("{:?} contains a zero byte", text)))
}

#[cfg(unix)]
pub(crate) fn c_path(path: &Path) -> Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::new(Status::InvalidArgument, format!("the path {:?} contains a zero byte", path)))
}

#[cfg(not(unix))]
pub(crate) fn c_path(path: &Path) -> Result<CString> {
    match path.to_str() {
        Some(text) => c_text(text),
        None => Err(Error::new(Status::InvalidArgument, format!("the path {:?} is not Unicode", path))),
    }
}
