//! Work that stands in a table and is claimed piece by piece.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is due, without a wake-up.
const POLL: Duration = Duration::from_secs(1);

/// Takes piece after piece until told to stop; `piece` tells whether there was one. A piece that is left at the stop is
/// taken up again once its lease has ended.
pub(crate) async fn take<F>(
    what: &'static str,
    wake: &Notify,
    stop: &CancellationToken,
    mut piece: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = sqlx::Result<bool>>,
{
    while !stop.is_cancelled() {
        let worked = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            worked = piece() => worked,
        };
        if worked.unwrap_or_else(|error| {
            tracing::warn!(%error, what, "cannot go on; trying again");
            false
        }) {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}
