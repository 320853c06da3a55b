// SPDX-License-Identifier: Apache-2.0
use crate::call::{check, fill, text};
use crate::choices::{Contents, OpenLevel};
use crate::error::{Error, Result, Status};
use crate::stages::{Linears, Sources, Stages};
use crate::tensor::TensorView;
use crate::text::c_path;
use scrooge_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::ptr::{self, NonNull};

/// An open `.scrooge` file, mapped read-only. What is asked of it borrows from it.
///
/// ```
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scrooge-reader/tests/data/tiny.scrooge");
/// let model = scrooge::Model::open(file)?;
/// let tensor = model.tensor("model.layers.0.mlp.up_proj.weight").unwrap();
/// assert_eq!(tensor.quantization().unwrap().bits, 4);
/// assert_eq!(tensor.codes().len() as u64, tensor.rows() * tensor.columns() / 2);
/// assert_eq!(tensor.read_row(0)?.len() as u64, tensor.columns());
/// # Ok::<(), scrooge::Error>(())
/// ```
pub struct Model {
    handle: NonNull<sys::scrooge_model>,
    /// One for each tensor, so that looking at them cannot fail. The names are the model's.
    tensors: Vec<sys::scrooge_tensor_info>,
}

// SAFETY: immutable after open, may be read from several threads (scrooge.h, rule 5).
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

impl Model {
    /// Opens a file and checks its structure.
    pub fn open(path: impl AsRef<Path>) -> Result<Model> {
        Model::open_with(path, OpenLevel::Structure)
    }

    /// Opens a file and checks as much as wanted.
    pub fn open_with(path: impl AsRef<Path>, level: OpenLevel) -> Result<Model> {
        let path = c_path(path.as_ref())?;
        let mut handle = ptr::null_mut();
        // SAFETY: a C string and a place for the handle.
        check(|error| unsafe { sys::scrooge_model_open(path.as_ptr(), level.value(), &mut handle, error) })?;
        let handle = NonNull::new(handle).expect("success comes with a model");
        let mut model = Model { handle, tensors: Vec::new() }; // closes it if the rest fails
                                                               // SAFETY: a live model.
        let count = unsafe { sys::scrooge_model_tensor_count(model.as_ptr()) };
        // SAFETY: a live model and an index below its count.
        let infos = (0..count)
            .map(|i| fill(|info, error| unsafe { sys::scrooge_model_get_tensor(model.as_ptr(), i, info, error) }));
        model.tensors = infos.collect::<Result<_>>()?;
        Ok(model)
    }

    /// Tensors, in the order of the file.
    pub fn tensors(&self) -> Tensors<'_> {
        Tensors { model: self, next: 0, end: self.tensors.len() }
    }

    /// The tensor of that name, if there is one.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        let name = CString::new(name).ok()?;
        let mut index = 0;
        // SAFETY: a live model, a C string, a place for the index.
        check(|error| unsafe { sys::scrooge_model_find_tensor(self.as_ptr(), name.as_ptr(), &mut index, error) })
            .ok()?;
        TensorView::new(self, usize::try_from(index).ok()?)
    }

    /// A model, or what a calibration found.
    pub fn contents(&self) -> Contents {
        // SAFETY: a live model.
        Contents::from_value(unsafe { sys::scrooge_model_contents(self.as_ptr()) })
    }

    /// How each stage of each block was calibrated. None in a file of rounding to nearest.
    pub fn stages(&self) -> Stages<'_> {
        // SAFETY: a live model.
        Stages::new(self, unsafe { sys::scrooge_model_stage_count(self.as_ptr()) })
    }

    /// How well each linear was quantized.
    pub fn linears(&self) -> Linears<'_> {
        // SAFETY: a live model.
        Linears::new(self, unsafe { sys::scrooge_model_linear_count(self.as_ptr()) })
    }

    /// The files of the checkpoint that it was made from.
    pub fn sources(&self) -> Sources<'_> {
        // SAFETY: a live model.
        Sources::new(self, unsafe { sys::scrooge_model_source_count(self.as_ptr()) })
    }

    /// Everything about the file, as JSON.
    pub fn json(&self) -> Result<String> {
        // SAFETY: a live model, and a buffer of that capacity.
        text(0, |buffer, capacity, required, error| unsafe {
            sys::scrooge_model_get_json(self.as_ptr(), buffer, capacity, required, error)
        })
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::scrooge_model {
        self.handle.as_ptr()
    }

    pub(crate) fn infos(&self) -> &[sys::scrooge_tensor_info] {
        &self.tensors
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: a live model, not used again.
        unsafe { sys::scrooge_model_close(self.as_ptr()) };
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("tensors", &self.tensors.len()).finish_non_exhaustive()
    }
}

/// Iterator of [`Model::tensors`].
#[derive(Clone, Debug)]
pub struct Tensors<'m> {
    model: &'m Model,
    next: usize,
    end: usize,
}

impl<'m> Iterator for Tensors<'m> {
    type Item = TensorView<'m>;

    fn next(&mut self) -> Option<TensorView<'m>> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        TensorView::new(self.model, self.next - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl DoubleEndedIterator for Tensors<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        self.end -= 1;
        TensorView::new(self.model, self.end)
    }
}

impl ExactSizeIterator for Tensors<'_> {}

impl<'m> IntoIterator for &'m Model {
    type Item = TensorView<'m>;
    type IntoIter = Tensors<'m>;

    fn into_iter(self) -> Tensors<'m> {
        self.tensors()
    }
}

/// For calls that take a number of elements or rows that the machine's memory cannot hold anyway.
pub(crate) fn too_large() -> Error {
    Error::new(Status::InvalidArgument, "that many rows do not fit in memory; read fewer at once")
}
