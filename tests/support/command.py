"""The command line, called in this process."""

from collections.abc import Callable

#: Takes the words after `bpdemo`; gives exit code, standard output, standard error.
Run = Callable[..., tuple[int, str, str]]
