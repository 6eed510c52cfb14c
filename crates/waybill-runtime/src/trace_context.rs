//! W3C trace context as text, so that a trace crosses tables and NATS headers.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The current span's `traceparent`; empty if it is not recorded.
pub fn current() -> String {
    of(&Span::current())
}

/// A span's `traceparent`; empty if it is not recorded.
pub fn of(span: &Span) -> String {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove("traceparent").unwrap_or_default()
}

/// Makes a span the child of a `traceparent`, if it is one.
pub fn continue_from(span: &Span, traceparent: &str) {
    if traceparent.is_empty() {
        return;
    }
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // It fails only where no layer records traces, which is as intended.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}

/// The trace id within a `traceparent`, for logs and people; empty if it is none.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}
