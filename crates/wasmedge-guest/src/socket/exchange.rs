//! Follows the HTTP/1.1 of a connection without taking part in it, to know when it is between two exchanges: when the guest
//! has read no byte of a request that it has not answered to the end (RFC 9112, section 6.3, for where a message ends).
//!
//! What is not plain is not followed any further: chunks, pipelining, another protocol. Such a connection counts as busy for
//! the rest of its life, which costs nothing but the choice that others have.

/// The most header fields, and bytes of a head that comes in pieces; one with more is not followed.
const MAX_FIELDS: usize = 64;
const MAX_HEAD: usize = 16 * 1024;

/// How far the exchange on a connection is.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    state: State,
    /// What there is of a head that comes in pieces.
    head: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing was said yet, or all that was asked is answered.
    #[default]
    Between,
    Within {
        /// Bytes of the request's body that the guest has not read yet.
        request: u64,
        answer: Answer,
    },
    Unknown,
}

/// How far the answer is.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// Its head is still to come, and then a body, unless the request was for the head only.
    Head { only: bool },
    /// So many bytes of its body are.
    Body(u64),
}

impl Exchange {
    /// Whether nothing is asked that is not answered, as far as the guest has read.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Between) && self.head.is_empty()
    }

    /// Whether something is asked that is not answered.
    pub(super) fn is_within(&self) -> bool {
        matches!(self.state, State::Within { .. }) || !self.head.is_empty()
    }

    /// There is no knowing any more.
    pub(super) fn lose(&mut self) {
        *self = Self { state: State::Unknown, head: Vec::new() };
    }

    /// The guest has read `bytes`.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        if self.follow_read(bytes).is_none() {
            self.lose();
        }
    }

    /// The guest has written `bytes`.
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        if self.follow_written(bytes).is_none() {
            self.lose();
        }
    }

    /// Nothing where that is not plain, here and below.
    fn follow_read(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.state {
            State::Between => {
                let Some((asked, rest)) = self.with_head(bytes, request)? else { return Some(()) };
                self.state = State::Within { request: asked.body, answer: Answer::Head { only: asked.head_only } };
                return self.follow_read(rest);
            }
            State::Within { request, .. } => *request = request.checked_sub(bytes.len() as u64)?,
            State::Unknown => {}
        }
        self.end();
        Some(())
    }

    fn follow_written(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.state {
            State::Between if bytes.is_empty() => {}
            State::Between => return None,
            &mut State::Within { request, answer: Answer::Head { only } } => {
                let Some((body, rest)) = self.with_head(bytes, |bytes| response(bytes, only))? else { return Some(()) };
                if let Some(body) = body {
                    self.state = State::Within { request, answer: Answer::Body(body) };
                }
                return self.follow_written(rest);
            }
            State::Within { answer: Answer::Body(left), .. } => *left = left.checked_sub(bytes.len() as u64)?,
            State::Unknown => {}
        }
        self.end();
        Some(())
    }

    fn end(&mut self) {
        if matches!(self.state, State::Within { request: 0, answer: Answer::Body(0) }) {
            self.state = State::Between;
        }
    }

    /// What a head says, and what comes after it in `bytes`. While it is not complete, its pieces are kept.
    fn with_head<'a, T>(
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
        if let Head::Complete { says, length } = head {
            self.head = Vec::new();
            return Some(Some((says, bytes.get(length - before..)?)));
        }
        if before == 0 {
            self.head.extend_from_slice(bytes);
        }
        (self.head.len() <= MAX_HEAD).then_some(None)
    }
}

enum Head<T> {
    Partial,
    Complete { says: T, length: usize },
}

struct Asked {
    body: u64,
    head_only: bool,
}

fn request(bytes: &[u8]) -> Option<Head<Asked>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else { return Some(Head::Partial) };
    let method = request.method?;
    if method == "CONNECT" || request.headers.iter().any(|field| field.name.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    let body = body_length(request.headers)?.unwrap_or(0);
    Some(Head::Complete { says: Asked { body, head_only: method == "HEAD" }, length })
}

/// The length of an answer's body. An interim answer has none, because another one follows (RFC 9110, section 15.2).
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
    Some(Head::Complete { says: body, length })
}

/// The length that a head gives its body, if it gives one; nothing where that is not plain.
#[expect(clippy::option_option, reason = "no length and no plain one are two things")]
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
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";

    fn after(steps: &[(char, &[u8])]) -> Exchange {
        let mut exchange = Exchange::default();
        for (way, bytes) in steps {
            if *way == '<' { exchange.read(bytes) } else { exchange.wrote(bytes) }
        }
        exchange
    }

    #[test]
    fn an_exchange_lasts_from_the_first_byte_of_the_request_to_the_last_of_the_answer_or_of_the_body() {
        let steps: &[(char, &[u8])] =
            &[('<', POST), ('<', b"cd"), ('>', ANSWER), ('>', b"x"), ('>', b"yz"), ('<', b"e")];
        for count in 1..steps.len() {
            assert!(!after(&steps[..count]).is_between(), "after {count}");
        }
        assert!(after(steps).is_between());
        let twice = [steps, steps].concat();
        assert!(after(&twice).is_between());
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut() {
        let asked = [POST, b"cde"].concat();
        let answered = [ANSWER, b"xyz"].concat();
        for cut in 1..asked.len() {
            for answer_cut in 1..answered.len() {
                let steps = [
                    ('<', &asked[..cut]),
                    ('<', &asked[cut..]),
                    ('>', &answered[..answer_cut]),
                    ('>', &answered[answer_cut..]),
                ];
                assert!((1..4).all(|count| !after(&steps[..count]).is_between()), "{cut} and {answer_cut}");
                assert!(after(&steps).is_between(), "{cut} and {answer_cut}");
            }
        }
    }

    #[test]
    fn answers_without_a_body_end_with_their_head() {
        let head = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
        assert!(after(&[('<', head), ('>', ANSWER)]).is_between());
        for code in ["204 No Content", "304 Not Modified"] {
            assert!(after(&[('<', GET), ('>', format!("HTTP/1.1 {code}\r\n\r\n").as_bytes())]).is_between());
        }
        let interim = [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], ANSWER, b"abc"].concat();
        assert!(after(&[('<', GET), ('>', &interim)]).is_between());
    }

    #[test]
    fn what_is_not_plain_is_not_followed_any_more() {
        let mut cases = vec![
            ("a head without an end", vec![('<', [b"GET / HTTP/1.1\r\nA: ", [b'a'; MAX_HEAD].as_slice()].concat())]),
            ("pipelining", vec![('<', [GET, GET].concat())]),
            ("the next request before the answer", vec![('<', GET.to_vec()), ('<', GET.to_vec())]),
            ("a greeting", vec![('>', b"220 hello\r\n".to_vec())]),
            ("rubbish", vec![('<', b"\x16\x03\x01\x02\x00".to_vec())]),
            ("fields without an end", vec![('<', [b"GET / HTTP/1.1\r\n", b"A: a\r\n".repeat(99).as_slice()].concat())]),
            ("more than was announced", vec![('<', GET.to_vec()), ('>', [ANSWER, b"abcd"].concat())]),
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
            let steps: Vec<_> = steps.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
            assert!(matches!(after(&steps).state, State::Unknown), "{name}");
            // Nor does anything that follows make it known again.
            let more = [steps.as_slice(), &[('<', GET), ('>', ANSWER), ('>', b"abc")]].concat();
            assert!(matches!(after(&more).state, State::Unknown), "{name}");
        }
    }
}
