//! Refunds hang on their orders.

use std::time::Duration;

use waybill_domain::Snapshot;
use waybill_testkit::{
    records::{OrderBuilder, order, refund_of},
    wait_for_async,
};

use super::bench::Bench;

/// Orders once they are paid, and refunds.
const PLAN: &str = "when = \"order.captured\"
[[flows]]
name = \"refunds\"
kind = \"refund\"
to = \"erp\"
";

fn bought() -> OrderBuilder {
    order(1).with_line("TEE", 2, "24.00")
}

fn refund() -> Snapshot {
    refund_of(&bought().build()).of_line(0, 1).at_revision(1)
}

#[tokio::test]
async fn a_refund_that_was_ignored_with_its_order_is_booked_once_the_order_is() {
    let bench = bench!();
    bench.obey(PLAN, "");
    bench.hear(bought().at_revision(1)).await;
    bench.round().await;
    bench.hear(refund()).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["ignored when:orders", "ignored order-ignored"]);

    bench.hear(bought().paid().at_revision(2)).await;
    bench.round().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "applied"]);
    assert_eq!(bench.refunded(), ["500"]);
    assert_eq!(bench.receipts().await, ["1..1 ignored", "1..1 ignored", "2..2 applied", "1..1 applied"]);
}

/// Either end may be recorded while the other one is.
#[tokio::test]
async fn a_refund_that_is_being_ignored_while_its_order_is_written_is_booked_too() {
    let bench = bench!();
    bench.obey(PLAN, "");
    bench.hear(bought().at_revision(1)).await;
    bench.round().await;
    // The refund's end comes to its row a second after it was decided.
    bench.late_when("exists (select from erp_sync.delivery where kind = 'refund' and state = 'ignored')").await;
    bench.hear(refund()).await;
    let paid = async {
        wait_for_async("the refund's claim", Duration::from_secs(20), async || {
            (bench.states().await[1] != "pending").then_some(())
        })
        .await;
        bench.hear(bought().paid().at_revision(2)).await;
        bench.round().await;
    };
    tokio::join!(bench.round(), paid);
    // A round passes over a row that somebody holds, as the refund's end holds its order's.
    for _ in 0..2 {
        bench.round().await;
    }
    assert_eq!(bench.states().await, ["applied", "applied"]);
    assert_eq!(bench.refunded(), ["500"]);
}
