//! Event delivery with a recorder and a store that fail, hang and recover.

use std::sync::Mutex as StdMutex;

use dapr_client::fake::{FakeDapr, FaultMode, reply};
use http::StatusCode;
use serde_json::json;

use super::super::outbox::CAPACITY;
use super::*;

/// Rows of a recorder that stores each id once, as the real table does.
type Table = Arc<StdMutex<Vec<Event>>>;

struct Lines(StdMutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

fn setup() -> (Arc<FakeDapr>, Table, EventSink) {
    let (dapr, table) = (FakeDapr::new(), Table::default());
    let rows = Arc::clone(&table);
    dapr.on_invoke(move |app_id, request| {
        assert_eq!(
            (app_id, request.uri().path()),
            ("events-service", "/v1.0/invoke/events-service/method/create_event")
        );
        let event: Event = serde_json::from_slice(request.body()).unwrap();
        let mut rows = rows.lock().unwrap();
        if !rows.iter().any(|row| row.event_id == event.event_id) {
            rows.push(event);
        }
        reply(StatusCode::OK, r#"{"status":true}"#)
    });
    let sink = sink(&dapr, Arc::new(Lines(StdMutex::default())));
    (dapr, table, sink)
}

fn sink(dapr: &Arc<FakeDapr>, log: Arc<dyn Log>) -> EventSink {
    let settings = EventSinkSettings {
        recorder: "events-service".to_owned(),
        store: "statestore".to_owned(),
        deadline: Duration::from_millis(500),
    };
    EventSink::new(dapr.client(), settings, log)
}

fn event(size: usize) -> Event {
    Event::new(Duration::from_millis(42), "grayscale", size)
}

async fn take(sink: &EventSink, event: &Event) -> Delivery {
    sink.take(event, TraceContext::default()).await
}

#[tokio::test]
async fn responding_recorder_records_the_event_at_once() {
    let (dapr, table, sink) = setup();
    let event = event(1);
    assert_eq!(take(&sink, &event).await, Delivery::Recorded);
    assert_eq!(*table.lock().unwrap(), [event]);
    assert!(dapr.keys().is_empty(), "nothing waits");
}

#[tokio::test(start_paused = true)]
async fn hanging_recorder_defers_event_within_the_deadline() {
    let (dapr, table, sink) = setup();
    dapr.set_invoke_mode(FaultMode::Hanging);
    let (event, began) = (event(1), tokio::time::Instant::now());
    assert_eq!(take(&sink, &event).await, Delivery::Deferred);
    assert!(began.elapsed() <= Duration::from_millis(500));

    dapr.set_invoke_mode(FaultMode::Healthy);
    assert_eq!(sink.deliver().await.unwrap(), Round { delivered: 1, refused: 0, waiting: 0 });
    assert_eq!(sink.deliver().await.unwrap(), Round::default());
    assert_eq!(*table.lock().unwrap(), [event]);
}

#[tokio::test]
async fn event_with_a_lost_response_is_recorded_once() {
    let (dapr, table, sink) = setup();
    let event = event(1);
    assert_eq!(take(&sink, &event).await, Delivery::Recorded);
    dapr.set_invoke_mode(FaultMode::Failing);
    assert_eq!(take(&sink, &event).await, Delivery::Deferred);
    dapr.set_invoke_mode(FaultMode::Healthy);
    assert_eq!(sink.deliver().await.unwrap().delivered, 1);
    assert_eq!(*table.lock().unwrap(), [event]);
}

#[tokio::test]
async fn event_order_survives_a_recorder_outage() {
    let (dapr, table, sink) = setup();
    dapr.set_invoke_mode(FaultMode::Failing);
    let events = [event(1), event(2)];
    for event in &events {
        assert_eq!(take(&sink, event).await, Delivery::Deferred);
    }
    assert_eq!(sink.deliver().await.unwrap(), Round { delivered: 0, refused: 0, waiting: 2 });
    dapr.set_invoke_mode(FaultMode::Healthy);
    assert_eq!(sink.deliver().await.unwrap().delivered, 2);
    assert_eq!(*table.lock().unwrap(), events);
}

#[tokio::test(start_paused = true)]
async fn event_is_dropped_while_recorder_and_store_hang() {
    let (dapr, _, sink) = setup();
    dapr.set_invoke_mode(FaultMode::Hanging);
    dapr.set_state_mode(FaultMode::Hanging);
    let began = tokio::time::Instant::now();
    assert_eq!(take(&sink, &event(1)).await, Delivery::Dropped);
    assert!(began.elapsed() <= Duration::from_millis(502));
    assert!(timeout(Duration::from_secs(60), sink.deliver()).await.unwrap().is_err());
}

#[tokio::test]
async fn full_outbox_drops_the_event() {
    let (dapr, _, sink) = setup();
    dapr.set_invoke_mode(FaultMode::Failing);
    let events: Vec<Event> = (0..CAPACITY).map(event).collect();
    dapr.put_record("outbox", json!({ "events": events }));
    assert_eq!(take(&sink, &event(1)).await, Delivery::Dropped);
}

#[tokio::test]
async fn concurrent_event_of_another_instance_is_kept() {
    let (dapr, table, sink) = setup();
    dapr.set_invoke_mode(FaultMode::Failing);
    let (own, other) = (event(1), event(2));
    let foreign = json!({ "events": [other.clone()] });
    dapr.after_next_read(move |dapr| dapr.put_record("outbox", foreign));
    assert_eq!(take(&sink, &own).await, Delivery::Deferred);
    dapr.set_invoke_mode(FaultMode::Healthy);
    assert_eq!(sink.deliver().await.unwrap().delivered, 2);
    assert_eq!(*table.lock().unwrap(), [other, own]);
}

#[tokio::test]
async fn rejected_event_is_logged_and_does_not_block_others() {
    let dapr = FakeDapr::new();
    let log = Arc::new(Lines(StdMutex::default()));
    let sink = sink(&dapr, Arc::clone(&log) as Arc<dyn Log>);
    let bad = event(1);
    assert_eq!(take(&sink, &bad).await, Delivery::Deferred);
    dapr.on_invoke(|_, _| reply(StatusCode::BAD_REQUEST, "no"));
    assert_eq!(sink.deliver().await.unwrap(), Round { delivered: 0, refused: 1, waiting: 0 });
    assert!(log.0.lock().unwrap()[0].contains(&bad.event_id));
    assert_eq!(sink.deliver().await.unwrap(), Round::default());
}
