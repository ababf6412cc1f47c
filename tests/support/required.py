"""What must not be missing on this machine, by BPDEMO_REQUIRE."""

import os


def required_words() -> frozenset[str]:
    return frozenset(os.environ.get("BPDEMO_REQUIRE", "").replace(",", " ").split())
