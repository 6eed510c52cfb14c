# syntax=docker/dockerfile:1
# One image per service, by target: docker build --target erp-sync -t waybill/erp-sync .
# All programs are built once; each final image holds one service and the `waybill` command line, which checks its
# health and, in the last target, migrates and operates.

FROM rust:1.95.0-slim-bookworm AS build
# The image has the toolchain; without this, rust-toolchain.toml would have rustup fetch components that only
# developers need.
ENV RUSTUP_TOOLCHAIN=1.95.0 \
    CARGO_PROFILE_RELEASE_STRIP=symbols \
    CARGO_TERM_COLOR=never
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked \
        --package waybill \
        --package shopify-ingest \
        --package inventory-router \
        --package crm-sync \
        --package erp-sync \
        --package fulfilment-sync \
        --package alerter \
        --package console \
    && mkdir /programs \
    && for program in waybill shopify-ingest inventory-router crm-sync erp-sync fulfilment-sync alerter console; do \
        cp "target/release/$program" /programs/ || exit 1; \
    done

FROM debian:bookworm-slim AS runtime
# Vendors are called over TLS, checked against the system's certificates. Their version is the base image's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin waybill
COPY --from=build /programs/waybill /usr/local/bin/waybill
# Inside a container every interface is the container's own; what is reachable from outside is published by name.
ENV WAYBILL_PLAN=/etc/waybill/plan.toml \
    WAYBILL_HTTP=0.0.0.0:8080 \
    WAYBILL_GRPC=0.0.0.0:9090 \
    WAYBILL_LOG_FORMAT=json
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM

FROM runtime AS service
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/waybill", "health", "--url", "http://127.0.0.1:8080/readyz"]

FROM service AS shopify-ingest
COPY --from=build /programs/shopify-ingest /usr/local/bin/shopify-ingest
ENTRYPOINT ["/usr/local/bin/shopify-ingest"]

FROM service AS inventory-router
COPY --from=build /programs/inventory-router /usr/local/bin/inventory-router
ENTRYPOINT ["/usr/local/bin/inventory-router"]

FROM service AS crm-sync
COPY --from=build /programs/crm-sync /usr/local/bin/crm-sync
ENTRYPOINT ["/usr/local/bin/crm-sync"]

FROM service AS erp-sync
COPY --from=build /programs/erp-sync /usr/local/bin/erp-sync
ENTRYPOINT ["/usr/local/bin/erp-sync"]

FROM service AS fulfilment-sync
COPY --from=build /programs/fulfilment-sync /usr/local/bin/fulfilment-sync
ENTRYPOINT ["/usr/local/bin/fulfilment-sync"]

FROM service AS alerter
COPY --from=build /programs/alerter /usr/local/bin/alerter
ENTRYPOINT ["/usr/local/bin/alerter"]

FROM service AS console
COPY --from=build /programs/console /usr/local/bin/console
ENTRYPOINT ["/usr/local/bin/console"]

# Last, so that it is what `docker build .` makes: the command line, for migrations and operations.
FROM runtime AS waybill
ENTRYPOINT ["/usr/local/bin/waybill"]
CMD ["--help"]
