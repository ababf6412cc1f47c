"""The one mark-up that sentences to a learner use: code between backticks."""

from html import escape


def as_html(text: str) -> str:
    """Escaped, with `code` set as code. A stray backtick stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(
        f"<code>{escape(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def as_text(text: str) -> str:
    """For a terminal: `code` between quotation marks. A stray backtick stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return text
    return "".join(f"“{part}”" if place % 2 else part for place, part in enumerate(parts))
