//! Several YAML files that use one socket.

use component_pluggable::Block;
use dapr_building_blocks::state::{GetRequest, SetRequest};

use crate::support::{Sockets, native};

#[tokio::test]
async fn each_name_has_its_own_store_that_survives_reinit() {
    let sockets = Sockets::new();
    let _served = sockets.serve("memory", Block::StateStore, native("state.in-memory")).await;
    let store = async |name: &str, properties: &[(&str, &str)]| {
        sockets.create("state.memory", name, properties).await.unwrap().state_store.unwrap()
    };
    let (one, two) = (store("one", &[]).await, store("two", &[]).await);
    one.set(SetRequest::new("k", "v")).await.unwrap();
    assert_eq!(two.get(GetRequest::new("k")).await.unwrap(), None);
    let again = store("one", &[]).await;
    assert_eq!(again.get(GetRequest::new("k")).await.unwrap().unwrap().value, "v");
    let changed = store("one", &[("other", "property")]).await;
    assert_eq!(changed.get(GetRequest::new("k")).await.unwrap(), None, "another configuration is another store");
}
