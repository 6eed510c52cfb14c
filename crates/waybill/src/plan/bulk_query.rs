//! `waybill plan bulk-query`.

use std::{io::Write, process::ExitCode};

use connector_shopify::bulk;

#[derive(Debug, clap::Args)]
pub(crate) struct BulkQuery {
    /// The query alone, for a program that sends `bulkOperationRunQuery` itself (with `groupObjects: true`).
    #[arg(long)]
    bare: bool,
}

pub(crate) fn run(command: &BulkQuery, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let text = if command.bare { bulk::query() } else { bulk::request() };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use connector_shopify::bulk;

    use super::{BulkQuery, run};

    fn printed(bare: bool) -> String {
        let mut out = Vec::new();
        run(&BulkQuery { bare }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_has_to_be_run_is_printed_whole_or_bare() {
        assert_eq!(printed(true), bulk::query());
        let whole = printed(false);
        assert!(whole.contains("bulkOperationRunQuery(") && whole.contains("groupObjects: true"), "{whole}");
        assert!(bulk::query().lines().all(|line| whole.contains(line)), "{whole}");
    }
}
