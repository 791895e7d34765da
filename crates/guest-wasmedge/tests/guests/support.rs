//! A test host: lets guests listen on free ports and records their output.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use guest_wasmedge::{
    AcceptQueue, Account, Activity, Connecting, DescriptorBudget, Engine, GuestError, GuestOptions, IoFuture, Limits,
    Listener, MemoryAccount, MemoryStream, Network, Output, OutputStream, Preopen, Stream, Weight,
};
use inference::Graphs;
use tokio::task::JoinHandle;

/// Compiling is the slow part of these tests, so all share one engine.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

/// Port of an echo task in this process.
pub(crate) const ECHO: u16 = 7;

/// A network that allows everything not listed in `denied`; every listener gets a free port.
#[derive(Default)]
pub(crate) struct TestNetwork {
    listeners: Mutex<HashMap<u16, (SocketAddr, AcceptQueue)>>,
    pub(crate) denied: Vec<SocketAddr>,
    /// With more than one, a guest's connections can be handed over.
    pub(crate) instances: usize,
}

impl Network for TestNetwork {
    fn listen(&self, address: SocketAddr, activity: &Arc<Activity>) -> io::Result<Listener> {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0")?;
        tcp.set_nonblocking(true)?;
        let outside = tcp.local_addr()?;
        let tcp = tokio::net::TcpListener::from_std(tcp)?;
        let queue = AcceptQueue::new(self.instances);
        let listener = queue.listener(address, activity);
        self.listeners.lock().unwrap().insert(address.port(), (outside, queue.clone()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                queue.push(stream).unwrap();
            }
        });
        Ok(listener)
    }

    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting> {
        if self.denied.contains(&peer) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if peer.port() == ECHO {
            let (guest, host) = MemoryStream::pair();
            tokio::spawn(async move {
                let (mut from, mut to) = tokio::io::split(host);
                tokio::io::copy(&mut from, &mut to).await
            });
            return Ok(Connecting::Done(Stream::memory(guest, "127.0.0.1:1".parse().expect("an address"), peer)));
        }
        Ok(Connecting::Waiting(Box::pin(tokio::net::TcpStream::connect(peer))))
    }

    fn bind_datagram(&self, _: SocketAddr) -> io::Result<()> {
        Ok(())
    }

    fn send_datagram(&self, _: SocketAddr) -> io::Result<()> {
        Ok(())
    }

    fn resolve(&self, name: String) -> IoFuture<Vec<IpAddr>> {
        Box::pin(async move { Err(io::Error::new(io::ErrorKind::PermissionDenied, name)) })
    }
}

impl TestNetwork {
    /// Waits for the listener that the guest opens on `port`. Returns its real address and queue.
    pub(crate) async fn listener(&self, port: u16) -> (SocketAddr, AcceptQueue) {
        until(|| self.listeners.lock().unwrap().get(&port).cloned()).await
    }
}

/// Polls until `ready` returns a value; fails the test after 30 s.
pub(crate) async fn until<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..15_000 {
        if let Some(value) = ready() {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nothing happened for 30 s");
}

#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Output for Lines {
    fn line(&self, _: OutputStream, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// A guest under test.
pub(crate) struct Running {
    pub(crate) network: Arc<TestNetwork>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) end: JoinHandle<Result<i32, GuestError>>,
}

#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) preopens: Vec<Preopen>,
    pub(crate) limits: Limits,
    pub(crate) graphs: Arc<Graphs>,
    pub(crate) denied: Vec<SocketAddr>,
    pub(crate) instances: usize,
}

/// Starts `wasm` (binary or text) on a task of its own.
pub(crate) fn start(wasm: &[u8], setting: Setting) -> Running {
    let module = ENGINE.compile(&wat::parse_bytes(wasm).expect("Wasm or its text")).expect("a module");
    let network =
        Arc::new(TestNetwork { denied: setting.denied, instances: setting.instances, ..TestNetwork::default() });
    let activity = Arc::<Activity>::default();
    let lines = Arc::<Lines>::default();
    let mut arguments = vec!["guest.wasm".to_owned()];
    arguments.extend(setting.arguments);
    let options = GuestOptions {
        arguments,
        environment: setting.environment,
        preopens: setting.preopens,
        descriptors: DescriptorBudget::new(setting.limits.descriptors),
        limits: setting.limits,
        network: network.clone(),
        graphs: setting.graphs,
        output: lines.clone(),
        activity: activity.clone(),
        account: Account::new(Weight::default()),
        memory: MemoryAccount::new(1 << 32),
    };
    let end = tokio::spawn(async move { guest_wasmedge::run(&ENGINE, &module, options).await });
    Running { network, lines, activity, end }
}

/// Reads a fixture's module, made by `cargo xtask build-wasm`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("WASM_DIR").map_or_else(|| PathBuf::from("../../wasm"), PathBuf::from);
    let path = folder.join(name).with_extension("wasm");
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask build-wasm` makes it", path.display()))
}
