//! An HTTP server that records requests and sends the test's responses.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use dapr_client::{Dapr, Endpoint};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Server {
    /// Starts a server with a request handler.
    pub(crate) async fn start(answer: impl Fn(&Request<Bytes>) -> Response<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, record) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
                    async move {
                        let (head, body) = request.into_parts();
                        let request = Request::from_parts(head, body.collect().await.unwrap().to_bytes());
                        let response = answer(&request).map(|body| Full::new(Bytes::from(body)));
                        record.lock().unwrap().push(request);
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { port, seen }
    }

    /// Starts a server that always sends the same response.
    pub(crate) async fn with_response(
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> Self {
        let headers = headers.to_vec();
        Self::start(move |_| {
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(*name, *value);
            }
            response.body(body.to_owned()).unwrap()
        })
        .await
    }

    /// Creates a client of this server.
    pub(crate) fn client(&self) -> Dapr {
        Dapr::connect(Endpoint::local(self.port))
    }

    /// Returns the only request received.
    pub(crate) fn only_request(&self) -> Request<Bytes> {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1, "exactly one request was expected");
        seen[0].clone()
    }
}
