//! The descriptors that the process may have open: raised as far as the system lets it, and shared by applications.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are nobody's share: listeners, connections to the Dapr ports, databases, logs, compiled modules.
const RESERVED: usize = 512;
/// The descriptors of one application where the system has enough for all.
const DEFAULT_SHARE: usize = 4096;
/// The least that an application gets, however little the system has.
const MIN_SHARE: usize = 64;

/// Raises the soft limit to the hard one, and gives what it is then.
pub(crate) fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = match maximum {
        // macOS has no hard limit, and refuses to set the soft one that high.
        None => current,
        Some(_) if current == maximum => maximum,
        Some(_) => match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            Ok(()) => maximum,
            Err(error) => {
                tracing::warn!(%error, "the limit of open files stays at {}", current.unwrap_or(u64::MAX));
                current
            }
        },
    };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// The files and sockets that the guests of each of `apps` applications may have open, of `limit` in the process.
pub(crate) fn default_share(limit: usize, apps: usize) -> usize {
    (limit.saturating_sub(RESERVED) / apps.max(1)).clamp(MIN_SHARE, DEFAULT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limit_becomes_the_hard_one() {
        let limit = raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current.map(|current| usize::try_from(current).unwrap()).unwrap_or(usize::MAX), limit);
        assert!(maximum.is_none() || current == maximum);
    }

    #[test]
    fn share_leaves_room_for_all_applications() {
        assert_eq!(default_share(usize::MAX, 3), 4096);
        assert_eq!(default_share(20_000, 3), 4096);
        assert_eq!(default_share(4096, 3), 1194);
        assert_eq!(default_share(256, 3), 64);
    }
}
