"""Ids of orders: version 4 UUIDs, from a stream of chance that may be repeated."""

from random import Random

#: Bits 76 to 79 tell the version, 62 and 63 the variant (RFC 9562, section 5.4).
KEPT = ~(0xF << 76 | 0x3 << 62)
VERSION_4 = 0x4 << 76 | 0x2 << 62


def new_order_id(rng: Random) -> str:
    """The same text as `str(UUID(int=rng.getrandbits(128), version=4))`, in half of the time."""
    digits = f"{rng.getrandbits(128) & KEPT | VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
