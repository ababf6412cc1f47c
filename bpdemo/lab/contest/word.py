"""The word of a challenge, as everybody who says it means it."""

import re
import unicodedata


def plain_word(word: str) -> str:
    """As it counts: letters and digits only, in capitals. ValueError if nothing is left."""
    plain = "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", word))).upper()[:16]
    if not plain:
        raise ValueError(f"word: {word!r} has no letter")
    return plain
