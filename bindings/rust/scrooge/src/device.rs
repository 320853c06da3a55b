// SPDX-License-Identifier: Apache-2.0
use crate::call::fill;
use crate::error::Result;
use scrooge_sys as sys;

/// Something that numbers are computed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// What [`Quantize::device`](crate::Quantize::device) takes: `cpu`, `cuda:0`.
    pub id: String,
    /// The hardware's name.
    pub name: String,
    /// What it can; where it is not available, why not.
    pub features: String,
    /// Whether it can be used.
    pub is_available: bool,
    /// Memory, where that is known.
    pub total_bytes: Option<u64>,
    /// Of it, free now.
    pub free_bytes: u64,
}

/// Every device that the library was built for, usable here or not.
///
/// ```
/// assert!(scrooge::devices()?.iter().any(|device| device.id == "cpu" && device.is_available));
/// # Ok::<(), scrooge::Error>(())
/// ```
pub fn devices() -> Result<Vec<Device>> {
    // SAFETY: takes nothing.
    let count = unsafe { sys::scrooge_device_count() };
    // SAFETY: fills a struct of the size that it names.
    let infos = (0..count).map(|i| fill(|info, error| unsafe { sys::scrooge_device_get_info(i, info, error) }));
    infos.map(|info| Ok(describe(&info?))).collect()
}

fn describe(info: &sys::scrooge_device_info) -> Device {
    Device {
        id: text(&info.id),
        name: text(&info.name),
        features: text(&info.features),
        is_available: info.available != 0,
        total_bytes: Some(info.total_bytes).filter(|bytes| *bytes != 0),
        free_bytes: info.free_bytes,
    }
}

/// The text in an array, up to its NUL.
fn text(array: &[sys::c_char]) -> String {
    let bytes: Vec<u8> = array.iter().map(|c| *c as u8).take_while(|c| *c != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
