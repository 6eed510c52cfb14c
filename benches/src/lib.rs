//! Nothing but the micro-benchmarks in `benches/`.
