//! What people do.

use std::sync::Arc;

use waybill_proto::wire::{self, deliveries_server::Deliveries as _};

use super::Bench;
use crate::operations::DeliveriesService;

impl Bench {
    pub(in crate::tests) fn people(&self) -> DeliveriesService {
        DeliveriesService::new(Arc::clone(&self.engine))
    }

    pub(in crate::tests) async fn retry(&self) -> i64 {
        let request = wire::SelectDeliveriesRequest { actor: "test".to_owned(), ..Default::default() };
        let service = DeliveriesService::new(Arc::clone(&self.engine));
        service.retry(tonic::Request::new(request)).await.unwrap().into_inner().changed
    }

    /// A person pauses the system.
    pub(in crate::tests) async fn ask_to_pause(&self) {
        let (system, actor) = ("erp".to_owned(), "test".to_owned());
        let request = wire::PauseRequest { system, actor, paused: true, ..Default::default() };
        self.people().pause(tonic::Request::new(request)).await.unwrap();
    }

    pub(in crate::tests) async fn discard(&self) -> i64 {
        let select = wire::SelectDeliveriesRequest {
            actor: "test".to_owned(),
            reason: "not wanted".to_owned(),
            ..Default::default()
        };
        let service = DeliveriesService::new(Arc::clone(&self.engine));
        let request = wire::DiscardDeliveriesRequest { select: Some(select) };
        service.discard(tonic::Request::new(request)).await.unwrap().into_inner().changed
    }
}
