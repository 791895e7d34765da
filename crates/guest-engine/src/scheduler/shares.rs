//! Updates the demand of applications from time to time, and finds those that exceed their share.
//!
//! Applications with the least demand are served first, and on any thread, until together they reach the fraction
//! reserved for small requests; the others run on the workers. An application without competition takes what it wants.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, Instant};

use super::account::Account;

/// Minimum time between two updates.
const UPDATE_INTERVAL: Duration = Duration::from_millis(20);

/// Averaging window of the demand.
const AVERAGING_WINDOW: Duration = Duration::from_millis(100);

/// Fraction of all processors that several applications together may use on serving threads.
const SERVING_FRACTION: f64 = 0.6;

/// Demand below which an application is ignored, in processors.
const NEGLIGIBLE_DEMAND: f64 = 0.02;

struct Shares {
    updated: Instant,
    members: Vec<Member>,
}

struct Member {
    account: Weak<Account>,
    /// Processors wanted, averaged over [`AVERAGING_WINDOW`].
    demand: f64,
}

static SHARES: LazyLock<Mutex<Shares>> =
    LazyLock::new(|| Mutex::new(Shares { updated: Instant::now(), members: Vec::new() }));

pub(super) fn join(account: &Arc<Account>) {
    let member = Member { account: Arc::downgrade(account), demand: 0.0 };
    SHARES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).members.push(member);
}

/// Updates the shares, if it is time.
pub(super) fn update() {
    // Another thread is updating already.
    let Ok(mut shares) = SHARES.try_lock() else { return };
    let elapsed = shares.updated.elapsed();
    if elapsed < UPDATE_INTERVAL {
        return;
    }
    shares.updated = Instant::now();
    let fresh = elapsed.as_secs_f64() / (elapsed + AVERAGING_WINDOW).as_secs_f64();
    let mut demands = Vec::with_capacity(shares.members.len());
    shares.members.retain_mut(|member| {
        let Some(account) = member.account.upgrade() else { return false };
        let used_or_waited = Duration::from_nanos(account.demand.swap(0, Relaxed));
        member.demand += fresh * (used_or_waited.as_secs_f64() / elapsed.as_secs_f64() - member.demand);
        demands.push((member.demand, account));
        true
    });
    drop(shares);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let weights: Vec<_> = demands.iter().map(|(demand, account)| (*demand, account.weight() as f64)).collect();
    for ((_, account), is_over) in demands.iter().zip(over_share(&weights, processors as f64 * SERVING_FRACTION)) {
        account.is_over_share.store(is_over, Relaxed);
    }
}

/// Decides for each pair of demand and weight whether it exceeds its share.
///
/// Shares of `served` processors are given to the least demand per weight first.
fn over_share(demands: &[(f64, f64)], served: f64) -> Vec<bool> {
    let mut over = vec![false; demands.len()];
    let mut order: Vec<_> = demands.iter().enumerate().filter(|(_, (demand, _))| *demand > NEGLIGIBLE_DEMAND).collect();
    if order.len() < 2 {
        return over;
    }
    order.sort_by(|(_, (a, a_weight)), (_, (b, b_weight))| (a / a_weight).total_cmp(&(b / b_weight)));
    let mut taken = 0.0;
    for (index, (demand, _)) in order {
        taken += demand;
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
    fn lone_app_never_exceeds_its_share() {
        assert_eq!(over_share(&[(2.0, 100.0), (0.01, 100.0)], 1.2), [false, false]);
    }

    #[test]
    fn greatest_demand_per_weight_exceeds_its_share() {
        assert_eq!(over_share(&[(1.0, 100.0), (0.4, 100.0), (1.0, 100.0)], 1.2), [true, false, true]);
        assert_eq!(over_share(&[(1.0, 1000.0), (0.4, 100.0)], 1.2), [false, true]);
        assert_eq!(over_share(&[(0.5, 100.0), (0.6, 100.0)], 1.2), [false, false]);
    }
}
