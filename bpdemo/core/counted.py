"""A number with its noun: 1 worker, 2 workers."""


def counted(number: float, noun: str) -> str:
    return f"{number:.15g} {noun}" if number == 1 else f"{number:.15g} {noun}s"
