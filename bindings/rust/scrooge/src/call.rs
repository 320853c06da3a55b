// SPDX-License-Identifier: Apache-2.0
//! Calls into the library: status and error object become a `Result`, the two-call form becomes a `Vec`.
use crate::error::{Error, Result, Status};
use crate::text::text_of;
use scrooge_sys as sys;
use std::mem::{self, MaybeUninit};
use std::ptr;

/// Runs a call that takes an error object last. What it gives is owned here, and freed.
pub(crate) fn check(call: impl FnOnce(*mut *mut sys::scrooge_error) -> sys::scrooge_status) -> Result<()> {
    let mut error: *mut sys::scrooge_error = ptr::null_mut();
    let status = call(&mut error);
    if status == sys::SCROOGE_OK {
        return Ok(());
    }
    // SAFETY: null or an object of the library; its text is copied before it is destroyed.
    let message = unsafe { text_of(sys::scrooge_error_get_message(error)) };
    // SAFETY: as above, and not used afterwards.
    unsafe { sys::scrooge_error_destroy(error) };
    Err(Error::new(Status::from_code(status), message))
}

/// `call(buffer, capacity, required, error)`, repeated with as much room as it asks for.
pub(crate) fn grow<T: Clone + Default>(
    mut capacity: usize,
    mut call: impl FnMut(*mut T, usize, *mut usize, *mut *mut sys::scrooge_error) -> sys::scrooge_status,
) -> Result<Vec<T>> {
    const ATTEMPTS: u32 = 4; // the size may grow in between
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut buffer = vec![T::default(); capacity];
        let data = if capacity == 0 { ptr::null_mut() } else { buffer.as_mut_ptr() };
        let mut required = 0;
        let result = check(|error| call(data, capacity, &mut required, error));
        if required > capacity && attempt < ATTEMPTS {
            capacity = required;
            continue;
        }
        result?;
        buffer.truncate(required);
        return Ok(buffer);
    }
}

/// The same for text, whose size counts the final NUL. Bytes that are no UTF-8 are replaced.
pub(crate) fn text(
    capacity: usize,
    call: impl FnMut(*mut sys::c_char, usize, *mut usize, *mut *mut sys::scrooge_error) -> sys::scrooge_status,
) -> Result<String> {
    let bytes = bytes(capacity, call)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

pub(crate) fn bytes(
    capacity: usize,
    mut call: impl FnMut(*mut sys::c_char, usize, *mut usize, *mut *mut sys::scrooge_error) -> sys::scrooge_status,
) -> Result<Vec<u8>> {
    let mut bytes =
        grow::<u8>(capacity, |buffer, capacity, required, error| call(buffer.cast(), capacity, required, error))?;
    bytes.pop();
    Ok(bytes)
}

/// A struct that the library fills: plain numbers and pointers, for which zeroes are a value, with its size in front.
///
/// # Safety
/// All bytes zero are a valid value.
pub(crate) unsafe trait Filled: Copy {
    fn struct_size(&mut self) -> &mut u32;
}

macro_rules! filled {
    ($($name:ident),*) => {
        // SAFETY: numbers and pointers only.
        $(unsafe impl Filled for sys::$name {
            fn struct_size(&mut self) -> &mut u32 {
                &mut self.struct_size
            }
        })*
    };
}

filled!(
    scrooge_device_info,
    scrooge_disk,
    scrooge_evaluation,
    scrooge_guards,
    scrooge_linear_info,
    scrooge_plan,
    scrooge_plan_item,
    scrooge_source_info,
    scrooge_stage_info,
    scrooge_tensor_info,
    scrooge_time_item,
    scrooge_time_plan
);

/// What a call fills in. Fields that an older library does not know stay zero.
pub(crate) fn fill<T: Filled>(
    call: impl FnOnce(*mut T, *mut *mut sys::scrooge_error) -> sys::scrooge_status,
) -> Result<T> {
    // SAFETY: what Filled promises.
    let mut value: T = unsafe { MaybeUninit::zeroed().assume_init() };
    *value.struct_size() = mem::size_of::<T>() as u32;
    check(|error| call(&mut value, error))?;
    Ok(value)
}
