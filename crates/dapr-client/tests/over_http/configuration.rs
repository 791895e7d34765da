//! Requests and responses of configuration.

use crate::server::Server;

#[tokio::test]
async fn items_are_read_by_their_keys() {
    let server = Server::with_response(200, &[], r#"{"a b":{"value":"1","version":"2"},"c":{}}"#).await;
    let items = server.client().configuration("settings").get(&["a b", "c", "d"]).await.unwrap();
    assert_eq!(server.only_request().uri().to_string(), "/v1.0/configuration/settings?key=a%20b&key=c&key=d");
    assert_eq!((items["a b"].value.as_str(), items["a b"].version.as_str()), ("1", "2"));
    assert!(items["c"].value.is_empty() && !items.contains_key("d"));
}

#[tokio::test]
async fn store_without_the_keys_gives_nothing() {
    let server = Server::with_response(204, &[], "").await;
    assert!(server.client().configuration("settings").get(&["a"]).await.unwrap().is_empty());
}
