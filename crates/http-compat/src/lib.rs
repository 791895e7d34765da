//! Conversion of HTTP messages between the types of `http` 0.2 and `http` 1.
//!
//! `hyper_wasi`, the only hyper that runs on WasmEdge's sockets, uses `http` 0.2; all code here uses `http` 1. Both
//! describe the same bytes, so that converting a message copies its header. The body is passed through.

/// Converts a received request to `http` 1, with a given body.
///
/// # Errors
/// If `http` 1 rejects a part that `http` 0.2 accepted, such as a URI that is too long.
pub fn request_to_1<B>(head: &http_02::request::Parts, body: B) -> Result<http::Request<B>, http::Error> {
    let mut request = http::Request::builder().method(head.method.as_str()).uri(head.uri.to_string()).body(body)?;
    copy_to_1(&head.headers, request.headers_mut())?;
    Ok(request)
}

/// Converts a request to `http` 0.2, for sending.
///
/// # Errors
/// If `http` 0.2 rejects a part that `http` 1 accepted.
pub fn request_to_02<B>(request: http::Request<B>) -> Result<http_02::Request<B>, http_02::Error> {
    let (head, body) = request.into_parts();
    let mut request = http_02::Request::builder().method(head.method.as_str()).uri(head.uri.to_string()).body(body)?;
    copy_to_02(&head.headers, request.headers_mut())?;
    Ok(request)
}

/// Converts a received response to `http` 1, with a given body.
///
/// # Errors
/// If `http` 1 rejects a part that `http` 0.2 accepted.
pub fn response_to_1<B>(head: &http_02::response::Parts, body: B) -> Result<http::Response<B>, http::Error> {
    let mut response = http::Response::builder().status(head.status.as_u16()).body(body)?;
    copy_to_1(&head.headers, response.headers_mut())?;
    Ok(response)
}

/// Converts a response to `http` 0.2, for sending.
///
/// # Errors
/// If `http` 0.2 rejects a part that `http` 1 accepted.
pub fn response_to_02<B>(response: http::Response<B>) -> Result<http_02::Response<B>, http_02::Error> {
    let (head, body) = response.into_parts();
    let mut response = http_02::Response::builder().status(head.status.as_u16()).body(body)?;
    copy_to_02(&head.headers, response.headers_mut())?;
    Ok(response)
}

fn copy_to_1(from: &http_02::HeaderMap, to: &mut http::HeaderMap) -> Result<(), http::Error> {
    to.reserve(from.len());
    for (name, value) in from {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes())?;
        to.append(name, http::HeaderValue::from_bytes(value.as_bytes())?);
    }
    Ok(())
}

fn copy_to_02(from: &http::HeaderMap, to: &mut http_02::HeaderMap) -> Result<(), http_02::Error> {
    to.reserve(from.len());
    for (name, value) in from {
        let name = http_02::header::HeaderName::from_bytes(name.as_str().as_bytes())?;
        to.append(name, http_02::HeaderValue::from_bytes(value.as_bytes())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_survives_a_round_trip() {
        let original = http::Request::builder()
            .method("DELETE")
            .uri("http://127.0.0.1:3503/v1.0/state/a%2Fb?x=1")
            .header("if-match", "7")
            .header("x-many", "1")
            .header("x-many", "2")
            .body("body")
            .unwrap();
        let (head, body) = request_to_02(original.clone()).unwrap().into_parts();
        let back = request_to_1(&head, body).unwrap();
        assert_eq!(
            (back.method(), back.uri(), back.headers()),
            (original.method(), original.uri(), original.headers())
        );
        assert_eq!(back.into_body(), "body");
    }

    #[test]
    fn response_survives_a_round_trip() {
        let original = http::Response::builder().status(409).header("etag", "7").body(()).unwrap();
        let (head, body) = response_to_02(original.clone()).unwrap().into_parts();
        let back = response_to_1(&head, body).unwrap();
        assert_eq!((back.status(), back.headers()), (original.status(), original.headers()));
    }
}
