// SPDX-License-Identifier: Apache-2.0
use crate::call::fill;
use crate::error::Result;
use crate::text::c_text;
use scrooge_sys as sys;

/// Something that numbers are computed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// What [`Quantize::device`](crate::Quantize::device) takes: `cpu`, `cuda:1`.
    pub id: String,
    /// The hardware's name.
    pub name: String,
    /// What the library uses of it; where it is not available, why not.
    pub features: String,
    /// Its driver and the version of that; empty for the host.
    pub driver: String,
    /// Whether it can be used.
    pub is_available: bool,
    /// Memory, where that is known.
    pub total_bytes: Option<u64>,
    /// Of it, free now.
    pub free_bytes: u64,
    /// Whether its buffers are no memory of the host, and have a budget of their own.
    pub has_own_memory: bool,
    /// Whether its driver computes on the processor.
    pub is_software: bool,
    /// Why it cannot be used.
    pub unfit: Option<String>,
    /// Of [`find_device`]: why it is this one, where the name did not say.
    pub reason: Option<String>,
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

/// The device that [`Quantize::device`](crate::Quantize::device) means by `name`: an id such as `cpu` or `vulkan:1`,
/// `auto` for the best fit, or a part of a device's name.
///
/// ```
/// assert_eq!(scrooge::find_device("cpu")?.id, "cpu");
/// # Ok::<(), scrooge::Error>(())
/// ```
pub fn find_device(name: &str) -> Result<Device> {
    let name = c_text(name)?;
    // SAFETY: a string, and a struct of the size that it names.
    let info = fill(|info, error| unsafe { sys::scrooge_device_find(name.as_ptr(), info, error) })?;
    Ok(describe(&info))
}

fn describe(info: &sys::scrooge_device_info) -> Device {
    Device {
        id: text(&info.id),
        name: text(&info.name),
        features: text(&info.features),
        is_available: info.available != 0,
        total_bytes: Some(info.total_bytes).filter(|bytes| *bytes != 0),
        free_bytes: info.free_bytes,
        driver: text(&info.driver),
        has_own_memory: info.own_memory != 0,
        is_software: info.software != 0,
        unfit: Some(text(&info.unfit)).filter(|text| !text.is_empty()),
        reason: Some(text(&info.reason)).filter(|text| !text.is_empty()),
    }
}

/// The text in an array, up to its NUL.
fn text(array: &[sys::c_char]) -> String {
    let bytes: Vec<u8> = array.iter().map(|c| *c as u8).take_while(|c| *c != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
