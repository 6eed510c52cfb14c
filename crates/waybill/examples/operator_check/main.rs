//! temporary
mod operator;
use clap::Parser;
#[derive(Debug, Parser)]
struct Line { #[command(subcommand)] command: operator::OperatorCommand }
#[tokio::main]
async fn main() -> anyhow::Result<std::process::ExitCode> {
    operator::run(Line::parse().command, &mut std::io::stdout(), &mut std::io::stderr()).await
}
