//! Columns of MySQL as JSON, as they come out of Go's driver and Dapr's binding.
//!
//! Rows come in the binary protocol. Times are read from its bytes, so that zero dates, which no time type can hold,
//! come out as they do in Go.

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

/// One value; `None` leaves it out.
fn read(row: &MySqlRow, index: usize, type_: &sqlx::mysql::MySqlTypeInfo) -> Result<Option<Value>, sqlx::Error> {
    let name = type_.name();
    let raw = row.try_get_raw(index)?;
    if matches!(name, "DATE" | "DATETIME" | "TIMESTAMP") {
        // sqlx calls a zero date NULL; its bytes are there, and a NULL has none.
        let time = <&[u8] as Decode<MySql>>::decode(raw).ok().map(date_time).transpose();
        return time.map(|time| time.map(Value::from)).map_err(|why| sqlx::Error::Decode(why.into()));
    }
    if raw.is_null() {
        // In Go a NULL is left out, but for columns of bytes, which have a nil slice.
        return Ok(is_bytes(type_).then_some(Value::Null));
    }
    let value = match name {
        "FLOAT" => {
            let value: f32 = row.try_get_unchecked(index)?;
            // The shortest decimal of the 32 bits, not of the 64 that they would be widened to.
            float(value.to_string().parse().unwrap_or_else(|_| f64::from(value)))
        }
        "DOUBLE" => float(row.try_get_unchecked(index)?),
        "TIME" => Value::from(time(row.try_get_unchecked(index)?)),
        _ if is_bytes(type_) => binary(row.try_get_unchecked(index)?),
        _ if name.ends_with("UNSIGNED") || name == "YEAR" => Value::from(row.try_get_unchecked::<u64, _>(index)?),
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Value::from(row.try_get_unchecked::<i64, _>(index)?)
        }
        // Text in all its forms, DECIMAL, ENUM, SET.
        _ => Value::from(String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(index)?)),
    };
    Ok(Some(value))
}

/// By the collation, and not by the name: a text with a `_bin` collation calls itself binary as well.
fn is_bytes(type_: &sqlx::mysql::MySqlTypeInfo) -> bool {
    match type_.name() {
        "JSON" | "BIT" | "GEOMETRY" | "NULL" => true,
        name if name.ends_with("BLOB") || name.ends_with("BINARY") => !<str as Type<MySql>>::compatible(type_),
        _ => false,
    }
}

/// `YYYY-MM-DDThh:mm:ss.fZ`, from a length, year, month, day, hour, minute, second and microseconds, of which the last
/// parts may be missing. Go's zero time stands for MySQL's zero date. Days that no calendar has, which MySQL keeps on request,
/// are counted on as Go counts them: the 31st of February is the 3rd of March, and a month of zero the December before.
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
    // In the words of Go's JSON.
    let date = date.filter(|date| date.year() >= 0).ok_or("Time.MarshalJSON: year outside of range [0,9999]")?;
    let micros = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
    let fraction = fraction(micros);
    Ok(format!("{}T{:02}:{:02}:{:02}{fraction}Z", date.strftime("%Y-%m-%d"), part(5), part(6), part(7)))
}

/// `-hhh:mm:ss.f`, from a length, sign, days, hours, minutes, seconds and microseconds; nothing at all is midnight.
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
    fn times_of_the_binary_protocol_are_read_whatever_their_length() {
        let date_time = |bytes: &[u8]| date_time(bytes).unwrap();
        assert_eq!(date_time(&[0]), "0001-01-01T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 1, 2]), "2026-01-02T00:00:00Z");
        assert_eq!(date_time(&[7, 0xea, 7, 1, 2, 3, 4, 5]), "2026-01-02T03:04:05Z");
        assert_eq!(date_time(&[11, 0xea, 7, 1, 2, 3, 4, 5, 0x20, 0xa1, 7, 0]), "2026-01-02T03:04:05.5Z");
        assert_eq!(date_time(&[4, 0, 0, 1, 1]), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn days_of_no_calendar_are_counted_on() {
        assert_eq!(date_time(&[4, 0xea, 7, 0, 10]).unwrap(), "2025-12-10T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 3, 0]).unwrap(), "2026-02-28T00:00:00Z");
        assert_eq!(date_time(&[4, 0xea, 7, 2, 31]).unwrap(), "2026-03-03T00:00:00Z");
        assert!(date_time(&[4, 0, 0, 0, 1]).is_err());
    }

    #[test]
    fn spans_of_time_may_be_negative_and_longer_than_a_day() {
        assert_eq!(time(&[0]), "00:00:00");
        assert_eq!(time(&[8, 1, 2, 0, 0, 0, 3, 4, 5]), "-51:04:05");
        assert_eq!(time(&[12, 0, 0, 0, 0, 0, 3, 4, 5, 0x20, 0xa1, 7, 0]), "03:04:05.500000");
    }
}
