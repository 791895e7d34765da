//! Delivery of events to the application: input bindings and subscriptions.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::input_bindings::RunningBindings;
use crate::Sidecar;
use crate::pubsub::RunningSubscriptions;

/// Starts the delivery of events until `shutdown`, and follows changes of components and subscriptions.
pub(crate) async fn deliver(sidecar: &Arc<Sidecar>, shutdown: CancellationToken) {
    let sidecar = sidecar.clone();
    let mut changes = sidecar.component_changes();
    let (mut bindings, mut subscriptions) = (RunningBindings::default(), RunningSubscriptions::default());
    bindings.update(&sidecar, &shutdown).await;
    subscriptions.update(&sidecar, &shutdown).await;
    tokio::spawn(async move {
        while let Some(Ok(())) = shutdown.run_until_cancelled(changes.changed()).await {
            bindings.update(&sidecar, &shutdown).await;
            subscriptions.update(&sidecar, &shutdown).await;
        }
    });
}
