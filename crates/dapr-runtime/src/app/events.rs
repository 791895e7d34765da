//! Delivery of events to the application: input bindings and subscriptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::input_bindings;
use crate::{Sidecar, pubsub};

/// Starts the delivery of events until `shutdown`; that of components which are created later starts then.
pub(crate) async fn deliver(sidecar: &Arc<Sidecar>, shutdown: CancellationToken) {
    let sidecar = sidecar.clone();
    let mut changes = sidecar.components.subscribe();
    let (mut bindings, mut brokers) = (BTreeSet::new(), BTreeSet::new());
    input_bindings::start(&sidecar, &mut bindings, &shutdown).await;
    pubsub::start(&sidecar, &mut brokers, &shutdown).await;
    tokio::spawn(async move {
        while let Some(Ok(())) = shutdown.run_until_cancelled(changes.changed()).await {
            input_bindings::start(&sidecar, &mut bindings, &shutdown).await;
            pubsub::start(&sidecar, &mut brokers, &shutdown).await;
        }
    });
}
