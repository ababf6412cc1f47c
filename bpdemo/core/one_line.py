"""An error as one line, for a person."""


def in_one_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
