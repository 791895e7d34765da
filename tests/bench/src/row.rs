//! The lines of the table.

use std::io::Write as _;

/// One figure.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) measured: String,
    pub(crate) compared: String,
    pub(crate) ratio: String,
    pub(crate) must: &'static str,
    pub(crate) hope: &'static str,
}

/// Prints the table.
pub(crate) fn print(rows: &[Row]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| figure | measured | beside | ratio | must | hope |\n|---|---|---|---|---|---|")?;
    for row in rows {
        let Row { what, measured, compared, ratio, must, hope } = row;
        writeln!(out, "| {what} | {measured} | {compared} | {ratio} | {must} | {hope} |")?;
    }
    Ok(())
}
