//! The contract suite, on both Trytons.

mod orders {
    use waybill_domain::document::OrderDocument;

    waybill_connector::contract_tests!(OrderDocument, crate::bench::Bench::simulated().await);
}

mod customers {
    use waybill_domain::document::CustomerDocument;

    waybill_connector::contract_tests!(CustomerDocument, crate::bench::Bench::simulated().await);
}

/// The same rules, where there is a real Tryton.
macro_rules! real_contract_tests {
    ($document:ty, [$($rule:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $rule() {
                if let Some(bench) = crate::bench::Bench::real().await {
                    waybill_connector::contract::rules::$rule::<$document>(&bench).await;
                }
            }
        )+
    };
}

mod real_orders {
    use waybill_domain::document::OrderDocument;

    real_contract_tests!(
        OrderDocument,
        [
            a_second_upsert_makes_no_second_object,
            an_update_changes_and_does_not_add,
            a_limit_is_reported_with_the_vendors_wait,
            refused_credentials_are_unauthorized,
            a_server_error_is_transient_or_ambiguous,
            a_cut_before_acting_ends_in_one_object,
            a_cut_after_acting_ends_in_one_object,
            an_error_after_acting_ends_in_one_object,
            an_update_cut_after_acting_ends_in_one_changed_object,
            an_error_body_in_a_200_is_never_success,
            a_refused_document_is_rejected,
            a_batch_answers_in_order,
            an_unknown_key_is_not_found,
        ]
    );
}

mod real_customers {
    use waybill_domain::document::CustomerDocument;

    real_contract_tests!(
        CustomerDocument,
        [
            a_second_upsert_makes_no_second_object,
            an_update_changes_and_does_not_add,
            a_cut_after_acting_ends_in_one_object,
            an_update_cut_after_acting_ends_in_one_changed_object,
            a_refused_document_is_rejected,
            a_batch_answers_in_order,
            an_unknown_key_is_not_found,
        ]
    );
}
