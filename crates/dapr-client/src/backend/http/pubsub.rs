//! Publishing: `/v1.0/publish`.

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};

use super::super::CallOptions;
use super::HttpBackend;
use crate::Error;
use crate::path::ApiPath;
use crate::pubsub::{OutgoingMessage, PUBLISH, PubSubBackend};

#[async_trait]
impl PubSubBackend for HttpBackend {
    async fn publish(&self, options: &CallOptions, message: &OutgoingMessage<'_>) -> Result<(), Error> {
        let mut path = ApiPath::new("/v1.0/publish").segment(message.pubsub).segment(message.topic);
        for (name, value) in &message.metadata {
            path = path.query(&format!("metadata.{name}"), value);
        }
        let mut call = self.build_call(options, PUBLISH, Method::POST, &path)?;
        let content_type = HeaderValue::from_str(message.content_type);
        let content_type = content_type.map_err(|error| Error::Form { operation: PUBLISH, source: error.into() })?;
        call.request.headers_mut().insert(CONTENT_TYPE, content_type);
        *call.request.body_mut() = message.data.clone();
        self.send_checked(options, call).await.map(drop)
    }
}
