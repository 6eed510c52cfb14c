#!/usr/bin/env python3
"""Makes admin-2026-07-trimmed.graphql from Shopify's public Admin GraphQL schema.

Usage: trim.py FULL_SCHEMA > admin-2026-07-trimmed.graphql

Keeps the root fields and object types named below, and every input, enum and scalar that they still mention. A field
whose type is not kept is dropped, so a document that asks for it is refused, never answered wrongly. Descriptions and
deprecation notes are left out. Nothing is added or renamed: the result is a subset of the source.
"""

import re
import sys

QUERIES = """
    bulkOperation currentBulkOperation currentAppInstallation customer customers fulfillment fulfillmentOrder fulfillmentOrders inventoryItem
    inventoryItems inventoryLevel location locations node nodes order orders product products productVariant
    productVariants refund shop webhookSubscription webhookSubscriptions webhookSubscriptionsCount ordersCount
    customersCount productsCount
""".split()

MUTATIONS = """
    bulkOperationCancel bulkOperationRunQuery fulfillmentCancel fulfillmentCreate fulfillmentTrackingInfoUpdate
    inventorySetQuantities metafieldsSet orderUpdate productVariantsBulkUpdate tagsAdd tagsRemove
    webhookSubscriptionCreate webhookSubscriptionDelete webhookSubscriptionUpdate
""".split()

# Each brings its Connection and Edge along.
OBJECTS = """
    AccessScope BulkOperation OrderAgreement RefundAgreement AdditionalFee AppInstallation App Attribute AutomaticDiscountApplication CashRoundingAdjustment Count
    Customer CustomerEmailAddress
    CustomerEmailMarketingConsentState CustomerPhoneNumber CustomerSmsMarketingConsentError DiscountAllocation
    DiscountCodeApplication Duty Fulfillment FulfillmentLineItem FulfillmentOrder FulfillmentOrderAssignedLocation
    FulfillmentOrderDestination FulfillmentOrderLineItem FulfillmentOrderSupportedAction FulfillmentTrackingInfo
    DeliveryMethod InventoryAdjustmentGroup InventoryChange InventoryItem InventoryItemMeasurement InventoryLevel
    InventoryQuantity LineItem LineItemGroup Location LocationAddress MailingAddress ManualDiscountApplication Metafield
    MoneyBag MoneyV2 Order OrderAdjustment OrderCancellation OrderTransaction PageInfo PricingPercentageValue Product
    ProductVariant Refund RefundDuty RefundLineItem RefundShippingLine ScriptDiscountApplication SelectedOption
    ShippingLine Shop ShopAddress ShopPlan Domain TaxLine WebhookEventBridgeEndpoint WebhookHttpEndpoint
    WebhookPubSubEndpoint WebhookSubscription Weight ApiVersion UserError FulfillmentHold
""".split()

INTERFACES = "DiscountApplication DisplayableError HasMetafields LegacyInteroperability Node SalesAgreement".split()
UNIONS = "PricingValue WebhookSubscriptionEndpoint".split()
BUILT_IN = set("Boolean Float ID Int String".split())

DEFINITION = re.compile(
    r"^(?:type|interface|input|enum|union|scalar|directive|schema)\b.*?"
    r"(?=^(?:type|interface|input|enum|union|scalar|directive|schema)\b|\Z)",
    re.S | re.M,
)
MEMBER = re.compile(r"^  (\w+)(\(.*?^  \))?((?::[^\n]*)?)$", re.S | re.M)


def without_notes(text):
    text = re.sub(r'"""(?:[^"\\]|\\.|"(?!""))*"""', "", text, flags=re.S)
    text = re.sub(r' @deprecated\(reason: "(?:[^"\\]|\\.)*"\)', "", text)
    return re.sub(r"\n\s*\n+", "\n", text)


def base(type_text):
    return re.search(r"\w+", type_text.split("=")[0].split("@")[0]).group(0)


def argument_types(arguments):
    return [base(found) for found in re.findall(r"^    \w+: ([^\n]+)$", arguments or "", re.M)]


def main():
    text = without_notes(open(sys.argv[1], encoding="utf-8").read())
    definitions = {}
    for found in DEFINITION.findall(text):
        kind, name = re.match(r"(\w+) @?(\w+)", found).groups() if not found.startswith("schema") else ("schema", "schema")
        definitions[(kind == "directive", name)] = (kind, found.strip())

    def get(name):
        return definitions.get((False, name))

    outputs = set(INTERFACES) | set(UNIONS) | set(OBJECTS)
    outputs |= {name + end for name in OBJECTS for end in ("Connection", "Edge") if get(name + end)}
    outputs |= {mutation[0].upper() + mutation[1:] + "Payload" for mutation in MUTATIONS}
    outputs |= {
        name + "UserError"
        for name in ("BulkOperation", "InventorySetQuantities", "MetafieldsSet", "ProductVariantsBulkUpdate")
    }
    outputs |= {"SalesAgreementConnection", "SalesAgreementEdge"}
    missing = sorted(name for name in outputs if not get(name))
    if missing:
        sys.exit("not in the schema: " + ", ".join(missing))
    roots = {"QueryRoot": QUERIES, "Mutation": MUTATIONS}

    written, leaves, kept = [], [], set()

    def leaf(name):
        if name in BUILT_IN or name in kept:
            return
        kept.add(name)
        kind, body = get(name)
        if kind == "input":
            for member in MEMBER.findall(body):
                leaf(base(member[2]))
        leaves.append(body)

    for name in list(roots) + sorted(outputs):
        kind, body = get(name)
        head = body.split("\n")[0]
        if kind == "union":
            members = [m for m in re.findall(r"\w+", body.split("=")[1]) if m in outputs]
            written.append(f"union {name} = " + " | ".join(members))
            continue
        if " implements " in head:
            start, rest = head.rstrip(" {").split(" implements ")
            held = [interface for interface in re.findall(r"\w+", rest) if interface in INTERFACES]
            head = start + (" implements " + " & ".join(held) if held else "") + " {"
        fields = []
        for field, arguments, type_text in MEMBER.findall(body):
            if name in roots and field not in roots[name]:
                continue
            result = base(type_text)
            if result not in outputs and (not get(result) and result not in BUILT_IN):
                sys.exit(f"{name}.{field}: unknown type {result}")
            if result not in outputs and result not in BUILT_IN and get(result)[0] not in ("enum", "scalar"):
                continue
            for used in argument_types(arguments) + ([] if result in outputs else [result]):
                leaf(used)
            fields.append(f"  {field}{arguments}{type_text}")
        if name in roots:
            found = {re.match(r"  (\w+)", field).group(1) for field in fields}
            if found != set(roots[name]):
                sys.exit(f"{name}: not found: {sorted(set(roots[name]) - found)}")
        if not fields:
            sys.exit(f"{name} has no fields left")
        written.append("\n".join([head, *fields, "}"]))

    print("# Facts of Shopify's public Admin GraphQL schema, version 2026-07, made by trim.py. Not edited by hand.")
    print("schema {\n  query: QueryRoot\n  mutation: Mutation\n}")
    print(definitions[(True, "idempotent")][1])
    print("\n".join(written))
    print("\n".join(sorted(leaves)))


main()
