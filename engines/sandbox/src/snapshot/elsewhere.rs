//! Architectures on which nothing can be snapshot or restored yet: whoever asks is told so.
//!
//! The same names as the real module's, which knows registers, signal frames and calls of x86-64 only.

/// A snapshot that instances can be restored from. There is none on this architecture.
#[derive(Debug)]
pub struct Image {
    never: std::convert::Infallible,
}

impl Image {
    /// Refused with [`crate::Error::Image`].
    pub fn open(path: &std::path::Path) -> Result<Self, crate::Error> {
        Err(crate::Error::Image(format!("{}: this architecture has no images", path.display())))
    }

    /// Size of the image.
    pub fn bytes(&self) -> u64 {
        match self.never {}
    }

    pub(crate) fn key(&self) -> u64 {
        match self.never {}
    }

    pub(crate) fn descriptor(&self) -> std::os::fd::BorrowedFd<'_> {
        match self.never {}
    }
}

pub(crate) mod take {
    use crate::message::Fault;

    pub(crate) fn waits(_pid: i32, _pipe: u64) -> Result<bool, Fault> {
        Err(super::unsupported())
    }

    pub(crate) fn take(_pid: i32, _own: [u64; 3], _path: &std::path::Path) -> Result<(), Fault> {
        Err(super::unsupported())
    }
}

pub(crate) mod enter {
    use std::os::fd::{OwnedFd, RawFd};

    use crate::message::Fault;

    /// The descriptor that a template waits on.
    pub(crate) const RESUME: RawFd = 3;

    pub(crate) type Pieces = Vec<(String, u64, u64)>;

    pub(crate) fn pieces() -> Result<Pieces, Fault> {
        Err(super::unsupported())
    }

    pub(crate) struct Restoration {
        never: std::convert::Infallible,
    }

    impl Restoration {
        pub(crate) fn prepare(_image: OwnedFd, _pieces: &Pieces) -> Result<Self, Fault> {
            Err(super::unsupported())
        }

        pub(crate) fn image(&self) -> RawFd {
            match self.never {}
        }

        pub(crate) fn number(&self) -> i32 {
            match self.never {}
        }

        pub(crate) fn enter(&self, _failure: RawFd, _resume: RawFd) -> Fault {
            match self.never {}
        }
    }
}

pub(crate) mod restorer {
    pub(crate) fn fault(_message: &[u8]) -> Option<crate::message::Fault> {
        None
    }
}

fn unsupported() -> crate::message::Fault {
    crate::message::Fault::new("snapshots on this architecture", libc::ENOSYS)
}
