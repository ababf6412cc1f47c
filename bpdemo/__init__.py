"""The workshop on backpressure: a real service, driven into overload and taught to survive it."""

__version__ = "0.1.0"
