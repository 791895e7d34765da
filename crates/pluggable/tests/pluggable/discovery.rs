//! Which sockets are found, and what becomes of the others.

use std::path::Path;

use pluggable::{Block, Found, Service, Socket, SocketError, discover};
use tokio::net::UnixListener;

use crate::support::{Sockets, native};

#[tokio::test]
async fn sockets_are_found_with_what_they_serve_and_nothing_else_is() {
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
    let expected =
        expected.map(|(name, services)| Found { name: name.to_owned(), socket: sockets.path(name), services });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn no_folder_is_no_component() {
    assert_eq!(discover(Path::new("/nowhere/at/all")).await, []);
}

#[tokio::test]
async fn a_socket_that_does_not_answer_does_not_keep_the_others_from_being_found() {
    let sockets = Sockets::new();
    // Takes connections, and says nothing.
    let _silent = UnixListener::bind(sockets.path("silent")).unwrap();
    // A file that a process left behind.
    drop(UnixListener::bind(sockets.path("stale")).unwrap());
    let _served = sockets.serve("store", Block::StateStore, native("state.in-memory")).await;
    let found = discover(sockets.folder.path()).await;
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["store"]);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_one_in_use_is_not() {
    let sockets = Sockets::new();
    let path = sockets.path("s");
    drop(UnixListener::bind(&path).unwrap());
    let socket = Socket::bind(&path).await.unwrap();
    assert!(matches!(Socket::bind(&path).await, Err(SocketError::InUse(_))));
    drop(socket);
    assert!(!path.exists(), "the file goes with the socket");
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(Socket::bind(&path).await, Err(SocketError::NoSocket(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}
