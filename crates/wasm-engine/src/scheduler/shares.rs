//! Looks from time to time at who takes how much, and who takes more than a share.
//!
//! Those who want least are served first, and on any thread, until they take together what is meant for small requests; the
//! others compute with the workers. An application that is alone with its wishes takes what it wants.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, Instant};

use super::account::Account;

/// The time between two looks.
const PERIOD: Duration = Duration::from_millis(20);

/// The time that a look goes back.
const MEMORY: Duration = Duration::from_millis(100);

/// The part of all processors that several applications together may take on the threads that serve everybody.
const SERVED_PART: f64 = 0.6;

/// Who wants less of a processor than this is not in anybody's way.
const NOTHING: f64 = 0.02;

struct Shares {
    looked: Instant,
    members: Vec<Member>,
}

struct Member {
    account: Weak<Account>,
    /// Processors wanted, over [`MEMORY`].
    wants: f64,
}

static SHARES: LazyLock<Mutex<Shares>> =
    LazyLock::new(|| Mutex::new(Shares { looked: Instant::now(), members: Vec::new() }));

pub(super) fn join(account: &Arc<Account>) {
    let member = Member { account: Arc::downgrade(account), wants: 0.0 };
    SHARES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).members.push(member);
}

/// Looks, if it is time.
pub(super) fn look() {
    // Who looks at this moment does it for all.
    let Ok(mut shares) = SHARES.try_lock() else { return };
    let elapsed = shares.looked.elapsed();
    if elapsed < PERIOD {
        return;
    }
    shares.looked = Instant::now();
    let fresh = elapsed.as_secs_f64() / (elapsed + MEMORY).as_secs_f64();
    let mut wishes = Vec::with_capacity(shares.members.len());
    shares.members.retain_mut(|member| {
        let Some(account) = member.account.upgrade() else { return false };
        let wanted = Duration::from_nanos(account.wanted.swap(0, Relaxed));
        member.wants += fresh * (wanted.as_secs_f64() / elapsed.as_secs_f64() - member.wants);
        wishes.push((member.wants, account));
        true
    });
    drop(shares);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let weights: Vec<_> = wishes.iter().map(|(wants, account)| (*wants, account.weight() as f64)).collect();
    for ((_, account), is_over) in wishes.iter().zip(over_share(&weights, processors as f64 * SERVED_PART)) {
        account.is_over_share.store(is_over, Relaxed);
    }
}

/// Tells for each of these, what it wants and its weight, whether it is beyond what `served` processors can give to those who
/// want least for their weight.
fn over_share(wishes: &[(f64, f64)], served: f64) -> Vec<bool> {
    let mut over = vec![false; wishes.len()];
    let mut order: Vec<_> = wishes.iter().enumerate().filter(|(_, (wants, _))| *wants > NOTHING).collect();
    if order.len() < 2 {
        return over;
    }
    order.sort_by(|(_, (a, a_weight)), (_, (b, b_weight))| (a / a_weight).total_cmp(&(b / b_weight)));
    let mut taken = 0.0;
    for (index, (wants, _)) in order {
        taken += wants;
        if let Some(over) = over.get_mut(index) {
            *over = taken > served;
        }
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_app_is_never_over_its_share() {
        assert_eq!(over_share(&[(2.0, 100.0), (0.01, 100.0)], 1.2), [false, false]);
    }

    #[test]
    fn those_who_want_most_for_their_weight_are_over() {
        assert_eq!(over_share(&[(1.0, 100.0), (0.4, 100.0), (1.0, 100.0)], 1.2), [true, false, true]);
        assert_eq!(over_share(&[(1.0, 1000.0), (0.4, 100.0)], 1.2), [false, true]);
        assert_eq!(over_share(&[(0.5, 100.0), (0.6, 100.0)], 1.2), [false, false]);
    }
}
