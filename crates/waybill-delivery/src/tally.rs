//! Sums over a large table that are kept as it changes.
//!
//! Triggers add a row of differences with each statement, in its transaction, so that the rows' sum is the table's at every
//! moment and no two statements wait for each other. The rows are folded into one of each place now and then, and
//! [`Tally::recount`] compares them with the table itself.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool};
use waybill_runtime::{Metrics, Tasks, database};

/// More rows than this are folded.
const FOLD: i64 = 500;
/// How often all is counted.
const RECOUNT_EVERY: Duration = Duration::from_secs(3600);

/// A table's sums, and the table that keeps them.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// Where they are kept: the place's columns, then one for each sum.
    pub kept: &'static str,
    /// Of which table.
    pub of: &'static str,
    /// The rows of it that count.
    pub counted: &'static str,
    /// What they are summed by.
    pub by: &'static str,
    /// The sums: the column that keeps each, and its expression over the table.
    pub sums: &'static [(&'static str, &'static str)],
}

/// The records of a source and their revisions.
pub(crate) const RECORDS: Tally = Tally {
    kept: "record_tally",
    of: "record",
    counted: "number > 0",
    by: "store, kind",
    sums: &[("records", "count(*)"), ("revisions", "sum(number)")],
};

impl Tally {
    fn columns(&self, write: impl Fn(&(&str, &str)) -> String) -> String {
        self.sums.iter().map(write).collect::<Vec<_>>().join(", ")
    }

    /// The question for its sums: the place's columns, then each sum.
    pub fn question(&self) -> String {
        let sums = self.columns(|(column, _)| format!("sum({column})::bigint"));
        format!("select {by}, {sums} from {} group by {by} order by {by}", self.kept, by = self.by)
    }

    /// Nobody else folds or recounts until the transaction ends. What is read is what was committed by then.
    const ALONE: &'static str = "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || $1, 0))";
    const IF_ALONE: &'static str =
        "select pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.' || $1, 0))";

    /// Makes one row of each place's, if there are many and nobody else does.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn fold(&self, pool: &PgPool) -> sqlx::Result<()> {
        let many = format!("select count(*) > {FOLD} from (select from {} limit {}) t", self.kept, FOLD + 1);
        if !sqlx::query_scalar(AssertSqlSafe(many)).fetch_one(pool).await? {
            return Ok(());
        }
        let sums = self.columns(|(column, _)| format!("sum({column})"));
        let fold = format!(
            "with gone as (delete from {kept} returning *)
             insert into {kept} select {by}, {sums} from gone group by {by}",
            kept = self.kept,
            by = self.by
        );
        let mut transaction = database::begin(pool).await?;
        if !sqlx::query_scalar(Self::IF_ALONE).bind(self.kept).fetch_one(&mut *transaction).await? {
            return Ok(());
        }
        sqlx::query(AssertSqlSafe(fold)).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// Counts the table and sets the sums right where they differ, as after rows were loaded without triggers. Gives in
    /// how many places they did.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recount(&self, pool: &PgPool) -> sqlx::Result<u64> {
        let counted = self.columns(|(column, sum)| format!("{sum} as {column}"));
        let kept = self.columns(|(column, _)| format!("-{column}"));
        let (sums, differs) = (
            self.columns(|(column, _)| format!("sum({column})")),
            self.sums.iter().map(|(column, _)| format!("sum({column}) <> 0")).collect::<Vec<_>>().join(" or "),
        );
        let columns = self.columns(|(column, _)| (*column).to_owned());
        // One statement sees one state of both tables.
        let recount = format!(
            "insert into {tally} ({by}, {columns})
             select {by}, {sums} from (
                 select {by}, {counted} from {of} where {which} group by {by}
                 union all
                 select {by}, {kept} from {tally}
             ) difference
             group by {by} having {differs}",
            tally = self.kept,
            of = self.of,
            which = self.counted,
            by = self.by
        );
        let mut transaction = database::begin(pool).await?;
        sqlx::query(Self::ALONE).bind(self.kept).execute(&mut *transaction).await?;
        let drifted = sqlx::query(AssertSqlSafe(recount)).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(drifted)
    }

    /// Recounts at once and each hour, and says so where the sums had drifted.
    pub fn keep(self, tasks: &mut Tasks, pool: PgPool, metrics: Metrics) {
        tasks.repeat("recount", RECOUNT_EVERY, move || {
            let (pool, metrics) = (pool.clone(), metrics.clone());
            async move {
                let drifted = self.recount(&pool).await?;
                if drifted > 0 {
                    tracing::error!(table = self.of, places = drifted, "sums had drifted from their table; set right");
                }
                metrics.add(
                    "waybill_tally_drift_total",
                    &[("table", self.of)],
                    i64::try_from(drifted).unwrap_or(i64::MAX),
                );
                Ok(())
            }
        });
    }
}
