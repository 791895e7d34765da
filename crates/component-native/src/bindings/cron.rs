//! `bindings.cron`: an event at each scheduled time. `components-contrib/bindings/cron/cron.go`.

mod schedule;
mod timer;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::binding::{BindingError, BindingEvent, EventSink};
use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, InputBinding, Metadata};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use schedule::Schedule;
use timer::Timer;

/// Creates the component from its schedule.
pub(crate) async fn create(spec: ComponentSpec, _context: Context) -> Result<Component, InitError> {
    let schedule = spec.properties.required("schedule")?;
    let schedule = Schedule::parse(schedule)
        .map_err(|error| PropertyError::invalid("schedule", format!("a schedule: {error}")))?;
    Ok(Component::from_input_binding(Cron { name: spec.name, schedule, clock: Timestamp::now }))
}

struct Cron {
    name: String,
    schedule: Schedule,
    /// Wall clock; tests replace it.
    clock: fn() -> Timestamp,
}

#[async_trait]
impl InputBinding for Cron {
    /// Delivers an event at each scheduled time until shutdown.
    ///
    /// As in Dapr, the next event does not wait until the application has handled the last one, and a rejected event is
    /// not repeated. Events missed while the machine was suspended are not made up for.
    async fn run(&self, sink: Arc<dyn EventSink>, shutdown: CancellationToken) -> Result<(), BindingError> {
        let mut deliveries = JoinSet::new();
        let mut timer = Timer::new(self.clock);
        while let Some(is_due) = shutdown.run_until_cancelled(timer.next(&self.schedule)).await {
            if !is_due {
                tracing::info!(binding = self.name, "schedule has no further time");
                break;
            }
            deliveries.spawn(deliver(self.name.clone(), sink.clone(), self.clock));
            while deliveries.try_join_next().is_some() {}
        }
        Ok(())
    }
}

async fn deliver(name: String, sink: Arc<dyn EventSink>, clock: fn() -> Timestamp) {
    let metadata = Metadata::from([
        // Go's name for the time zone of its process.
        ("timeZone".to_owned(), "Local".to_owned()),
        ("readTimeUTC".to_owned(), go_time(clock())),
    ]);
    if let Err(error) = sink.deliver(BindingEvent { data: Bytes::new(), metadata }).await {
        tracing::warn!(binding = name, %error, "cannot deliver cron event");
    }
}

/// Formats a time as Go does: `2009-11-10 23:00:00.123456789 +0000 UTC`.
fn go_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::binding::DeliveryError;
    use tokio::sync::mpsc;

    use super::*;

    struct Channel(mpsc::UnboundedSender<BindingEvent>);

    #[async_trait]
    impl EventSink for Channel {
        async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError> {
            self.0.send(event).unwrap();
            Err(DeliveryError("refused".into()))
        }
    }

    fn cron(schedule: &str) -> Cron {
        Cron { name: "tick".into(), schedule: Schedule::parse(schedule).unwrap(), clock: Timestamp::now }
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_events_repeat_until_shutdown() {
        let (sender, mut events) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { cron("@every 1ms").run(Arc::new(Channel(sender)), shutdown).await }
        });
        for _ in 0..3 {
            let event = events.recv().await.unwrap();
            assert_eq!(event.metadata["timeZone"], "Local");
            assert!(event.metadata["readTimeUTC"].ends_with(" +0000 UTC"), "{:?}", event.metadata);
        }
        shutdown.cancel();
        running.await.unwrap().unwrap();
        while events.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn distant_schedule_ends_immediately_on_shutdown() {
        let (sender, _events) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        cron("0 0 1 1 *").run(Arc::new(Channel(sender)), shutdown).await.unwrap();
    }

    #[tokio::test]
    async fn invalid_schedule_is_a_configuration_error() {
        for properties in [vec![], vec![("schedule", "every now and then")]] {
            let spec = ComponentSpec { properties: properties.into_iter().collect(), ..ComponentSpec::default() };
            let error = create(spec, Context::default()).await.err().unwrap();
            assert!(!error.is_retryable() && error.to_string().contains("\"schedule\""), "{error}");
        }
    }
}
