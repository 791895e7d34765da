//! Follows the HTTP/1.1 messages of a connection, to know when it is idle between two exchanges.
//!
//! A connection is idle when the guest has read no byte of a request that it has not responded to in full (RFC 9112,
//! section 6.3, for where a message ends).
//!
//! Stops tracking at anything but HTTP/1.1 with Content-Length: chunked bodies, pipelining, upgrades. Such a connection
//! counts as busy for the rest of its life; the only cost is that it never moves to another instance.

/// Maximum header fields, and bytes of a header section that arrives in pieces. Beyond them, tracking stops.
const MAX_FIELDS: usize = 64;
const MAX_HEAD: usize = 16 * 1024;

/// Tracks the state of a connection's HTTP tracker.
#[derive(Debug, Default)]
pub(super) struct HttpTracker {
    state: State,
    /// The part received so far of a header section that arrives in pieces.
    head: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// No request yet, or all requests are responded to.
    #[default]
    Idle,
    MidRequest {
        /// Bytes of the request's body that the guest has not read yet.
        request: u64,
        response: ResponseState,
    },
    Unknown,
}

/// Progress of the response.
#[derive(Clone, Copy, Debug)]
enum ResponseState {
    /// The header section is still to come, and then a body unless `only` (a HEAD request).
    Head { only: bool },
    /// Bytes of the body still to come.
    Body(u64),
}

impl HttpTracker {
    /// Returns whether every request that the guest has read is responded to.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.head.is_empty()
    }

    /// Returns whether a request is unanswered.
    pub(super) fn is_mid_request(&self) -> bool {
        matches!(self.state, State::MidRequest { .. }) || !self.head.is_empty()
    }

    /// Stops tracking for good.
    pub(super) fn stop(&mut self) {
        *self = Self { state: State::Unknown, head: Vec::new() };
    }

    /// Records bytes that the guest has read.
    pub(super) fn record_read(&mut self, bytes: &[u8]) {
        if self.follow_read(bytes).is_none() {
            self.stop();
        }
    }

    /// Records bytes that the guest has written.
    pub(super) fn record_write(&mut self, bytes: &[u8]) {
        if self.follow_written(bytes).is_none() {
            self.stop();
        }
    }

    /// Follows the request; `None` stops tracking, here and below.
    fn follow_read(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.state {
            State::Idle => {
                let Some((asked, rest)) = self.parse_head(bytes, request)? else { return Some(()) };
                self.state =
                    State::MidRequest { request: asked.body, response: ResponseState::Head { only: asked.head_only } };
                return self.follow_read(rest);
            }
            State::MidRequest { request, .. } => *request = request.checked_sub(bytes.len() as u64)?,
            State::Unknown => {}
        }
        self.end();
        Some(())
    }

    fn follow_written(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.state {
            State::Idle if bytes.is_empty() => {}
            State::Idle => return None,
            &mut State::MidRequest { request, response: ResponseState::Head { only } } => {
                let Some((body, rest)) = self.parse_head(bytes, |bytes| response(bytes, only))? else {
                    return Some(());
                };
                if let Some(body) = body {
                    self.state = State::MidRequest { request, response: ResponseState::Body(body) };
                }
                return self.follow_written(rest);
            }
            State::MidRequest { response: ResponseState::Body(left), .. } => {
                *left = left.checked_sub(bytes.len() as u64)?
            }
            State::Unknown => {}
        }
        self.end();
        Some(())
    }

    fn end(&mut self) {
        if matches!(self.state, State::MidRequest { request: 0, response: ResponseState::Body(0) }) {
            self.state = State::Idle;
        }
    }

    /// Parses a header section; returns its value and the bytes after it. Incomplete sections are buffered.
    fn parse_head<'a, T>(
        &mut self,
        bytes: &'a [u8],
        read: impl Fn(&[u8]) -> Option<Head<T>>,
    ) -> Option<Option<(T, &'a [u8])>> {
        let before = self.head.len();
        let head = if before == 0 {
            read(bytes)?
        } else {
            self.head.extend_from_slice(bytes);
            read(&self.head)?
        };
        if let Head::Complete { value, length } = head {
            self.head = Vec::new();
            return Some(Some((value, bytes.get(length - before..)?)));
        }
        if before == 0 {
            self.head.extend_from_slice(bytes);
        }
        (self.head.len() <= MAX_HEAD).then_some(None)
    }
}

enum Head<T> {
    Partial,
    Complete { value: T, length: usize },
}

struct RequestHead {
    body: u64,
    head_only: bool,
}

fn request(bytes: &[u8]) -> Option<Head<RequestHead>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else { return Some(Head::Partial) };
    let method = request.method?;
    if method == "CONNECT" || request.headers.iter().any(|field| field.name.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    let body = body_length(request.headers)?.unwrap_or(0);
    Some(Head::Complete { value: RequestHead { body, head_only: method == "HEAD" }, length })
}

/// Parses a response head into its body's length.
///
/// An interim response has none, because another one follows (RFC 9110, section 15.2).
fn response(bytes: &[u8], head_only: bool) -> Option<Head<Option<u64>>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes).ok()? else { return Some(Head::Partial) };
    let body = match response.code? {
        101 => return None,
        100..200 => None,
        204 | 304 => Some(0),
        _ if head_only => Some(0),
        // Without a length the body ends with the connection.
        _ => Some(body_length(response.headers)??),
    };
    Some(Head::Complete { value: body, length })
}

/// Reads the body's length from the header fields, if present; `None` where tracking must stop.
#[expect(clippy::option_option, reason = "no length and an unsupported one differ")]
fn body_length(fields: &[httparse::Header<'_>]) -> Option<Option<u64>> {
    let mut length = None;
    for field in fields {
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
        if field.name.eq_ignore_ascii_case("content-length") {
            let given = str::from_utf8(field.value).ok()?;
            let plain = given.bytes().all(|byte| byte.is_ascii_digit());
            if !plain || length.replace(given.parse().ok()?).is_some() {
                return None;
            }
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab";
    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";

    fn after(steps: &[(char, &[u8])]) -> HttpTracker {
        let mut tracker = HttpTracker::default();
        for (direction, bytes) in steps {
            if *direction == '<' { tracker.record_read(bytes) } else { tracker.record_write(bytes) }
        }
        tracker
    }

    #[test]
    fn exchange_lasts_until_both_bodies_are_complete() {
        let steps: &[(char, &[u8])] =
            &[('<', POST), ('<', b"cd"), ('>', RESPONSE), ('>', b"x"), ('>', b"yz"), ('<', b"e")];
        for count in 1..steps.len() {
            assert!(!after(&steps[..count]).is_idle(), "after {count}");
        }
        assert!(after(steps).is_idle());
        let twice = [steps, steps].concat();
        assert!(after(&twice).is_idle());
    }

    #[test]
    fn split_messages_are_tracked_like_whole_ones() {
        let asked = [POST, b"cde"].concat();
        let responded = [RESPONSE, b"xyz"].concat();
        for cut in 1..asked.len() {
            for response_cut in 1..responded.len() {
                let steps = [
                    ('<', &asked[..cut]),
                    ('<', &asked[cut..]),
                    ('>', &responded[..response_cut]),
                    ('>', &responded[response_cut..]),
                ];
                assert!((1..4).all(|count| !after(&steps[..count]).is_idle()), "{cut} and {response_cut}");
                assert!(after(&steps).is_idle(), "{cut} and {response_cut}");
            }
        }
    }

    #[test]
    fn responses_without_a_body_end_with_their_head() {
        let head = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
        assert!(after(&[('<', head), ('>', RESPONSE)]).is_idle());
        for code in ["204 No Content", "304 Not Modified"] {
            assert!(after(&[('<', GET), ('>', format!("HTTP/1.1 {code}\r\n\r\n").as_bytes())]).is_idle());
        }
        let interim = [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], RESPONSE, b"abc"].concat();
        assert!(after(&[('<', GET), ('>', &interim)]).is_idle());
    }

    #[test]
    fn unsupported_messages_stop_tracking() {
        let mut cases = vec![
            ("a head without an end", vec![('<', [b"GET / HTTP/1.1\r\nA: ", [b'a'; MAX_HEAD].as_slice()].concat())]),
            ("pipelining", vec![('<', [GET, GET].concat())]),
            ("the next request before the response", vec![('<', GET.to_vec()), ('<', GET.to_vec())]),
            ("a greeting", vec![('>', b"220 hello\r\n".to_vec())]),
            ("rubbish", vec![('<', b"\x16\x03\x01\x02\x00".to_vec())]),
            ("fields without an end", vec![('<', [b"GET / HTTP/1.1\r\n", b"A: a\r\n".repeat(99).as_slice()].concat())]),
            ("more than was announced", vec![('<', GET.to_vec()), ('>', [RESPONSE, b"abcd"].concat())]),
        ];
        for fields in [
            "Transfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: +1",
            "Content-Length: 99999999999999999999",
            "Upgrade: websocket",
        ] {
            cases.push((fields, vec![('<', format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n").into_bytes())]));
        }
        for head in ["200 OK\r\nTransfer-Encoding: chunked", "200 OK", "101 Switching Protocols"] {
            cases.push((head, vec![('<', GET.to_vec()), ('>', format!("HTTP/1.1 {head}\r\n\r\n").into_bytes())]));
        }
        for (name, steps) in cases {
            let steps: Vec<_> = steps.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
            assert!(matches!(after(&steps).state, State::Unknown), "{name}");
            // Nothing that follows resumes tracking.
            let more = [steps.as_slice(), &[('<', GET), ('>', RESPONSE), ('>', b"abc")]].concat();
            assert!(matches!(after(&more).state, State::Unknown), "{name}");
        }
    }
}
