//! Calls of an application whose server behaves oddly.

use dapr_runtime::{App, AppSettings, empty_body, full_body};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Starts a server with one response for each request of each connection. An empty one hangs up.
///
/// Returns the requests it has got.
async fn server(connections: &'static [&'static [&'static str]]) -> (App, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let app = App::new(AppSettings { port: Some(address.port()), ..AppSettings::default() });
    app.set_channel(Arc::new(ConnectionPool::to_local_port(Some(address.port()))));
    let seen = asked.clone();
    tokio::spawn(async move {
        for responses in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for response in *responses {
                let request = request(&mut stream).await;
                seen.lock().unwrap().push(request);
                stream.write_all(response.as_bytes()).await.unwrap();
            }
        }
    });
    (app, asked)
}

/// Reads the head of a request that has no body.
async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn call(app: &App, method: Method, body: Body) -> Result<(StatusCode, String), String> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = "/path".parse().unwrap();
    let response = app.call(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn body_that_breaks_off_ends_as_it_does_in_dapr() {
    let (app, _) = server(&[&["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"]]).await;
    assert_eq!(call(&app, Method::GET, empty_body()).await, Ok((StatusCode::OK, "half".to_owned())));
}

#[tokio::test]
async fn length_that_is_no_number_is_an_error() {
    let (app, _) = server(&[&["HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\nhalf"]]).await;
    assert!(call(&app, Method::POST, empty_body()).await.is_err());
}

#[tokio::test]
async fn more_than_the_promised_length_is_left_out() {
    let (app, _) = server(&[&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more"], &[FINE]]).await;
    for _ in 0..2 {
        assert_eq!(call(&app, Method::GET, empty_body()).await, Ok((StatusCode::OK, "ok".to_owned())));
    }
}

#[tokio::test]
async fn empty_post_has_a_length_and_empty_get_has_none() {
    let (app, asked) = server(&[&[FINE, FINE, FINE]]).await;
    call(&app, Method::POST, empty_body()).await.unwrap();
    call(&app, Method::PUT, full_body("")).await.unwrap();
    call(&app, Method::GET, empty_body()).await.unwrap();
    let asked = asked.lock().unwrap();
    let has_length: Vec<bool> = asked.iter().map(|head| head.contains("content-length: 0\r\n")).collect();
    assert_eq!(has_length, [true, true, false], "{asked:?}");
}

#[tokio::test]
async fn connection_closed_while_idle_fails_no_request() {
    let (app, _) = server(&[&[FINE], &[FINE], &[FINE]]).await;
    for method in [Method::GET, Method::POST, Method::POST] {
        assert_eq!(call(&app, method, empty_body()).await, Ok((StatusCode::OK, "ok".to_owned())));
        // Let the end of the connection arrive.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn get_that_was_hung_up_on_is_retried() {
    // The second request is read, and gets no response.
    let (app, asked) = server(&[&[FINE, ""], &[FINE]]).await;
    call(&app, Method::GET, empty_body()).await.unwrap();
    assert_eq!(call(&app, Method::GET, empty_body()).await, Ok((StatusCode::OK, "ok".to_owned())));
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn post_that_was_hung_up_on_is_not_retried() {
    let (app, asked) = server(&[&[FINE, ""], &[FINE]]).await;
    call(&app, Method::POST, empty_body()).await.unwrap();
    assert!(call(&app, Method::POST, empty_body()).await.is_err());
    assert_eq!(asked.lock().unwrap().len(), 2);
}
