//! Logs and traces, set up once per process.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::secret::environment;

/// Ends telemetry: sends what is held back. Keep it until the process ends.
#[derive(Debug)]
pub struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Sends what is held back.
    pub fn flush(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "traces could not be sent");
        }
    }
}

/// Sets up logs by `WAYBILL_LOG` (a filter, default `info`) and `WAYBILL_LOG_FORMAT` (`json` or `pretty`), and
/// traces over OTLP/gRPC if `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Call inside a Tokio runtime, once.
///
/// # Errors
/// If the filter, the format or the endpoint cannot be used, or telemetry is set up already.
pub fn start(service: &'static str) -> anyhow::Result<Telemetry> {
    let filter = environment("WAYBILL_LOG").unwrap_or_else(|| "info,async_nats=warn,sqlx=warn".to_owned());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| anyhow::anyhow!("WAYBILL_LOG '{filter}' is not a filter: {error}"))?;
    let format = environment("WAYBILL_LOG_FORMAT").unwrap_or_else(|| "pretty".to_owned());
    let logs = match format.as_str() {
        "json" => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
        "pretty" => tracing_subscriber::fmt::layer().with_writer(std::io::stderr).boxed(),
        other => anyhow::bail!("WAYBILL_LOG_FORMAT '{other}' is neither json nor pretty"),
    };
    let mut provider =
        SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(service).build());
    if let Some(endpoint) = environment("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|text| !text.is_empty()) {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        provider = provider.with_batch_exporter(exporter);
    }
    let provider = provider.build();
    // Ids are made even where nothing is exported, so that logs and receipts can be joined by them.
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("waybill"));
    tracing_subscriber::registry().with(filter).with(traces).with(logs).try_init()?;
    Ok(Telemetry(provider))
}
