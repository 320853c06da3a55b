// SPDX-License-Identifier: Apache-2.0

/// Where a job or an evaluation gets its large buffers from, in place of anonymous maps. Called on the thread of the
/// call that it belongs to.
///
/// # Safety
/// What `allocate` gives is null or valid for reads and writes of `size` bytes, aligned, and overlaps nothing else in
/// use until it is released.
pub unsafe trait Allocator {
    /// `size` bytes on a multiple of `alignment`, a power of two up to 256; null where there are none. A panic counts as
    /// null, and goes on when the call ends.
    fn allocate(&mut self, size: usize, alignment: usize) -> *mut u8;

    /// Takes back what `allocate` gave for that size.
    ///
    /// # Safety
    /// `pointer` came from `allocate(size, _)` and is not used again.
    unsafe fn release(&mut self, pointer: *mut u8, size: usize);
}
