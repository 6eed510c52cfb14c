//! The contract suite, for orders that one request creates and for those that need an update besides.

mod in_one_step {
    use waybill_domain::document::OrderDocument;

    use crate::bench::Account;

    waybill_connector::contract_tests!(OrderDocument, Account::open().await);
    waybill_connector::contract_tests!(OrderDocument, Account::open().await, [a_look_tells_what_was_lost]);
}

mod in_two_steps {
    use waybill_domain::document::OrderDocument;

    use crate::bench::Account;

    waybill_connector::contract_tests!(OrderDocument, Account::open_with_details().await);
    waybill_connector::contract_tests!(OrderDocument, Account::open_with_details().await, [a_look_tells_what_was_lost]);
}
