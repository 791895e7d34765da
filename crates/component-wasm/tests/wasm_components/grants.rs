//! Access of a component to the outside, with grants and without.

use std::net::TcpListener;

use crate::support::{faulty, read, read_error};

#[tokio::test]
async fn nothing_is_accessible_without_grants() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = faulty(|_| {}).await.unwrap();
    assert_eq!(read(&store, "variables").await.unwrap().as_deref(), Some(""));
    assert_eq!(read(&store, "env PATH").await.unwrap(), None);
    for path in ["/etc/passwd", "Cargo.toml", "../Cargo.toml"] {
        let error = read_error(&store, &format!("read {path}")).await;
        assert!(!error.contains("trapped"), "{error}");
    }
    read_error(&store, "write new").await;
    let error = read_error(&store, &format!("connect {}", listener.local_addr().unwrap())).await;
    assert!(error.contains("ermission denied"), "{error}");
    for name in ["localhost", "example.com"] {
        let error = read_error(&store, &format!("connect {name}:80")).await;
        assert!(!error.contains("trapped"), "{error}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "no connection may have arrived");
}

#[tokio::test]
async fn granted_host_is_reachable_on_its_port_only() {
    let [granted, other] = [0, 1].map(|_: u8| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let listener = TcpListener::bind(("127.0.0.1", granted)).unwrap();
    let store = faulty(|options| options.grants.hosts = vec![format!("localhost:{granted}").parse().unwrap()]);
    let store = store.await.unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let connected = read(&store, &format!("connect {host}:{granted}")).await;
        assert_eq!(connected.unwrap().as_deref(), Some("connected"), "{host}");
    }
    let error = read_error(&store, &format!("connect 127.0.0.1:{other}")).await;
    assert!(error.contains("ermission denied"), "{error}");
    drop(listener);
}

#[tokio::test]
async fn only_granted_directory_is_accessible() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inside")).unwrap();
    std::fs::write(folder.path().join("inside/file"), "content").unwrap();
    std::fs::write(folder.path().join("outside"), "secret").unwrap();
    let inside = folder.path().join("inside").display().to_string();
    for (suffix, may_write) in [("", true), (":readonly", false)] {
        let grant = format!("data:{inside}{suffix}").parse().unwrap();
        let store = faulty(|options| options.grants.dirs = vec![grant]).await.unwrap();
        assert_eq!(read(&store, "read data/file").await.unwrap().as_deref(), Some("content"));
        read_error(&store, "read data/../../outside").await;
        assert_eq!(read(&store, "write data/new").await.is_ok(), may_write);
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("inside/new")).unwrap(), "written");
}

#[tokio::test]
async fn missing_granted_directory_is_named() {
    let grant = "data:gone/folder".parse().unwrap();
    let error = faulty(|options| options.grants.dirs = vec![grant]).await.err().unwrap();
    assert!(error.to_string().starts_with("the directory gone/folder cannot be shared"), "{error}");
}

#[tokio::test]
async fn granted_variables_are_the_whole_environment() {
    let store = faulty(|options| options.grants.env = vec![("GREETING".into(), "hello".into())]).await.unwrap();
    assert_eq!(read(&store, "variables").await.unwrap().as_deref(), Some("GREETING"));
    assert_eq!(read(&store, "env GREETING").await.unwrap().as_deref(), Some("hello"));
}
