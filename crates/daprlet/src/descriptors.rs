//! Limit on the process's open descriptors: raised as far as possible, and shared among applications.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors outside of the applications' shares: listeners, connections to the Dapr ports, databases, logs, compiled
/// modules.
const RESERVED: usize = 512;
/// Descriptors of one application if the system's limit suffices.
const DEFAULT_SHARE: usize = 4096;
/// Minimum for an application, even if the system's limit is too low.
const MIN_SHARE: usize = 64;

/// Raises the soft limit to the hard limit, and returns the result.
pub(crate) fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = match maximum {
        // macOS has no hard limit, and refuses to set the soft one that high.
        None => current,
        Some(_) if current == maximum => maximum,
        Some(_) => match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            Ok(()) => maximum,
            Err(error) => {
                tracing::warn!(%error, "cannot raise the limit of open files from {}", current.unwrap_or(u64::MAX));
                current
            }
        },
    };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Returns the descriptor limit for the guests of each of `apps` applications, given the process's `limit`.
pub(crate) fn default_share(limit: usize, apps: usize) -> usize {
    (limit.saturating_sub(RESERVED) / apps.max(1)).clamp(MIN_SHARE, DEFAULT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limit_is_raised_to_hard_limit() {
        let limit = raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current.map(|current| usize::try_from(current).unwrap()).unwrap_or(usize::MAX), limit);
        assert!(maximum.is_none() || current == maximum);
    }

    #[test]
    fn default_share_fits_all_applications() {
        assert_eq!(default_share(usize::MAX, 3), 4096);
        assert_eq!(default_share(20_000, 3), 4096);
        assert_eq!(default_share(4096, 3), 1194);
        assert_eq!(default_share(256, 3), 64);
    }
}
