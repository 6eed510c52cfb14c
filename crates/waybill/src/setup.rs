//! `waybill setup`: the vendors' side.

use std::{collections::BTreeMap, io::Write as _, process::ExitCode};

use anyhow::Context as _;
use connector_hubspot::HubSpot;
use connector_pagerduty::PagerDuty;
use connector_shipstation::ShipStation;
use connector_shopify::{Shopify, setup::Line};
use connector_slack::Slack;
use connector_tryton::Tryton;
use connector_webhook::Webhook;
use waybill_connector::{SystemSettings, sink::Check};
use waybill_domain::{SystemName, descriptor::Descriptor};
use waybill_plan::{Plan, System};
use waybill_runtime::{SystemClock, secret};

use crate::plan;

/// What `setup` needs.
#[derive(Debug, clap::Args)]
pub(crate) struct SetupArguments {
    #[command(flatten)]
    plan: crate::PlanFile,
    /// Where Shopify reaches shopify-ingest, up to and with `/webhooks`; the store's name is appended. Without it
    /// webhook subscriptions are left alone.
    #[arg(long, env = "WAYBILL_CALLBACK", value_name = "https://…/webhooks")]
    callback: Option<String>,
}

pub(crate) async fn run(arguments: SetupArguments) -> anyhow::Result<ExitCode> {
    let plan = plan::read(&arguments.plan.plan)?;
    let callback = arguments.callback.as_deref().filter(|url| !url.is_empty());
    let mut out = std::io::stdout();
    let mut failed = false;
    for (name, system) in &plan.systems {
        match one(&plan, name, system, callback).await {
            Ok((lines, fine)) => {
                failed |= !fine;
                for line in lines {
                    writeln!(out, "{name}: {line}")?;
                }
            }
            Err(error) => {
                failed = true;
                writeln!(out, "{name}: FAILED: {error:#}")?;
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What was done, and whether all is fine.
async fn one(
    plan: &Plan,
    name: &SystemName,
    system: &System,
    callback: Option<&str>,
) -> anyhow::Result<(Vec<String>, bool)> {
    let settings = |descriptor: &Descriptor| -> anyhow::Result<SystemSettings> {
        let (written, references) = system.split(descriptor);
        let mut values = BTreeMap::new();
        for (setting, text) in written {
            let value = secret::plain(&text).with_context(|| format!("setting '{setting}'"))?;
            values.insert(setting, value);
        }
        let mut secrets = BTreeMap::new();
        for (setting, reference) in references {
            let resolved = secret::resolve(&reference).with_context(|| format!("setting '{setting}'"))?;
            secrets.insert(setting, resolved);
        }
        Ok(SystemSettings::new(name.clone(), descriptor, values, secrets)?)
    };
    let checked = |lines: &[&str]| (lines.iter().map(|&line| line.to_owned()).collect(), true);
    match system.connector.as_str() {
        "shopify" => {
            let shopify = Shopify::new(&settings(&connector_shopify::descriptor())?)?;
            let Some(callback) = callback else {
                shopify.check().await?;
                return Ok(checked(&["the token works; webhook subscriptions are left alone without --callback"]));
            };
            let store = plan.store_of(name).with_context(|| "no store of the plan uses it")?;
            let lines = shopify.set_up(&format!("{}/{store}", callback.trim_end_matches('/'))).await?;
            let fine = !lines.iter().any(|line| matches!(line, Line::Missing(_)));
            Ok((lines.iter().map(ToString::to_string).collect(), fine))
        }
        "hubspot" => {
            let hubspot = HubSpot::new(&settings(connector_hubspot::descriptor())?)?;
            Ok((hubspot.setup(&custom_properties(plan, name)).await?, true))
        }
        "tryton" => {
            Tryton::new(&settings(&connector_tryton::descriptor().clone())?)?.check().await?;
            Ok(checked(&["the login works"]))
        }
        "shipstation" => {
            ShipStation::new(&settings(&connector_shipstation::descriptor())?)?.check().await?;
            Ok(checked(&["the API key works"]))
        }
        "pagerduty" => {
            PagerDuty::new(&settings(&connector_pagerduty::descriptor())?)?.check().await?;
            Ok(checked(&["the routing key works"]))
        }
        "slack" => {
            Slack::new(&settings(&connector_slack::descriptor())?)?.check().await?;
            Ok(checked(&["the webhook works"]))
        }
        "webhook" => {
            let clock = std::sync::Arc::new(SystemClock);
            Webhook::new(&settings(&connector_webhook::descriptor())?, clock)?.check().await?;
            Ok(checked(&["the receiver answers"]))
        }
        other => anyhow::bail!("no connector '{other}'"),
    }
}

/// The properties of the merchant's own making that the plan maps.
fn custom_properties(plan: &Plan, system: &SystemName) -> Vec<connector_hubspot::NewProperty> {
    use connector_hubspot::{NewProperty, PropertyKind, PropertyOwner};
    use waybill_domain::{Kind, descriptor::Capability};
    let known = |of: Capability, name: &str| {
        connector_hubspot::descriptor().fields.iter().any(|field| field.of == of && field.name == name)
    };
    let mut properties: Vec<NewProperty> = Vec::new();
    for flow in plan.flows.iter().filter(|flow| flow.to == *system) {
        let (owner, of) = match flow.kind {
            Kind::Customer => (PropertyOwner::Contact, Capability::CustomerSink),
            Kind::Order => (PropertyOwner::Order, Capability::OrderSink),
            Kind::Shipment => (PropertyOwner::Order, Capability::ShipmentSink),
            _ => continue,
        };
        let fields = flow.field_names().map(|name| (owner, of, name));
        let customers =
            flow.customer_field_names().map(|name| (PropertyOwner::Contact, Capability::CustomerSink, name));
        for (owner, of, name) in fields.chain(customers) {
            if known(of, name) || properties.iter().any(|p| p.owner == owner && p.name == name) {
                continue;
            }
            let kind = if name.ends_with("_at") || name.contains("date") {
                PropertyKind::DateTime
            } else if name.contains("total") || name.contains("count") || name.ends_with("orders") {
                PropertyKind::Number
            } else {
                PropertyKind::Text
            };
            let label = name.replace('_', " ");
            properties.push(NewProperty { owner, name: name.to_owned(), label, kind });
        }
    }
    properties
}
