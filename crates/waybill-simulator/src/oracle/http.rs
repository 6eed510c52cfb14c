//! Asking over HTTP, as any client of the vendors would.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// How often a limit is waited out.
const PATIENCE: usize = 60;

/// A text in a document, by its path.
pub(super) fn text(document: &Value, path: &[&str]) -> anyhow::Result<String> {
    let mut at = document;
    for name in path {
        at = &at[name];
    }
    at.as_str().map(str::to_owned).with_context(|| format!("{} is not told", path.join(".")))
}

/// Sends a request until it is answered with 200, waiting where the vendor asks for it.
pub(super) async fn answer(request: impl Fn() -> reqwest::RequestBuilder) -> anyhow::Result<Value> {
    for _ in 0..PATIENCE {
        let answer = request().send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json().await?);
        }
        if status.as_u16() != 429 {
            bail!("{status}: {}", answer.text().await.unwrap_or_default());
        }
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
    }
    bail!("the limit was not lifted in time")
}
