//! Unix socket to listen on.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// Listening socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: UnixListener,
    pub(crate) file: File,
}

/// File of a socket, removed on drop.
#[derive(Debug)]
pub(crate) struct File(PathBuf);

/// Reason why a socket cannot be bound.
#[derive(Debug, Error)]
pub enum SocketError {
    /// The file exists and is not a socket.
    #[error("{} exists and is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// Another process listens on the socket.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The system reports an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The socket or its directory.
        path: PathBuf,
        /// Cause of the error.
        source: io::Error,
    },
}

impl Socket {
    /// Listens at `path`, whose directory is created if missing. A stale socket is replaced.
    ///
    /// # Errors
    /// When another process listens there, the file is not a socket, or the system reports an error.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let io_error = |source| SocketError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(io_error)?;
        }
        match tokio::fs::symlink_metadata(path).await {
            Ok(found) if !found.file_type().is_socket() => return Err(SocketError::NotASocket(path.to_owned())),
            Ok(_) if UnixStream::connect(path).await.is_ok() => return Err(SocketError::InUse(path.to_owned())),
            Ok(_) => tokio::fs::remove_file(path).await.map_err(io_error)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(error)),
        }
        let listener = UnixListener::bind(path).map_err(io_error)?;
        Ok(Self { listener, file: File(path.to_owned()) })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // The file may already have been removed.
        let _ = std::fs::remove_file(&self.0);
    }
}
