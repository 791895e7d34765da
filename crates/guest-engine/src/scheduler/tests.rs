use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use super::{Account, Weight, task_time};

/// One turn of a computing guest, as the epoch clock would cut it.
const TURN: Duration = Duration::from_millis(3);

fn spin(time: Duration) {
    let begin = task_time();
    while task_time() - begin < time {
        std::hint::black_box(0);
    }
}

/// Computes in turns until `is_enough`.
async fn computes(is_enough: impl Fn() -> bool) {
    poll_fn(|cx| {
        spin(TURN);
        if is_enough() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn on_worker() -> bool {
    thread::current().name().is_some_and(|name| name.starts_with("guest-"))
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_guest_resumes_where_it_is_woken() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let guest = async {
        let started_on_worker = on_worker();
        receiver.await.unwrap();
        let went_on_worker = on_worker();
        computes(on_worker).await;
        (started_on_worker, went_on_worker)
    };
    let guest = tokio::spawn(Account::new(Weight::default()).run(guest));
    sender.send(()).unwrap();
    // Where it resumes depends on whether the value queued before its first poll; that it starts and ends on the
    // workers does not.
    assert!(guest.await.unwrap().0);
}

#[tokio::test(flavor = "multi_thread")]
async fn computing_guest_leaves_serving_threads() {
    let account = Account::new(Weight::default());
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let guest = async move {
        receiver.recv().await.unwrap();
        tokio::task::yield_now().await;
        let begin = Instant::now();
        computes(|| on_worker() || begin.elapsed() > Duration::from_secs(10)).await;
        on_worker()
    };
    let guest = tokio::spawn(account.run(guest));
    sender.send(()).await.unwrap();
    assert!(guest.await.unwrap());
    assert!(account.used() >= TURN);
}

#[tokio::test]
async fn processor_time_is_counted_and_waiting_is_not() {
    let account = Account::new(Weight::default());
    let guest = async {
        spin(TURN);
        tokio::time::sleep(10 * TURN).await;
        task_time()
    };
    let counted = account.run(guest).await;
    assert!(counted >= TURN && counted < 5 * TURN, "{counted:?}");
    assert!(account.used() >= TURN && account.used() < 5 * TURN, "{:?}", account.used());
}

#[tokio::test(flavor = "multi_thread")]
async fn contending_apps_share_by_weight() {
    let accounts = [1, 3].map(|weight| Account::new(Weight::new(100 * weight).unwrap()));
    // By processor time: a machine that is busy with others gives less of it in the same time.
    let enough = Duration::from_secs(1);
    let cores = thread::available_parallelism().unwrap().get();
    let mut guests = tokio::task::JoinSet::new();
    for account in &accounts {
        for _ in 0..2 * cores {
            let accounts = accounts.clone();
            let is_enough = move || accounts.iter().map(|account| account.used()).sum::<Duration>() > enough;
            guests.spawn(account.run(computes(is_enough)));
        }
    }
    guests.join_all().await;
    let [light, heavy] = accounts.map(|account| account.used().as_secs_f64());
    let ratio = heavy / light;
    assert!((2.0..4.0).contains(&ratio), "{ratio}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_guest_ends_after_its_turn() {
    let held = Arc::new(());
    let inside = held.clone();
    let guest = async move {
        let _inside = inside;
        computes(|| false).await;
    };
    let mut guest = Box::pin(Account::new(Weight::default()).run(guest));
    assert!(tokio::time::timeout(10 * TURN, &mut guest).await.is_err());
    drop(guest);
    let begin = Instant::now();
    while Arc::strong_count(&held) > 1 {
        assert!(begin.elapsed() < Duration::from_secs(30));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
#[should_panic(expected = "of the guest")]
async fn guest_panic_reaches_the_awaiting_task() {
    Account::new(Weight::default()).run(async { panic!("of the guest") }).await
}
