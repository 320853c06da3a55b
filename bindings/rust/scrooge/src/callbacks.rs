// SPDX-License-Identifier: Apache-2.0
//! Closures behind the C callbacks. No panic leaves one: it is kept, the call is told to stop, and when it has returned
//! the panic goes on.
use crate::allocator::Allocator;
use crate::choices::LogLevel;
use crate::progress::{Flow, Progress};
use crate::text::text_of;
use scrooge_sys as sys;
use std::any::Any;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::{mem, ptr};
use sys::{c_char, c_void};

pub(crate) type ProgressClosure<'a> = Box<dyn FnMut(&Progress<'_>) -> Flow + Send + 'a>;
pub(crate) type LogClosure<'a> = Box<dyn FnMut(LogLevel, &str) + Send + 'a>;
pub(crate) type AllocatorObject<'a> = Box<dyn Allocator + Send + 'a>;

/// What a builder collects.
#[derive(Default)]
pub(crate) struct Closures<'a> {
    pub(crate) progress: Option<ProgressClosure<'a>>,
    pub(crate) log: Option<LogClosure<'a>>,
    pub(crate) allocator: Option<AllocatorObject<'a>>,
}

/// Each closure has a place of its own: the allocator may be called while another closure runs.
struct State<'a> {
    closures: Closures<'a>,
    panic: Option<Box<dyn Any + Send>>,
    hook: sys::scrooge_allocator,
}

/// The closures at an address that does not change: what the library is given. It is freed when this is dropped, so it
/// must outlive what was made with it.
pub(crate) struct Callbacks<'a> {
    state: *mut State<'a>,
}

// SAFETY: the closures are Send, and nothing else refers to the state but a library handle that moves along.
unsafe impl Send for Callbacks<'_> {}

impl<'a> Callbacks<'a> {
    pub(crate) fn new(closures: Closures<'a>) -> Callbacks<'a> {
        let hook = sys::scrooge_allocator {
            struct_size: mem::size_of::<sys::scrooge_allocator>() as u32,
            reserved: 0,
            allocate: Some(on_allocate),
            release: Some(on_release),
            user: ptr::null_mut(),
        };
        let state = Box::into_raw(Box::new(State { closures, panic: None, hook }));
        // SAFETY: it was just made.
        unsafe { (*state).hook.user = state.cast() };
        Callbacks { state }
    }

    pub(crate) fn user(&self) -> *mut c_void {
        self.state.cast()
    }

    /// There is one also where only a log or an allocator was given: it is how their panics stop the call.
    pub(crate) fn progress(&self) -> Option<sys::scrooge_progress_fn> {
        // SAFETY: ours, and no closure runs now.
        let closures = unsafe { &(*self.state).closures };
        let any = closures.progress.is_some() || closures.log.is_some() || closures.allocator.is_some();
        any.then_some(on_progress as sys::scrooge_progress_fn)
    }

    pub(crate) fn log(&self) -> Option<sys::scrooge_log_fn> {
        // SAFETY: ours, and no closure runs now.
        unsafe { &(*self.state).closures }.log.as_ref().map(|_| on_log as sys::scrooge_log_fn)
    }

    /// Null where none was given. Lives as long as this.
    pub(crate) fn allocator(&self) -> *const sys::scrooge_allocator {
        // SAFETY: ours, and no closure runs now.
        let state = unsafe { &*self.state };
        state.closures.allocator.as_ref().map_or(ptr::null(), |_| &state.hook)
    }

    /// Lets a panic that a closure had go on. No call is running.
    pub(crate) fn resume_panic(&self) {
        // SAFETY: ours, and no closure runs.
        if let Some(payload) = unsafe { panic_of(self.state.cast()) }.take() {
            resume_unwind(payload);
        }
    }

    /// Runs a call and then lets a panic of its closures go on.
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let result = call();
        self.resume_panic();
        result
    }
}

impl Drop for Callbacks<'_> {
    fn drop(&mut self) {
        // SAFETY: made by Box::into_raw, and whatever refers to it is gone.
        drop(unsafe { Box::from_raw(self.state) });
    }
}

/// Runs `body` unless an earlier closure of this call has panicked; a panic of it is kept. None in both cases.
///
/// # Safety
/// `user` is the state of live callbacks, and `body` borrows no more of it than its own closure.
unsafe fn guarded<T>(user: *mut c_void, body: impl FnOnce() -> T) -> Option<T> {
    // SAFETY: the caller's word.
    if unsafe { panic_of(user) }.is_some() {
        return None;
    }
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // SAFETY: as above.
            unsafe { *panic_of(user) = Some(payload) };
            None
        }
    }
}

/// # Safety
/// `user` is the state of live callbacks, and this is the only reference to their panic.
unsafe fn panic_of<'p>(user: *mut c_void) -> &'p mut Option<Box<dyn Any + Send>> {
    // SAFETY: the caller's word.
    unsafe { &mut *ptr::addr_of_mut!((*user.cast::<State<'_>>()).panic) }
}

/// A pointer to one closure inside the state, without a reference to the rest.
macro_rules! closure {
    ($user:expr, $name:ident) => {
        (*ptr::addr_of_mut!((*$user.cast::<State<'_>>()).closures.$name)).as_mut()
    };
}

unsafe extern "C" fn on_progress(user: *mut c_void, report: *const sys::scrooge_progress) -> i32 {
    // SAFETY: the library gives back what it got, and a report that lives during the call.
    let flow = unsafe {
        guarded(user, || match closure!(user, progress) {
            Some(progress) => progress(&Progress::from_c(&*report)),
            None => Flow::Continue,
        })
    };
    match flow {
        Some(Flow::Continue) => sys::SCROOGE_CONTINUE,
        Some(Flow::Cancel) | None => sys::SCROOGE_CANCEL,
    }
}

unsafe extern "C" fn on_log(user: *mut c_void, level: i32, text: *const c_char) {
    // SAFETY: as above.
    let _ = unsafe {
        guarded(user, || {
            if let Some(log) = closure!(user, log) {
                log(LogLevel::from_value(level), &text_of(text));
            }
        })
    };
}

unsafe extern "C" fn on_allocate(user: *mut c_void, size: usize, alignment: usize) -> *mut c_void {
    // SAFETY: as above.
    let pointer = unsafe {
        guarded(user, || match closure!(user, allocator) {
            Some(allocator) => allocator.allocate(size, alignment),
            None => ptr::null_mut(),
        })
    };
    pointer.unwrap_or(ptr::null_mut()).cast()
}

unsafe extern "C" fn on_release(user: *mut c_void, pointer: *mut c_void, size: usize) {
    let release = || {
        // SAFETY: as above; the library releases what it was given, once.
        if let Some(allocator) = unsafe { closure!(user, allocator) } {
            unsafe { allocator.release(pointer.cast(), size) };
        }
    };
    // Also after a panic: what was given must come back. Of two panics the first goes on.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(release)) {
        // SAFETY: as above.
        unsafe { panic_of(user).get_or_insert(payload) };
    }
}
