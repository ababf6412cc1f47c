"""The words everything else is said in: model, events, ports, errors, settings."""
