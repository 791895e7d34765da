//! A Unix socket to listen on.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// A socket that is listened on. Its file goes when it is dropped.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: UnixListener,
    pub(crate) file: File,
}

/// The file of a socket, which goes with it.
#[derive(Debug)]
pub(crate) struct File(PathBuf);

/// Why a socket cannot be listened on.
#[derive(Debug, Error)]
pub enum SocketError {
    /// There is a file of that name, and it is no socket.
    #[error("{} exists and is no socket", .0.display())]
    NoSocket(PathBuf),
    /// Somebody listens there.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Refused {
        /// The socket or its folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Socket {
    /// Listens at `path`, whose folder is made if it is missing. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// When somebody listens there, something else is there, or the system refuses.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let refused = |source| SocketError::Refused { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(refused)?;
        }
        match tokio::fs::symlink_metadata(path).await {
            Ok(found) if !found.file_type().is_socket() => return Err(SocketError::NoSocket(path.to_owned())),
            Ok(_) if UnixStream::connect(path).await.is_ok() => return Err(SocketError::InUse(path.to_owned())),
            Ok(_) => tokio::fs::remove_file(path).await.map_err(refused)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(error)),
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        Ok(Self { listener, file: File(path.to_owned()) })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // Who removed it before us wanted the same.
        let _ = std::fs::remove_file(&self.0);
    }
}
