//! Which plan each replica obeys: who is heard, when it becomes an incident, and when that resolves.

use crate::bench::{Bench, obeying, refusing};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_disagree_for_over_a_minute_are_paged_and_the_page_resolves_when_they_agree() {
    let Some(bench) = Bench::open().await else { return };
    let ours = bench.hash.clone();
    let disagreeing = [obeying("erp-sync", "host-1", &ours), obeying("crm-sync", "host-2", "591785b79460")];
    bench.hear(&disagreeing).await;
    bench.until_disagreement_is_seen().await;
    bench.hear_for(60, &disagreeing).await;
    bench.until_disagreement_is_seen().await;
    assert_eq!(bench.incidents("plan_disagreement").await, [], "a changed file takes its time to be taken up");

    bench.hear_for(10, &disagreeing).await;
    let incident = bench.until_open("plan_disagreement").await;
    for expected in [format!("{ours}: "), "erp-sync host-1".to_owned(), "591785b79460: crm-sync host-2".to_owned()] {
        assert!(incident.detail.contains(&expected), "{expected} in {}", incident.detail);
    }
    let page = bench.until_page_is("plan_disagreement", "triggered").await;
    assert!(page.contains("Replicas obey different plans [plan_disagreement]"), "{page}");
    assert!(page.contains("591785b79460: crm-sync host-2"), "{page}");

    bench.hear(&[obeying("erp-sync", "host-1", &ours), obeying("crm-sync", "host-2", &ours)]).await;
    bench.until_resolved("plan_disagreement").await;
    bench.until_page_is("plan_disagreement", "resolved").await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_refused_for_over_a_minute_is_paged_and_the_page_resolves_when_it_passes() {
    let Some(bench) = Bench::open().await else { return };
    let ours = bench.hash.clone();
    let problem = "the plan plan.toml: WB-P003 line 4, flows.orders.to: there is no system 'epr'";
    let refused = [refusing("erp-sync", "host-1", &ours, problem)];
    bench.hear(&refused).await;
    bench.hear_for(70, &refused).await;
    let incident = bench.until_open("plan_refused").await;
    assert_eq!(incident.detail, format!("erp-sync host-1: {problem}"));
    let page = bench.until_page_is("plan_refused", "triggered").await;
    assert!(page.contains(&incident.detail), "{page}");

    bench.hear(&[obeying("erp-sync", "host-1", &ours)]).await;
    bench.until_resolved("plan_refused").await;
    bench.until_page_is("plan_refused", "resolved").await;
    assert_eq!(bench.incidents("plan_disagreement").await, [], "all obeyed one plan all the time");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_silent_for_a_minute_is_gone() {
    let Some(bench) = Bench::open().await else { return };
    let (leaves, stays) =
        (obeying("erp-sync", "host-1", "b1946ac92492"), obeying("erp-sync", "host-2", "b1946ac92492"));
    bench.hear(&[leaves.clone(), stays.clone()]).await;
    let listed = async |report: &_| bench.replicas().await.iter().any(|replica| replica.plan.as_ref() == Some(report));
    bench.pass(59);
    assert!(listed(&leaves).await);
    bench.hear(std::slice::from_ref(&stays)).await;
    bench.pass(1);
    assert!(!listed(&leaves).await);
    assert!(listed(&stays).await);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_does_not_speak_for_another() {
    let Some(bench) = Bench::open().await else { return };
    bench.say("crm-sync", &obeying("erp-sync", "forged", "b1946ac92492")).await;
    bench.hear(&[obeying("crm-sync", "host-2", "b1946ac92492")]).await;
    let replicas = bench.replicas().await;
    assert!(replicas.iter().all(|replica| replica.plan.as_ref().unwrap().replica != "forged"), "{replicas:?}");
    bench.close().await;
}
