"""What the service tells about itself: Prometheus metrics, structlog lines, OpenTelemetry spans.

Everything here listens: it hears the events of `bpdemo.core.events` and never steers. Nothing is
global, so that two services can live side by side in one process.

Uses `core` alone. Begin with `telemetry.py`, which puts the parts together.
"""
