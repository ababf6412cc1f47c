"""Ids of orders are version 4 UUIDs."""

from random import Random
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from bpdemo.service.order_ids import new_order_id


@given(st.integers(0, 2**128 - 1))
def test_an_id_is_the_uuid_of_its_bits(bits: int) -> None:
    """To the letter, whatever was drawn."""

    class Drawn(Random):
        def getrandbits(self, k: int, /) -> int:
            assert k == 128
            return bits

    told = new_order_id(Drawn())
    assert told == str(UUID(int=bits, version=4))
    assert (UUID(told).version, UUID(told).variant) == (4, RFC_4122)
