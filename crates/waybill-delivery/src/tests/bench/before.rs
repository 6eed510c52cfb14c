//! A source as it was before it listed heads, or in the order of changes.

use tonic::{Request, Response, Status};
use waybill_proto::wire::{
    CountAcceptedRequest, CountAcceptedResponse, FindByNameRequest, FindByNameResponse, GetRevisionsRequest,
    GetRevisionsResponse, GetSnapshotRequest, ListChangesRequest, ListChangesResponse, ListRevisionsRequest,
    ListRevisionsResponse, Snapshot, source_server::Source,
};

use crate::ledger::SourceService;

pub(super) struct SourceOfBefore(pub(super) SourceService);

#[tonic::async_trait]
impl Source for SourceOfBefore {
    async fn list_changes(
        &self,
        mut request: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        request.get_mut().heads_only = false;
        let mut answer = self.0.list_changes(request).await?;
        answer.get_mut().in_order = false;
        Ok(answer)
    }

    async fn get_snapshot(&self, request: Request<GetSnapshotRequest>) -> Result<Response<Snapshot>, Status> {
        self.0.get_snapshot(request).await
    }

    async fn count_accepted(
        &self,
        request: Request<CountAcceptedRequest>,
    ) -> Result<Response<CountAcceptedResponse>, Status> {
        self.0.count_accepted(request).await
    }

    async fn find_by_name(&self, request: Request<FindByNameRequest>) -> Result<Response<FindByNameResponse>, Status> {
        self.0.find_by_name(request).await
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        self.0.list_revisions(request).await
    }

    async fn get_revisions(
        &self,
        request: Request<GetRevisionsRequest>,
    ) -> Result<Response<GetRevisionsResponse>, Status> {
        self.0.get_revisions(request).await
    }
}
