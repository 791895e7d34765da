//! State of a running host, for whoever wants to look.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// State of one application at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSnapshot {
    /// App id.
    pub id: String,
    /// App address, if it has a port.
    pub address: Option<SocketAddr>,
    /// Address of its Dapr API.
    pub dapr_address: SocketAddr,
    /// True if its components are loaded and it accepts requests.
    pub is_ready: bool,
    /// Running instances; zero for an application that another program starts.
    pub instances: usize,
    /// Times that it was started again after it had ended.
    pub restarts: u64,
    /// Reason of the last restart.
    pub last_error: Option<String>,
}

/// Counts of an application's supervisor.
#[derive(Debug, Default)]
pub(crate) struct AppStatus {
    instances: AtomicUsize,
    restarts: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl AppStatus {
    /// Counts an instance until the guard is dropped.
    pub(crate) fn count_instance(self: &Arc<Self>) -> InstanceGuard {
        self.instances.fetch_add(1, Ordering::Relaxed);
        InstanceGuard(self.clone())
    }

    /// Records a restart; returns how many there were.
    pub(crate) fn record_restart(&self, error: &str) -> u64 {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_owned());
        self.restarts.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn instances(&self) -> usize {
        self.instances.load(Ordering::Relaxed)
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A running instance.
pub(crate) struct InstanceGuard(Arc<AppStatus>);

impl Drop for InstanceGuard {
    fn drop(&mut self) {
        self.0.instances.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_and_restarts_are_counted() {
        let status = Arc::<AppStatus>::default();
        let (one, other) = (status.count_instance(), status.count_instance());
        drop(one);
        assert_eq!((status.instances(), status.restarts(), status.last_error()), (1, 0, None));
        drop(other);
        assert_eq!((status.record_restart("trap"), status.instances()), (1, 0));
        assert_eq!(status.last_error().as_deref(), Some("trap"));
    }
}
