// SPDX-License-Identifier: Apache-2.0
use core::fmt;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not a `.scrooge` file, cut short, or contradicting itself.
    BadFile,
    /// A checksum does not match: the file was damaged.
    ChecksumMismatch,
    /// The file needs something that this version does not know.
    UnsupportedVersion,
    /// A `.scrooge` file of calibration results, which has no weights.
    NotAModel,
    /// The call itself: a row that is not there, a slice of another length.
    InvalidArgument,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    what: &'static str,
    position: Option<u64>,
}

pub(crate) type Result<T> = core::result::Result<T, Error>;

impl Error {
    pub(crate) const fn new(kind: ErrorKind, what: &'static str) -> Error {
        Error { kind, what, position: None }
    }

    pub(crate) const fn bad(what: &'static str) -> Error {
        Error::new(ErrorKind::BadFile, what)
    }

    pub(crate) const fn unsupported(what: &'static str) -> Error {
        Error::new(ErrorKind::UnsupportedVersion, what)
    }

    pub(crate) const fn argument(what: &'static str) -> Error {
        Error::new(ErrorKind::InvalidArgument, what)
    }

    /// Says where, unless something further inside has.
    pub(crate) fn at(mut self, position: u64) -> Error {
        self.position = self.position.or(Some(position));
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The field or rule that is hurt.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Byte of the file to look at, where one can be named.
    pub fn position(&self) -> Option<u64> {
        self.position
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, remedy) = match self.kind {
            ErrorKind::BadFile => ("bad model file", "; fetch the file again"),
            ErrorKind::ChecksumMismatch => ("damaged model file", "; fetch the file again"),
            ErrorKind::UnsupportedVersion => ("unsupported version", "; update this reader"),
            ErrorKind::NotAModel => ("not a model", "; quantize from it with --from-calibration"),
            ErrorKind::InvalidArgument => ("invalid argument", ""),
        };
        write!(f, "{}: {}", kind, self.what)?;
        if let Some(position) = self.position {
            write!(f, ", at byte {}", position)?;
        }
        f.write_str(remedy)
    }
}

#[cfg(feature = "std")]
impl std::error::Error for Error {}
