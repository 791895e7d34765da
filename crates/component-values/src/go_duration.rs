//! Durations in Go's syntax (`time.ParseDuration`, `Duration.String`), used by Dapr's YAML and responses.

use thiserror::Error;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
/// One second in nanoseconds, the unit used here.
pub const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// An error for text that is not a Go duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a duration in Go's syntax, such as 300ms or 1h15m")]
pub struct ParseError;

/// Parses `text` into nanoseconds.
pub fn parse(text: &str) -> Result<i64, ParseError> {
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1, text.get(1..).unwrap_or_default()),
        Some(b'+') => (1, text.get(1..).unwrap_or_default()),
        _ => (1, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(ParseError);
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (term, after) = parse_term(rest)?;
        total = total.checked_add(term).ok_or(ParseError)?;
        rest = after;
    }
    Ok(sign * total)
}

/// Parses one number with its unit; also returns the rest of the text.
fn parse_term(text: &str) -> Result<(i64, &str), ParseError> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(ParseError)?;
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return Err(ParseError),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(ParseError);
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| ParseError)? };
    let whole = whole.checked_mul(unit).ok_or(ParseError)?;
    Ok((whole.checked_add(fraction_of(fraction, unit)).ok_or(ParseError)?, rest))
}

/// Computes the part of `unit` for the digits after a decimal point, rounded down to a nanosecond.
fn fraction_of(digits: &str, unit: i64) -> i64 {
    let (mut part, mut place) = (0, unit);
    for digit in digits.bytes() {
        place /= 10;
        part += i64::from(digit - b'0') * place;
    }
    part
}

/// Formats `nanos` as Go does: `1h2m3.5s`, `12.3ms`, `0s`.
pub fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let text = if nanos == 0 {
        "0s".to_owned()
    } else if nanos < MICROSECOND.unsigned_abs() {
        format!("{nanos}ns")
    } else if nanos < MILLISECOND.unsigned_abs() {
        format!("{}\u{b5}s", decimal(nanos, MICROSECOND.unsigned_abs()))
    } else if nanos < SECOND.unsigned_abs() {
        format!("{}ms", decimal(nanos, MILLISECOND.unsigned_abs()))
    } else {
        clock(nanos)
    };
    format!("{sign}{text}")
}

/// Formats a second or more as hours, minutes and seconds, without leading zero units.
fn clock(nanos: u64) -> String {
    let (minute, hour) = (MINUTE.unsigned_abs(), HOUR.unsigned_abs());
    let seconds = decimal(nanos % minute, SECOND.unsigned_abs());
    match (nanos / hour, nanos % hour / minute) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Formats `nanos / unit` as a decimal without trailing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_valid_in_go_parse() {
        for (text, nanos) in [
            ("0", 0),
            ("15s", 15 * SECOND),
            ("1h15m30.918s", HOUR + 15 * MINUTE + 30_918 * MILLISECOND),
            ("-1.5h", -90 * MINUTE),
            (".5s", 500 * MILLISECOND),
            ("39h9m14.425s", 39 * HOUR + 9 * MINUTE + 14_425 * MILLISECOND),
            ("12\u{b5}s", 12 * MICROSECOND),
        ] {
            assert_eq!(parse(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn durations_invalid_in_go_are_errors() {
        for text in ["", "3", "-", "s", ".", "-.", ".s", "1..5s", "1d", "1h ", "9223372036854775808ns", "3000000h"] {
            assert_eq!(parse(text), Err(ParseError), "{text}");
        }
    }

    #[test]
    fn durations_print_as_in_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1\u{b5}s"),
            (2_200_000, "2.2ms"),
            (3_300 * MILLISECOND, "3.3s"),
            (4 * MINUTE + 5 * SECOND, "4m5s"),
            (5 * HOUR + 6 * MINUTE + 7_001 * MILLISECOND, "5h6m7.001s"),
            (-SECOND, "-1s"),
        ] {
            assert_eq!(format(nanos), text);
        }
    }
}
