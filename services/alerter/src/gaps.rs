//! Which records a gap is about. The terms of the accounting line are counts; here each is asked for its records.

use std::{collections::BTreeSet, sync::Arc};

use waybill_delivery::cursor_of;
use waybill_proto::wire::{
    self, AccountingLine, Head, ListChangesRequest, ListChangesResponse, ListDeliveriesRequest, ListUnsettledRequest,
    State, deliveries_client::DeliveriesClient, source_client::SourceClient,
};

use crate::accounting::{Accounting, DELIVERERS, SOURCES};

/// So many are named.
const MOST: usize = 20;
/// So many are asked for at once.
const PAGE: usize = 1000;
const UNSETTLED: [State; 3] = [State::Pending, State::Applying, State::Waiting];

impl Accounting {
    /// The records of a gap that stands, as `store/kind/id`.
    ///
    /// # Errors
    /// If the database fails, or a service does not answer.
    pub(crate) async fn records_of(&self, line: &AccountingLine) -> anyhow::Result<Vec<String>> {
        // What has waited longest comes first: what is on its way does not take its place.
        let mut ids = Vec::new();
        if line.gap > 0 {
            ids.extend(self.nobody_works_on(line).await?);
            ids.extend(self.never_heard(line).await?);
        } else {
            ids.extend(self.settled_too_early(line).await?);
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let named = ids.into_iter().take(MOST).map(|id| format!("{}/{}/{id}", line.store, line.kind));
        Ok(named.collect())
    }

    /// Records that wait for a receipt while the service that should give it has nothing to do for them.
    async fn nobody_works_on(&self, line: &AccountingLine) -> anyhow::Result<Vec<String>> {
        let waiting: Vec<String> = sqlx::query_scalar(
            "select record_id from line
             where (store, kind, system) = ($1, $2, $3) and waits_since is not null
             order by waits_since",
        )
        .persistent(false)
        .bind(&line.store)
        .bind(&line.kind)
        .bind(&line.system)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::new();
        for page in waiting.chunks(PAGE) {
            let keys = page.iter().map(|id| wire::RecordKey {
                store: line.store.clone(),
                kind: line.kind.clone(),
                id: id.clone(),
            });
            let request = ListUnsettledRequest { system: line.system.clone(), keys: keys.collect() };
            let mut worked_on = BTreeSet::new();
            for channel in DELIVERERS.iter().filter_map(|name| self.peers.get(*name)) {
                let answer = DeliveriesClient::new(channel.clone()).list_unsettled(request.clone()).await?;
                worked_on.extend(answer.into_inner().keys.into_iter().map(|key| key.id));
            }
            found.extend(page.iter().filter(|id| !worked_on.contains(*id)).cloned());
            if found.len() >= MOST {
                break;
            }
        }
        Ok(found)
    }

    /// Records that their source has and that were never said here, after the place up to which both were compared.
    async fn never_heard(&self, line: &AccountingLine) -> anyhow::Result<Vec<String>> {
        let plan = Arc::clone(&self.plan.borrow());
        let mut found = Vec::new();
        for (service, channel) in SOURCES.iter().filter_map(|name| Some((*name, self.peers.get(*name)?))) {
            let after: Option<String> = sqlx::query_scalar("select position from source_cursor where source = $1")
                .bind(cursor_of(service, &plan, |_| true))
                .fetch_optional(&self.pool)
                .await?;
            let mut after = after.unwrap_or_default();
            let mut client = SourceClient::new(channel.clone()).max_decoding_message_size(64 * 1024 * 1024);
            let mut more = true;
            while more && found.len() < MOST {
                let kinds = vec![line.kind.clone()];
                let request = ListChangesRequest { after, limit: 0, kinds, heads_only: true };
                let mut page = client.list_changes(request).await?.into_inner();
                let heads = heads(&mut page);
                found.extend(self.unknown(line, &heads).await?);
                (after, more) = (page.cursor, page.more);
            }
        }
        Ok(found)
    }

    /// Of what a source has, the records of a line that are not known here, or not so new.
    async fn unknown(&self, line: &AccountingLine, heads: &[Head]) -> sqlx::Result<Vec<String>> {
        let of_line: Vec<(&str, Option<wire::Revision>)> = heads
            .iter()
            .filter_map(|head| Some((head.key.as_ref()?, head.revision)))
            .filter(|(key, _)| key.store == line.store)
            .map(|(key, revision)| (key.id.as_str(), revision))
            .collect();
        sqlx::query_scalar(
            "select n.record_id from unnest($4::text[], $5::bigint[], $6::bigint[]) as n (record_id, epoch, number)
             where coalesce((
                 select (l.accepted_epoch, l.accepted_number) < (n.epoch, n.number) from line l
                 where (l.store, l.kind, l.record_id, l.system) = ($1, $2, n.record_id, $3)
                 limit 1), true)",
        )
        .bind(&line.store)
        .bind(&line.kind)
        .bind(&line.system)
        .bind(of_line.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(of_line.iter().map(|(_, revision)| revision.map_or(0, |revision| revision.epoch)).collect::<Vec<_>>())
        .bind(of_line.iter().map(|(_, revision)| revision.map_or(0, |revision| revision.number)).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await
    }

    /// Records of which a receipt tells an end that their service does not know of, or of a revision that nobody said.
    async fn settled_too_early(&self, line: &AccountingLine) -> anyhow::Result<Vec<String>> {
        let unsaid = "select record_id from line
             where (store, kind, system) = ($1, $2, $3)
                 and (settled_epoch, settled_number) > (accepted_epoch, accepted_number)
             order by record_id limit $4";
        let mut found = self.ids(unsaid, line).await?;
        for state in UNSETTLED {
            let request = ListDeliveriesRequest {
                system: line.system.clone(),
                state: state.into(),
                limit: 1000,
                ..Default::default()
            };
            for delivery in self.deliveries(&request).await? {
                let (Some(key), Some(desired)) = (delivery.key, delivery.desired) else { continue };
                if (key.store.as_str(), key.kind.as_str()) != (line.store.as_str(), line.kind.as_str()) {
                    continue;
                }
                let is_settled: bool = sqlx::query_scalar(
                    "select exists (select from line
                         where (store, kind, record_id, system) = ($1, $2, $3, $4)
                             and (settled_epoch, settled_number) >= ($5, $6))",
                )
                .bind(&line.store)
                .bind(&line.kind)
                .bind(&key.id)
                .bind(&line.system)
                .bind(desired.epoch)
                .bind(desired.number)
                .fetch_one(&self.pool)
                .await?;
                if is_settled {
                    found.push(key.id);
                }
            }
        }
        Ok(found)
    }

    /// The ids that a query gives for a line; its parameters are store, kind, system and how many.
    async fn ids(&self, sql: &'static str, line: &AccountingLine) -> sqlx::Result<Vec<String>> {
        let query = sqlx::query_scalar(sql).bind(&line.store).bind(&line.kind).bind(&line.system).bind(MOST as i64);
        query.fetch_all(&self.pool).await
    }

    /// What the delivering services list, all together.
    async fn deliveries(&self, request: &ListDeliveriesRequest) -> anyhow::Result<Vec<wire::Delivery>> {
        let mut all = Vec::new();
        for channel in DELIVERERS.iter().filter_map(|name| self.peers.get(*name)) {
            let answer = DeliveriesClient::new(channel.clone()).list(request.clone()).await?;
            all.extend(answer.into_inner().deliveries);
        }
        Ok(all)
    }
}

/// What a source has, also from one that says more than it is asked for.
fn heads(page: &mut ListChangesResponse) -> Vec<Head> {
    let whole = page.snapshots.drain(..).map(|snapshot| Head { key: snapshot.key, revision: snapshot.revision });
    page.heads.drain(..).chain(whole).collect()
}
