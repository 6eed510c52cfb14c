//! A plan with every key, and a change of each.

/// Every key that a plan can have.
pub(super) const PLAN: &str = r#"
since = 2026-01-01

[stores.main]
shop = "main.myshopify.com"
system = "shop"
channel = "retail"
webhook_secrets = ["env:MAIN_SECRET"]

[stores.trade]
shop = "trade.myshopify.com"
system = "trade-shop"
webhook_secrets = ["env:TRADE_SECRET"]

[systems.shop]
connector = "shopify"

[systems.trade-shop]
connector = "shopify"

[systems.erp]
connector = "books"
token = "env:TOKEN"
company = "Waldgang"
budget = { requests = 100, per_seconds = 10 }
concurrency = 3
paused = true
shadow = true
ask_above = 500
shares = { erp-sync = 0.7, inventory-router = 0.3 }

[systems.crm]
connector = "people"

[systems.shipping]
connector = "parcels"

[systems.phone]
connector = "pages"

[systems.chat]
connector = "chat"

[locations.vienna]
erp = "w1"
shop = "1"

[locations.graz]
erp = "w2"
shop = "2"

[tables.tax]
"AT VAT" = "V20"

[kinds.order]
owner = "store"
on_conflict = "park"
fields = { note = "crm" }

[kinds.customer]
owner = "store"
on_conflict = "theirs"

[kinds.product]
owner = "erp"
on_conflict = "owner"
fields = { images = "store" }

[customers]
counts = "order.captured"
match = ["email", { by = "phone", ask = true }, { field = "code", value = "customer.id" }]
on_match = ["firstname"]
phone_prefix = "+43"

[stock]
from = "erp"
quantity = "on_hand"
safety = 1
holds = [{ location = "vienna", sku = "TEE-*", units = 4 }]
sells = { trade = ["graz"] }
every_seconds = 30

[catalog]
from = "erp"
every_seconds = 40

[alerts]
pagers = ["phone", { to = "chat", from = "warning" }]
late_after_seconds = 900
expect = [{ stores = ["main"], from = "08:00", to = "20:00", zone = "Europe/Vienna", orders_per_hour = 5 }]

[[flows]]
name = "orders-to-erp"
kind = "order"
to = "erp"
stores = ["main"]
when = "order.captured"
since = 2026-02-01
timing = { at = "02:00", zone = "Europe/Vienna" }
late_after_seconds = 90000
on_edit = "amend"
on_leave = "cancel"
on_conflict = "owner"
retry = { tries = 7, hours = 5 }
approval = "order.total > decimal('500')"
point_of_no_return = "order.fulfillment_status == 'fulfilled'"
match = [{ field = "reference", value = "order.name", ask = true }]
[flows.lines]
item = "line.sku"
tax = 'lookup("tax", tax.title)'
charges = { shipping = "SHIP" }
[flows.fields]
name = "order.name"
comment = { value = "order.note", missing = "skip" }
origin = { value = "order.source_name or none", default = "web" }
language = { value = "order.locale", missing = "clear" }
[flows.customer_fields]
firstname = "customer.first_name"

[[flows]]
name = "orders-to-crm"
kind = "order"
to = "crm"
timing = { every_minutes = 15 }
buyer = { key = "store", name = "channel" }
[flows.fields]
title = "order.name"

[[flows]]
name = "orders-to-shipping"
kind = "order"
to = "shipping"
stores = ["main"]
after = ["erp"]
after_same_revision = true
timing = { hold_minutes = 20 }

[[flows]]
name = "parcels-to-crm"
kind = "shipment"
from = "shipping"
to = "crm"

[[flows]]
name = "stock-to-store"
kind = "stock-level"
to = "shop"

[[flows]]
name = "prices-to-store"
kind = "price"
to = "shop"
[flows.fields]
price = "price.amount"
"#;

/// A change to the text of each key. Each key's line is named by one at least.
pub(super) const CHANGES: &[(&str, &str)] = &[
    ("since = 2026-01-01", "since = 2026-01-02"),
    (
        "[stores.main]\nshop",
        "[stores.third]\nshop = \"x\"\nsystem = \"shop\"\nwebhook_secrets = [\"env:X\"]\n[stores.main]\nshop",
    ),
    ("\"main.myshopify.com\"", "\"other.myshopify.com\""),
    ("system = \"trade-shop\"", "system = \"shop\""),
    ("system = \"shop\"", "system = \"trade-shop\""),
    ("channel = \"retail\"", "channel = \"web\""),
    ("env:MAIN_SECRET", "env:OTHER_SECRET"),
    ("shop = \"trade.myshopify.com\"", "shop = \"b2b.myshopify.com\""),
    ("env:TRADE_SECRET", "env:OTHER_SECRET"),
    ("connector = \"shopify\"", "connector = \"shop\""),
    ("[systems.trade-shop]\nconnector = \"shopify\"", "[systems.trade-shop]\nconnector = \"shop\""),
    ("connector = \"books\"", "connector = \"ledger\""),
    ("connector = \"people\"", "connector = \"contacts\""),
    ("connector = \"parcels\"", "connector = \"boxes\""),
    ("connector = \"pages\"", "connector = \"bells\""),
    ("connector = \"chat\"", "connector = \"talk\""),
    ("env:TOKEN", "env:OTHER"),
    ("company = \"Waldgang\"", "company = \"Berggang\""),
    ("requests = 100", "requests = 99"),
    ("per_seconds = 10", "per_seconds = 11"),
    ("concurrency = 3", "concurrency = 2"),
    ("paused = true", "paused = false"),
    ("shadow = true", "shadow = false"),
    ("ask_above = 500", "ask_above = 501"),
    ("erp-sync = 0.7", "erp-sync = 0.6"),
    ("inventory-router = 0.3", "alerter = 0.3"),
    ("erp = \"w1\"", "erp = \"w9\""),
    ("shop = \"1\"", "shop = \"9\""),
    ("erp = \"w2\"", "erp = \"w9\""),
    ("shop = \"2\"", "shop = \"9\""),
    ("\"AT VAT\" = \"V20\"", "\"AT VAT\" = \"V19\""),
    ("\"AT VAT\" = \"V20\"", "\"DE VAT\" = \"V20\""),
    ("[tables.tax]", "[tables.other]\nx = \"y\"\n[tables.tax]"),
    ("[kinds.order]\nowner = \"store\"", "[kinds.order]\nowner = \"erp\""),
    ("on_conflict = \"park\"", "on_conflict = \"theirs\""),
    ("{ note = \"crm\" }", "{ note = \"erp\" }"),
    ("on_conflict = \"theirs\"", "on_conflict = \"park\""),
    ("[kinds.customer]\nowner = \"store\"", "[kinds.customer]\nowner = \"crm\""),
    ("[kinds.product]\nowner = \"erp\"", "[kinds.product]\nowner = \"store\""),
    ("on_conflict = \"owner\"\nfields", "on_conflict = \"park\"\nfields"),
    ("{ images = \"store\" }", "{ images = \"crm\" }"),
    ("counts = \"order.captured\"", "counts = \"not order.test\""),
    ("match = [\"email\", ", "match = ["),
    ("by = \"phone\", ask = true", "by = \"phone\", ask = false"),
    ("by = \"phone\"", "by = \"email\""),
    ("field = \"code\"", "field = \"number\""),
    ("value = \"customer.id\"", "value = \"customer.email\""),
    ("on_match = [\"firstname\"]", "on_match = \"merge\""),
    ("on_match = [\"firstname\"]", "on_match = \"create-second\""),
    ("phone_prefix = \"+43\"", "phone_prefix = \"+49\""),
    ("from = \"erp\"\n", "from = \"shipping\"\n"),
    ("quantity = \"on_hand\"", "quantity = \"available\""),
    ("safety = 1", "safety = 2"),
    ("location = \"vienna\"", "location = \"graz\""),
    ("sku = \"TEE-*\"", "sku = \"TEE-\""),
    ("units = 4", "units = 5"),
    ("sells = { trade = [\"graz\"] }", "sells = { trade = [\"vienna\"] }"),
    ("sells = { trade = [\"graz\"] }", "sells = { retail = [\"graz\"] }"),
    ("every_seconds = 30", "every_seconds = 31"),
    ("from = \"erp\"\nevery_seconds = 40", "from = \"shipping\"\nevery_seconds = 40"),
    ("every_seconds = 40", "every_seconds = 41"),
    ("pagers = [\"phone\", ", "pagers = [\"chat\", "),
    ("{ to = \"chat\", from = \"warning\" }", "{ to = \"phone\", from = \"warning\" }"),
    ("from = \"warning\"", "from = \"error\""),
    ("from = \"warning\"", "from = \"critical\""),
    ("late_after_seconds = 900\n", "late_after_seconds = 901\n"),
    ("expect = [{ stores = [\"main\"]", "expect = [{ stores = [\"trade\"]"),
    ("from = \"08:00\"", "from = \"09:00\""),
    ("to = \"20:00\"", "to = \"21:00\""),
    ("zone = \"Europe/Vienna\", orders", "zone = \"Europe/Berlin\", orders"),
    ("orders_per_hour = 5", "orders_per_hour = 6"),
    ("name = \"orders-to-erp\"", "name = \"orders-to-books\""),
    (
        "kind = \"order\"\nto = \"shipping\"\nstores = [\"main\"]\nafter = [\"erp\"]",
        "kind = \"refund\"\nto = \"shipping\"\nstores = [\"main\"]",
    ),
    (
        "kind = \"order\"\nto = \"erp\"\nstores = [\"main\"]",
        "kind = \"order\"\nto = \"erp\"\nstores = [\"main\", \"trade\"]",
    ),
    ("when = \"order.captured\"", "when = \"not order.test\""),
    ("since = 2026-02-01", "since = 2026-02-02"),
    ("at = \"02:00\"", "at = \"03:00\""),
    ("zone = \"Europe/Vienna\" }\nlate", "zone = \"Europe/Berlin\" }\nlate"),
    ("late_after_seconds = 90000", "late_after_seconds = 90001"),
    ("on_edit = \"amend\"", "on_edit = \"update\""),
    ("on_edit = \"amend\"", "on_edit = \"park\""),
    ("on_edit = \"amend\"", "on_edit = \"ignore\""),
    ("on_leave = \"cancel\"", "on_leave = \"update\""),
    ("on_leave = \"cancel\"", "on_leave = \"park\""),
    ("on_conflict = \"owner\"\nretry", "on_conflict = \"park\"\nretry"),
    ("on_conflict = \"owner\"\nretry", "on_conflict = \"theirs\"\nretry"),
    ("tries = 7", "tries = 8"),
    ("hours = 5", "hours = 6"),
    ("decimal('500')", "decimal('501')"),
    ("== 'fulfilled'", "== 'partial'"),
    ("field = \"reference\"", "field = \"number\""),
    ("field = \"reference\", value = \"order.name\"", "field = \"reference\", value = \"order.id\""),
    ("value = \"order.name\", ask = true", "value = \"order.name\", ask = false"),
    ("item = \"line.sku\"", "item = \"line.id\""),
    ("tax = 'lookup(\"tax\", tax.title)'", "tax = \"tax.title\""),
    ("charges = { shipping = \"SHIP\" }", "charges = { shipping = \"POST\" }"),
    ("charges = { shipping = \"SHIP\" }", "charges = { tip = \"SHIP\" }"),
    ("name = \"order.name\"\ncomment", "title = \"order.name\"\ncomment"),
    ("name = \"order.name\"\ncomment", "name = \"order.id\"\ncomment"),
    ("value = \"order.note\"", "value = \"order.locale\""),
    ("missing = \"skip\"", "missing = \"clear\""),
    ("missing = \"clear\"", "missing = \"error\""),
    ("missing = \"skip\"", "missing = \"error\""),
    ("default = \"web\"", "default = \"shop\""),
    ("value = \"order.source_name or none\"", "value = \"order.source_name\""),
    ("firstname = \"customer.first_name\"", "firstname = \"customer.last_name\""),
    ("firstname = \"customer", "lastname = \"customer"),
    ("to = \"crm\"\ntiming", "to = \"chat\"\ntiming"),
    ("every_minutes = 15", "every_minutes = 16"),
    ("key = \"store\"", "key = \"channel\""),
    ("name = \"channel\"", "name = \"store\""),
    ("title = \"order.name\"", "title = \"order.id\""),
    ("name = \"orders-to-crm\"", "name = \"orders\""),
    ("name = \"orders-to-shipping\"", "name = \"to-shipping\""),
    ("kind = \"order\"\nto = \"shipping\"", "kind = \"order\"\nto = \"chat\""),
    ("stores = [\"main\"]\nafter", "after"),
    ("after = [\"erp\"]", "after = [\"crm\"]"),
    ("after_same_revision = true", "after_same_revision = false"),
    ("hold_minutes = 20", "hold_minutes = 21"),
    ("name = \"parcels-to-crm\"", "name = \"parcels\""),
    ("kind = \"shipment\"\nfrom = \"shipping\"", "kind = \"refund\""),
    ("from = \"shipping\"", "from = \"erp\""),
    ("from = \"shipping\"\nto = \"crm\"", "from = \"shipping\"\nto = \"chat\""),
    ("name = \"stock-to-store\"", "name = \"stock\""),
    ("kind = \"stock-level\"", "kind = \"shipment\""),
    ("kind = \"stock-level\"\nto = \"shop\"", "kind = \"refund\"\nto = \"chat\""),
    ("name = \"prices-to-store\"", "name = \"prices\""),
    ("kind = \"price\"\nto = \"shop\"", "kind = \"price\"\nto = \"chat\""),
    ("price = \"price.amount\"", "cost = \"price.amount\""),
    ("\"price.amount\"", "\"round(price.amount, 2)\""),
];
