//! Plain scalars as `daprd` resolves them: YAML 1.1 (`go.yaml.in/yaml/v2`), then written as JSON.

use serde_json::Value;

/// Resolves a plain scalar in a field of any type, such as a component's property.
///
/// As in `daprd`, `010` is `8`, `yes` is `true` and `1.10` is `1.1`.
pub(super) fn resolve(plain: &str) -> String {
    match plain {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return "true".to_owned(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return "false".to_owned();
        }
        _ => {}
    }
    if !plain.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return plain.to_owned();
    }
    let digits = plain.replace('_', "");
    if let Some(number) = integer(&digits) {
        return number;
    }
    match digits.parse::<f64>() {
        Ok(number) if is_float(&digits) && number.is_finite() => go_compat::write(&Value::from(number)),
        _ => plain.to_owned(),
    }
}

/// Parses a 64-bit integer as Go's `strconv.ParseInt` with base 0.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("-", digits)) => ("-", digits),
        Some(("+", digits)) => ("", digits),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.split_at_checked(2) {
        Some(("0x", digits)) => (16, digits),
        Some(("0o", digits)) => (8, digits),
        Some(("0b", digits)) => (2, digits),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.trim_start_matches('0')),
        _ => (10, lower.as_str()),
    };
    let is_zero = digits.is_empty() && radix == 8 && lower.chars().all(|digit| digit == '0');
    // A sign here would be a second one.
    let starts_well = digits.starts_with(|first: char| first.is_digit(radix));
    let number = if is_zero { 0 } else { u64::from_str_radix(digits, radix).ok().filter(|_| starts_well)? };
    let fits = sign.is_empty() || number <= i64::MIN.unsigned_abs();
    fits.then(|| if number == 0 { "0".to_owned() } else { format!("{sign}{number}") })
}

/// Returns true if Go parses the text as a float.
///
/// That is: digits, at most one point, and a signed exponent.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole.is_empty() || is_digits(whole)) && is_digits(fraction),
        None => is_digits(mantissa),
    };
    // Go passes text that begins with a point to strconv.ParseFloat, which needs no sign.
    let has_exponent = exponent.is_none_or(|exponent| match exponent.strip_prefix(['+', '-']) {
        Some(digits) => is_digits(digits),
        None => text.starts_with('.') && is_digits(exponent),
    });
    has_mantissa && has_exponent
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn plain_scalars_resolve_as_in_go() {
        for (plain, expected) in [
            ("010", "8"),
            ("00501", "321"),
            ("0", "0"),
            ("00", "0"),
            ("-017", "-15"),
            ("09", "9"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0b1010", "10"),
            ("1_000", "1000"),
            ("+7", "7"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.10", "1.1"),
            (".5", "0.5"),
            ("1e+3", "1000"),
            ("1e3", "1e3"),
            ("1e+21", "1e+21"),
            ("yes", "true"),
            ("Off", "false"),
            ("n", "false"),
            ("tRue", "tRue"),
            ("2001-12-14", "2001-12-14"),
            ("190:20:30", "190:20:30"),
            ("localhost:6379", "localhost:6379"),
            ("1.2.3", "1.2.3"),
            ("--5", "--5"),
            ("0x", "0x"),
            (".", "."),
        ] {
            assert_eq!(resolve(plain), expected, "{plain}");
        }
    }
}
