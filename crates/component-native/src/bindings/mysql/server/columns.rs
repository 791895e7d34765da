//! Conversion of MySQL columns to JSON, with the same results as Go's driver and Dapr's binding.
//!
//! Rows use the binary protocol. Times are decoded from its bytes, so that zero dates, which no time type can
//! represent, come out as in Go.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;
use sqlx::mysql::{MySql, MySqlRow};
use sqlx::{Column, Decode, Row as _, Type, TypeInfo, ValueRef};

use super::super::rows::{Row, binary, float};

pub(super) fn read_row(row: &MySqlRow) -> Result<Row, sqlx::Error> {
    let mut values = Row::new();
    for column in row.columns() {
        if let Some(value) = read(row, column.ordinal(), column.type_info())? {
            values.insert(column.name().to_owned(), value);
        }
    }
    Ok(values)
}

/// Reads one value; `None` omits it.
fn read(row: &MySqlRow, index: usize, type_: &sqlx::mysql::MySqlTypeInfo) -> Result<Option<Value>, sqlx::Error> {
    let name = type_.name();
    let raw = row.try_get_raw(index)?;
    if matches!(name, "DATE" | "DATETIME" | "TIMESTAMP") {
        // sqlx reports a zero date as NULL; unlike a NULL, it has bytes.
        let time = <&[u8] as Decode<MySql>>::decode(raw).ok().map(date_time).transpose();
        return time.map(|time| time.map(Value::from)).map_err(|why| sqlx::Error::Decode(why.into()));
    }
    if raw.is_null() {
        // In Go a NULL is omitted, except in byte columns, which yield a nil slice.
        return Ok(is_bytes(type_).then_some(Value::Null));
    }
    let value = match name {
        "FLOAT" => {
            let value: f32 = row.try_get_unchecked(index)?;
            // The shortest decimal of the 32 bits, not of the 64 bits to which they would be widened.
            float(value.to_string().parse().unwrap_or_else(|_| f64::from(value)))
        }
        "DOUBLE" => float(row.try_get_unchecked(index)?),
        "TIME" => Value::from(time(row.try_get_unchecked(index)?)),
        _ if is_bytes(type_) => binary(row.try_get_unchecked(index)?),
        _ if name.ends_with("UNSIGNED") || name == "YEAR" => Value::from(row.try_get_unchecked::<u64, _>(index)?),
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Value::from(row.try_get_unchecked::<i64, _>(index)?)
        }
        // Text in all its forms, and DECIMAL, ENUM, SET.
        _ => Value::from(String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(index)?)),
    };
    Ok(Some(value))
}

/// Returns true for binary columns.
///
/// Decided by collation, not by name, as text with a `_bin` collation is called binary too.
fn is_bytes(type_: &sqlx::mysql::MySqlTypeInfo) -> bool {
    match type_.name() {
        "JSON" | "BIT" | "GEOMETRY" | "NULL" => true,
        name if name.ends_with("BLOB") || name.ends_with("BINARY") => !<str as Type<MySql>>::compatible(type_),
        _ => false,
    }
}

/// Formats a date as `YYYY-MM-DDThh:mm:ss.fZ`.
///
/// The bytes are a length, year, month, day, hour, minute, second and microseconds, of which the last parts may be
/// missing. MySQL's zero date becomes Go's zero time. Impossible days, which MySQL can store, overflow as in Go: the
/// 31st of February is the 3rd of March, and month zero is the December before.
fn date_time(bytes: &[u8]) -> Result<String, &'static str> {
    let part = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let year = u16::from_le_bytes([part(1), part(2)]);
    let (month, day) = (part(3), part(4));
    if (year, month, day) == (0, 0, 0) {
        return Ok("0001-01-01T00:00:00Z".to_owned());
    }
    let date = i16::try_from(year).ok().and_then(|year| Date::new(year, 1, 1).ok());
    let date = date.and_then(|date| date.checked_add((i64::from(month) - 1).months()).ok());
    let date = date.and_then(|date| date.checked_add((i64::from(day) - 1).days()).ok());
    // The error text of Go's JSON encoder.
    let date = date.filter(|date| date.year() >= 0).ok_or("Time.MarshalJSON: year outside of range [0,9999]")?;
    let micros = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
    let fraction = fraction(micros);
    Ok(format!("{}T{:02}:{:02}:{:02}{fraction}Z", date.strftime("%Y-%m-%d"), part(5), part(6), part(7)))
}

/// Formats a time span as `-hhh:mm:ss.f`.
///
/// The bytes are a length, sign, days, hours, minutes, seconds and microseconds; no bytes are midnight.
fn time(bytes: &[u8]) -> String {
    let part = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let sign = if part(1) == 1 { "-" } else { "" };
    let days = u32::from_le_bytes([part(2), part(3), part(4), part(5)]);
    let hours = u64::from(days) * 24 + u64::from(part(6));
    let micros = u32::from_le_bytes([part(9), part(10), part(11), part(12)]);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{sign}{hours:02}:{:02}:{:02}{fraction}", part(7), part(8))
}

fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_dates_of_any_length_are_decoded() {
        let date_time = |bytes: &[u8]| date_time(bytes).unwrap();
        assert_eq!(date_time(&[0]), "0001-01-01T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 1, 2]), "2026-01-02T00:00:00Z");
        assert_eq!(date_time(&[7, 0xea, 7, 1, 2, 3, 4, 5]), "2026-01-02T03:04:05Z");
        assert_eq!(date_time(&[11, 0xea, 7, 1, 2, 3, 4, 5, 0x20, 0xa1, 7, 0]), "2026-01-02T03:04:05.5Z");
        assert_eq!(date_time(&[4, 0, 0, 1, 1]), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn impossible_days_overflow_as_in_go() {
        assert_eq!(date_time(&[4, 0xea, 7, 0, 10]).unwrap(), "2025-12-10T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 3, 0]).unwrap(), "2026-02-28T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 2, 31]).unwrap(), "2026-03-03T00:00:00Z");
        assert!(date_time(&[4, 0, 0, 0, 1]).is_err());
    }

    #[test]
    fn time_spans_may_be_negative_or_exceed_a_day() {
        assert_eq!(time(&[0]), "00:00:00");
        assert_eq!(time(&[8, 1, 2, 0, 0, 0, 3, 4, 5]), "-51:04:05");
        assert_eq!(time(&[12, 0, 0, 0, 0, 0, 3, 4, 5, 0x20, 0xa1, 7, 0]), "03:04:05.500000");
    }
}
