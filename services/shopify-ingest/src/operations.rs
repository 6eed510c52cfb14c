//! `Inbox` over gRPC.

use jiff::Timestamp;
use sqlx::PgPool;
use tonic::{Request, Response, Status};
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        InboxCountRequest, InboxCountResponse, InboxListRequest, InboxListResponse, inbox_count_response::Count,
        inbox_list_response::Webhook, inbox_server::Inbox,
    },
};

use crate::inbox_past;

/// Answers for the inbox.
#[derive(Debug, Clone)]
pub(crate) struct InboxService {
    pool: PgPool,
}

impl InboxService {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

fn unavailable(error: sqlx::Error) -> Status {
    tracing::warn!(%error, "the inbox cannot be read");
    Status::unavailable("the database cannot be read; try again")
}

#[tonic::async_trait]
impl Inbox for InboxService {
    async fn count(&self, _request: Request<InboxCountRequest>) -> Result<Response<InboxCountResponse>, Status> {
        let counts = inbox_past::count(&self.pool)
            .await
            .map_err(unavailable)?
            .into_iter()
            .map(|(store, topic, outcome, webhooks)| Count { store, topic, outcome, webhooks })
            .collect();
        Ok(Response::new(InboxCountResponse { counts }))
    }

    async fn list(&self, request: Request<InboxListRequest>) -> Result<Response<InboxListResponse>, Status> {
        let request = request.into_inner();
        let limit = if request.limit <= 0 { 50 } else { request.limit.min(1000) };
        let rows: Vec<(i64, String, String, String, i64, String, String, i64)> = sqlx::query_as(
            "select id, store, topic, webhook_id, (extract(epoch from received_at) * 1000000)::bigint, outcome,
                 message, body_bytes
             from inbox where $1 = '' or outcome = $1 order by id desc limit $2",
        )
        .bind(&request.outcome)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        let webhooks = rows
            .into_iter()
            .map(|(id, store, topic, webhook_id, received_us, outcome, message, body_bytes)| Webhook {
                id,
                store,
                topic,
                webhook_id,
                received_at: Timestamp::from_microsecond(received_us).ok().map(to_timestamp),
                outcome,
                message,
                body_bytes,
            })
            .collect();
        Ok(Response::new(InboxListResponse { webhooks }))
    }
}
