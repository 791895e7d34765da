//! Discovery of sockets, including unusable ones.

use std::path::Path;

use component_pluggable::{Block, DiscoveredSocket, Service, Socket, SocketError, discover};
use tokio::net::UnixListener;

use crate::support::{Sockets, native};

#[tokio::test]
async fn only_sockets_are_discovered_with_their_services() {
    let sockets = Sockets::new();
    let _store = sockets.serve("b-store", Block::StateStore, native("state.in-memory")).await;
    let _binding = sockets.serve("a-binding", Block::Binding, native("bindings.cron")).await;
    std::fs::write(sockets.folder.path().join("note.txt"), "no socket").unwrap();
    std::fs::create_dir(sockets.folder.path().join("folder.sock")).unwrap();
    let both = vec![Service::OutputBinding, Service::InputBinding];
    let mut found = discover(sockets.folder.path()).await;
    for found in &mut found {
        found.services.sort_by_key(|service| *service == Service::InputBinding);
    }
    let expected = [("a-binding", both), ("b-store", vec![Service::StateStore])];
    let expected = expected.map(|(name, services)| DiscoveredSocket {
        name: name.to_owned(),
        socket: sockets.path(name),
        services,
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn missing_directory_has_no_components() {
    assert_eq!(discover(Path::new("/nowhere/at/all")).await, []);
}

#[tokio::test]
async fn unresponsive_socket_does_not_block_discovery() {
    let sockets = Sockets::new();
    // Accepts connections, but sends nothing.
    let _silent = UnixListener::bind(sockets.path("silent")).unwrap();
    // A stale file of an ended process.
    drop(UnixListener::bind(sockets.path("stale")).unwrap());
    let _served = sockets.serve("store", Block::StateStore, native("state.in-memory")).await;
    let found = discover(sockets.folder.path()).await;
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["store"]);
}

#[tokio::test]
async fn stale_socket_is_replaced_and_one_in_use_is_not() {
    let sockets = Sockets::new();
    let path = sockets.path("s");
    drop(UnixListener::bind(&path).unwrap());
    let socket = Socket::bind(&path).await.unwrap();
    assert!(matches!(Socket::bind(&path).await, Err(SocketError::InUse(_))));
    drop(socket);
    assert!(!path.exists(), "the file goes with the socket");
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(Socket::bind(&path).await, Err(SocketError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}
