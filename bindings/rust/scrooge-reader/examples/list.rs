// SPDX-License-Identifier: Apache-2.0
//! Maps a file and lists what is in it, with the start of each tensor's first row:
//!   list FILE
//! The crate takes any slice of bytes; mapping one is the caller's part, and all of the unsafe code there is.
use scrooge_reader::Model;
use std::fs::File;
use std::process::ExitCode;
use std::{env, io, slice};

/// A file mapped read-only.
struct Map {
    #[cfg(unix)]
    address: *mut std::ffi::c_void,
    #[cfg(unix)]
    size: usize,
    #[cfg(not(unix))]
    bytes: Vec<u8>,
}

#[cfg(unix)]
mod c {
    use std::ffi::c_void;
    use std::os::raw::c_int;

    pub const PROT_READ: c_int = 1;
    pub const MAP_PRIVATE: c_int = 2;

    extern "C" {
        // The offset is 0, for which it does not matter how wide the platform's off_t is.
        pub fn mmap(
            address: *mut c_void,
            size: usize,
            protection: c_int,
            flags: c_int,
            file: c_int,
            offset: isize,
        ) -> *mut c_void;
        pub fn munmap(address: *mut c_void, size: usize) -> c_int;
    }
}

#[cfg(unix)]
impl Map {
    fn open(path: &str) -> io::Result<Map> {
        use std::os::unix::io::AsRawFd;
        let file = File::open(path)?;
        let size =
            usize::try_from(file.metadata()?.len()).map_err(|error| io::Error::new(io::ErrorKind::Other, error))?;
        // SAFETY: a new map of an open file; it stays when the file is closed.
        let address =
            unsafe { c::mmap(std::ptr::null_mut(), size.max(1), c::PROT_READ, c::MAP_PRIVATE, file.as_raw_fd(), 0) };
        if address as isize == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(Map { address, size })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped and readable until drop. No other program may cut or overwrite the file meanwhile: Scrooge
        // writes files under another name and renames them.
        unsafe { slice::from_raw_parts(self.address.cast(), self.size) }
    }
}

#[cfg(unix)]
impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: what mmap gave, not used again.
        unsafe { c::munmap(self.address, self.size.max(1)) };
    }
}

#[cfg(not(unix))]
impl Map {
    fn open(path: &str) -> io::Result<Map> {
        Ok(Map { bytes: std::fs::read(path)? })
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn list(file: &[u8]) -> Result<(), scrooge_reader::Error> {
    let model = Model::open(file)?;
    println!("{}, by {}, {} tensors", model.architecture(), model.method(), model.tensors().len());
    for segment in model.segments() {
        println!("segment {:24} {:12} bytes at {}", segment.name(), segment.bytes().len(), segment.offset());
    }
    for tensor in model.tensors() {
        let bits = tensor.scheme().map_or(String::new(), |scheme| format!(", {} bits", scheme.bits()));
        println!("{} {} x {}{}", tensor.name(), tensor.rows(), tensor.columns(), bits);
        let mut row = vec![0.0; tensor.columns() as usize];
        if tensor.dequantize_row(0, &mut row).is_ok() {
            println!("  {:?} ...", &row[..row.len().min(4)]);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let path = match env::args().nth(1) {
        Some(path) => path,
        None => {
            eprintln!("usage: list FILE");
            return ExitCode::from(2);
        }
    };
    let result = Map::open(&path).map_err(|error| error.to_string());
    match result.and_then(|map| list(map.bytes()).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {}", path, error);
            ExitCode::FAILURE
        }
    }
}
