//! A health check without curl.

use std::process::ExitCode;

/// Succeeds if the service answers 2xx.
pub(crate) async fn run(url: &str) -> anyhow::Result<ExitCode> {
    let answer = reqwest::Client::builder().timeout(std::time::Duration::from_secs(5)).build()?.get(url).send().await?;
    if answer.status().is_success() {
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::bail!("{url}: {}: {}", answer.status(), answer.text().await.unwrap_or_default().trim())
}
