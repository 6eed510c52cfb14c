//! Counts and gauges in Prometheus' text format.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

/// A process's counts and gauges. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<(&'static str, String), i64>>>);

impl Metrics {
    /// Adds to a count. Names end in `_total`; labels hold names of the plan and codes, never ids of records.
    pub fn add(&self, name: &'static str, labels: &[(&str, &str)], by: i64) {
        *self.lock().entry((name, text(labels))).or_insert(0) += by;
    }

    /// Sets a gauge.
    pub fn set(&self, name: &'static str, labels: &[(&str, &str)], to: i64) {
        self.lock().insert((name, text(labels)), to);
    }

    /// Everything, one line each.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let mut last = "";
        for ((name, labels), value) in self.lock().iter() {
            if *name != last {
                let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
                let _ = writeln!(out, "# TYPE {name} {kind}");
                last = name;
            }
            let _ = writeln!(out, "{name}{labels} {value}");
        }
        out
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(&'static str, String), i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn counts_and_gauges_are_told_with_their_labels() {
        let metrics = Metrics::default();
        metrics.add("waybill_attempts_total", &[("system", "erp"), ("outcome", "applied")], 2);
        metrics.add("waybill_attempts_total", &[("system", "erp"), ("outcome", "applied")], 1);
        metrics.set("waybill_gap", &[], -1);
        assert_eq!(
            metrics.render(),
            "# TYPE waybill_attempts_total counter\n\
             waybill_attempts_total{system=\"erp\",outcome=\"applied\"} 3\n\
             # TYPE waybill_gap gauge\nwaybill_gap -1\n"
        );
    }
}
