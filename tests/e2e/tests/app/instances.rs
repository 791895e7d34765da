//! More than one instance of a module behind one port.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use e2e::{Deployment, Options, request, wasm};

use crate::kept::Kept;

/// A deployment with the plain server as a further application, `odd`.
struct TwoApps {
    deployment: Deployment,
    port: u16,
    dapr_port: u16,
}

impl TwoApps {
    fn start(env: &str, arguments: &[&str]) -> Self {
        let [port, dapr_port]: [u16; 2] = e2e::free_ports();
        let command = serde_json::json!(["wasmedge", wasm("plain-server"), port.to_string()]);
        let more_apps = format!(
            "- {{appID: odd, appDirPath: more, appPort: {port}, daprHTTPPort: {dapr_port}, env: {{{env}}}, command: {command}}}\n"
        );
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let deployment = Deployment::start(&Options { more_apps, arguments, ..Options::default() });
        let ready = format!("http://127.0.0.1:{dapr_port}/v1.0/healthz");
        deployment.daprlet.until(|| (request("GET", &ready).send().status == 204).then_some(()));
        Self { deployment, port, dapr_port }
    }

    /// Returns the status of a request over a new connection.
    fn get(&self, path: &str) -> u16 {
        request("GET", &format!("http://127.0.0.1:{}{path}", self.port)).send().status
    }

    fn invoke(&self, path: &str) -> u16 {
        request("GET", &format!("http://127.0.0.1:{}/v1.0/invoke/odd/method{path}", self.dapr_port)).send().status
    }

    /// Keeps one instance busy until its deadline, and waits until another one is needed.
    fn spin(&self) -> JoinHandle<u16> {
        let url = format!("http://127.0.0.1:{}/spin", self.port);
        let spinning = std::thread::spawn(move || request("GET", &url).send().status);
        self.deployment.daprlet.until(|| {
            assert_eq!(self.get("/"), 200);
            self.said("started instance 2").then_some(())
        });
        spinning
    }

    fn said(&self, what: &str) -> bool {
        self.deployment.daprlet.said().contains(what)
    }
}

#[test]
fn idle_instance_responds_while_another_is_busy() {
    let odd = TwoApps::start("", &["--instances", "2"]);
    // Opens the connection to the first instance, which is kept.
    assert_eq!(odd.invoke("/"), 200);
    let spinning = odd.spin();
    for _ in 0..10 {
        assert_eq!((odd.get("/"), odd.invoke("/")), (200, 200));
    }
    assert!(!spinning.is_finished(), "the first still computes");
    assert!(!odd.said("instance 3"), "{}", odd.deployment.daprlet.said());
    drop(odd);
    assert_eq!(spinning.join().unwrap(), 0);
}

#[test]
fn open_connection_moves_to_an_idle_instance() {
    let odd = TwoApps::start("", &["--instances", "2"]);
    // Both connections belong to the first instance: there is no other yet.
    let mut open = [Kept::open(odd.port), Kept::open(odd.port)];
    for it in &mut open {
        assert_eq!(it.get("/x"), "/x 0");
    }
    let spinning = odd.spin();
    for _ in 0..3 {
        for it in &mut open {
            assert_eq!(it.get("/x"), "/x 0");
        }
    }
    assert!(!spinning.is_finished(), "the first still computes");
    drop(odd);
    assert_eq!(spinning.join().unwrap(), 0);
}

#[test]
fn instance_end_spares_other_connections_and_new_ones_spread() {
    let odd = TwoApps::start("DAPRLET_INSTANCES: 2", &["--instances", "1", "--guest-cpu", "2"]);
    let spinning = odd.spin();
    let mut kept = Kept::open(odd.port);
    assert_eq!(kept.get("/x"), "/x 0");
    assert_eq!(spinning.join().unwrap(), 0);
    odd.deployment.daprlet.until(|| odd.said("restarting: ").then_some(()));
    assert_eq!(kept.get("/x"), "/x 0");
    drop(kept);
    // The first instance takes a moment to restart; until then all connections are the second's.
    odd.deployment.daprlet.until(|| {
        let mut open: Vec<_> = (0..8).map(|_| Kept::open(odd.port)).collect();
        for it in &mut open {
            it.get("/x");
        }
        let before: Vec<_> = open.iter_mut().map(Kept::count).collect();
        open[0].get("/x");
        let after: Vec<_> = open.iter_mut().map(Kept::count).collect();
        let with_the_first = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        // A connection may arrive while the next instance is briefly busy with another one.
        (3..=5).contains(&with_the_first).then_some(())
    });
}

#[test]
fn single_instance_module_queues_connections() {
    let odd = TwoApps::start("DAPRLET_INSTANCES: 1", &["--guest-cpu", "2"]);
    let url = format!("http://127.0.0.1:{}/spin", odd.port);
    let mut kept = Kept::open(odd.port);
    kept.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let spinning = std::thread::spawn(move || request("GET", &url).send().status);
    while kept.is_answered() {}
    // This request waits until the instance is ended and restarted.
    assert_eq!(odd.get("/"), 200);
    assert_eq!(spinning.join().unwrap(), 0);
    odd.deployment.daprlet.until(|| odd.said("restarting: ").then_some(()));
    assert!(!odd.said("instance 2"), "{}", odd.deployment.daprlet.said());
}

#[test]
fn waiting_partial_request_starts_another_instance() {
    let odd = TwoApps::start("", &["--instances", "2"]);
    let [mut begun, mut other] = [Kept::open(odd.port), Kept::open(odd.port)];
    begun.ask("/hang");
    // The instance that responds has read the earlier requests.
    for _ in 0..2 {
        assert_eq!(other.get("/x"), "/x 0");
    }
    // From here on, no new connection or request waits for an instance.
    other.ask("/spin");
    odd.deployment.daprlet.until(|| odd.said("started instance 2").then_some(()));
}

#[test]
fn small_requests_beside_large_images_use_another_instance() {
    let deployment =
        Deployment::start(&Options { arguments: vec!["--instances".into(), "2".into()], ..Options::default() });
    let mut large = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(6000, 4000).write_to(&mut large, image::ImageFormat::Png).unwrap();
    let large = large.into_inner();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(deployment.grayscale("POST", "/grayscale").body(large.clone()).send().status, 200);
            }
        });
        // A connection that arrives together with an image may be accepted by the instance that gets busy; a later one
        // is not.
        deployment.daprlet.until(|| {
            assert_eq!(deployment.grayscale("GET", "/healthz").send().status, 200);
            deployment.daprlet.said().contains("started instance 2").then_some(())
        });
        done.store(true, Ordering::Relaxed);
    });
}
