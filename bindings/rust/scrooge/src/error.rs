// SPDX-License-Identifier: Apache-2.0
use crate::text::text_of;
use scrooge_sys as sys;
use std::fmt;

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $constant:ident,)*) => {
        /// What kind of failure an [`Error`] is; the values are those of the C interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $($(#[$doc])* $name,)*
            /// One that this crate does not know: the library is newer.
            Unknown(i32),
        }

        impl Status {
            pub(crate) fn from_code(code: i32) -> Status {
                match code {
                    $(sys::$constant => Status::$name,)*
                    other => Status::Unknown(other),
                }
            }

            /// The value in the C interface.
            pub fn code(self) -> i32 {
                match self {
                    $(Status::$name => sys::$constant,)*
                    Status::Unknown(code) => code,
                }
            }
        }
    };
}

statuses! {
    /// An option or argument is wrong.
    InvalidArgument = SCROOGE_INVALID_ARGUMENT,
    /// An allocation failed.
    OutOfMemory = SCROOGE_OUT_OF_MEMORY,
    /// The memory budget is too small; the message names the least.
    BudgetExceeded = SCROOGE_BUDGET_EXCEEDED,
    /// Stopped by [`Flow::Cancel`](crate::Flow) or a [`CancelHandle`](crate::CancelHandle).
    Cancelled = SCROOGE_CANCELLED,
    /// A device, driver or feature is missing on this machine.
    Unavailable = SCROOGE_UNAVAILABLE,
    /// The library cannot do that.
    Unsupported = SCROOGE_UNSUPPORTED,
    /// A fault in the library itself.
    Internal = SCROOGE_INTERNAL,
    /// A file is not there.
    NotFound = SCROOGE_NOT_FOUND,
    /// A file may not be read or written.
    PermissionDenied = SCROOGE_PERMISSION_DENIED,
    /// Reading or writing failed.
    IoError = SCROOGE_IO_ERROR,
    /// The disk is full.
    NoSpace = SCROOGE_NO_SPACE,
    /// The output would replace an input.
    InputIsOutput = SCROOGE_INPUT_IS_OUTPUT,
    /// An input changed while it was read.
    SourceChanged = SCROOGE_SOURCE_CHANGED,
    /// A checkpoint is malformed.
    BadCheckpoint = SCROOGE_BAD_CHECKPOINT,
    /// A checkpoint lacks one of its files.
    MissingShard = SCROOGE_MISSING_SHARD,
    /// A tensor is not there.
    MissingTensor = SCROOGE_MISSING_TENSOR,
    /// A tensor has another shape than its model says.
    WrongShape = SCROOGE_WRONG_SHAPE,
    /// config.json is malformed.
    BadConfig = SCROOGE_BAD_CONFIG,
    /// No model family of that name.
    UnknownArchitecture = SCROOGE_UNKNOWN_ARCHITECTURE,
    /// A checkpoint has no tokenizer.
    MissingTokenizer = SCROOGE_MISSING_TOKENIZER,
    /// A tokenizer is malformed.
    BadTokenizer = SCROOGE_BAD_TOKENIZER,
    /// A tokenizer of a kind that is not supported.
    UnknownTokenizer = SCROOGE_UNKNOWN_TOKENIZER,
    /// A text or list of tokens cannot be used.
    BadText = SCROOGE_BAD_TEXT,
    /// A weight or activation is infinite or not a number.
    NonFinite = SCROOGE_NON_FINITE,
    /// Not a `.scrooge` file, or a malformed one.
    BadModelFile = SCROOGE_BAD_MODEL_FILE,
    /// A `.scrooge` file is damaged.
    ChecksumMismatch = SCROOGE_CHECKSUM_MISMATCH,
    /// A `.scrooge` file of a version that this library does not read.
    UnsupportedVersion = SCROOGE_UNSUPPORTED_VERSION,
    /// What an earlier run left belongs to another job.
    FingerprintMismatch = SCROOGE_FINGERPRINT_MISMATCH,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: gives a static text for every number.
        f.write_str(&unsafe { text_of(sys::scrooge_status_string(self.code())) })
    }
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    status: Status,
    message: String,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Error {
        Error { status, message: message.into() }
    }

    /// The kind of failure.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The whole sentence: file, field, remedy. Empty where there was no memory left for one.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => self.status.fmt(f),
            message => write!(f, "{}: {}", self.status, message),
        }
    }
}

impl std::error::Error for Error {}
