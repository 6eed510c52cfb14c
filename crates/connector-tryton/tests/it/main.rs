//! The connector against the simulated Tryton and, where `WAYBILL_TRYTON_PYTHON` names one, against a real one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adopting;
mod adopting_sales;
mod amounts;
mod before_us;
mod bench;
mod booking;
mod cancelling;
mod changing;
mod contract;
mod customers;
mod documents;
mod history;
mod merging;
mod prices;
mod real;
mod refunding;
mod returns;
mod sessions;
mod stock;
mod wrong_requests;

/// Runs each test on the simulated Tryton and on a real one, which a plain line skips where there is none.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod simulated {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&$crate::bench::Bench::simulated().await).await;
            })+
        }
        mod real {
            $(#[tokio::test]
            async fn $name() {
                if let Some(bench) = $crate::bench::Bench::real().await {
                    super::$name(&bench).await;
                }
            })+
        }
    };
}
