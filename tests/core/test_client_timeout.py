"""What a header may say of the time its caller waits."""

import pytest

from bpdemo.core.client_timeout import client_timeout_s


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1", 0.001),
        (b"500", 0.5),
        (b"0500", 0.5),
        (b"3600000", 3600.0),
        (b"3600001", None),
        (b"0", None),
        (b"-1", None),
        (b"1.5", None),
        (b" 5", None),
        (b"", None),
        (b"\xb2", None),
        (b"9" * 5000, None),
    ],
)
def test_whole_milliseconds_from_one_to_an_hour(value: bytes, seconds: float | None) -> None:
    """And nothing else, however long it is."""
    assert client_timeout_s(value) == seconds
