"""The workshop on backpressure: a real service, driven into overload and taught to survive it."""

__version__ = "0.1.0"


def _import_undisturbed() -> None:
    # FastAPI imports OpenTelemetry, which reads the environment of a shell or a kernel then.
    import os

    if any(name.startswith("OTEL_") for name in os.environ):
        from bpdemo.core.foreign_variables import import_undisturbed

        import_undisturbed()


_import_undisturbed()
