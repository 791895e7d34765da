//! Sizes in the notation of Kubernetes and Dapr.

/// Parses a size such as `4Mi`, `16MB` or `65536` into bytes.
///
/// A number without a unit up to 1,024 counts in units of `bare` bytes, as in Dapr's older `dapr-http-max-request-size`
/// (MB) and `dapr-http-read-buffer-size` (KB).
///
/// # Errors
/// A message that shows valid sizes.
pub fn parse(text: &str, bare: u64) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let bad = || format!("{text:?} is not a size; write 4Mi, 16MB or a number of bytes");
    let number: u64 = number.parse().map_err(|_| bad())?;
    let factor: u64 = match unit.trim() {
        "" if number <= 1024 => bare,
        "" | "B" => 1,
        "k" | "K" | "KB" | "kB" => 1000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "Ki" | "KiB" => 1 << 10,
        "Mi" | "MiB" => 1 << 20,
        "Gi" | "GiB" => 1 << 30,
        _ => return Err(bad()),
    };
    number.checked_mul(factor).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read_with_either_kind_of_prefix() {
        let size = |text| parse(text, 1 << 10);
        assert_eq!(size("4Mi"), Ok(4 << 20));
        assert_eq!(size("16MB"), Ok(16_000_000));
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!((size("8"), parse("8", 1 << 20)), (Ok(8 << 10), Ok(8 << 20)));
        assert!(size("four").is_err() && size("4X").is_err() && size("").is_err());
    }
}
