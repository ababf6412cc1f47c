"""The sections of the benchmark: each measures one claim, and can run alone."""
