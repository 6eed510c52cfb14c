//! What services add to the engine.

use async_trait::async_trait;
use sqlx::PgConnection;
use waybill_domain::{Kind, Snapshot, SystemName};
use waybill_plan::{Facts, Plan};
use waybill_proto::wire;

/// What a service adds to the engine: rows of its own beside intake, facts for decisions.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// What must not be worked on twice at once at the system. By default a person's orders and record share a key,
    /// as they touch one contact or party; so do one order's parcels; everything else is its record.
    fn target_key(&self, _system: &SystemName, snapshot: &Snapshot) -> String {
        waybill_plan::target_key(snapshot)
    }

    /// Whether [`Hooks::heard`] has anything to do with a kind's snapshots.
    fn keeps(&self, _kind: Kind) -> bool {
        true
    }

    /// Writes what the service keeps of snapshots, in intake's transaction.
    async fn heard(&self, _plan: &Plan, _db: &mut PgConnection, _snapshots: &[Snapshot]) -> sqlx::Result<()> {
        Ok(())
    }

    /// Whether the service keeps receipts that no flow of its own waits for.
    fn hears_receipts(&self) -> bool {
        false
    }

    /// Writes what the service keeps of receipts, in the transaction that takes them.
    async fn receipts(&self, _plan: &Plan, _db: &mut PgConnection, _receipts: &[wire::Receipt]) -> sqlx::Result<()> {
        Ok(())
    }

    /// Writes what the service keeps of dead letters.
    async fn dead_letters(&self, _db: &mut PgConnection, _letters: &[wire::DeadLetter]) -> sqlx::Result<()> {
        Ok(())
    }

    /// Adds the service's own facts to a decision's.
    async fn complete(
        &self,
        _plan: &Plan,
        _db: &mut PgConnection,
        _system: &SystemName,
        _snapshot: &Snapshot,
        _facts: &mut Facts,
    ) -> sqlx::Result<()> {
        Ok(())
    }

    /// Whether ends are said as receipts. The alerter's own pages are not: they would page about themselves.
    fn says_receipts(&self) -> bool {
        true
    }
}

/// A service without rows or facts of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn keeps(&self, _kind: Kind) -> bool {
        false
    }
}
