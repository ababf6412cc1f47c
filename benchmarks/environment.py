"""Make or refresh .venv-bench, where the peers live: python benchmarks/environment.py [SECTION …]

The peers are nobody's business but the benchmark's, so they stay out of .venv. It is made as
lab.py makes .venv, with the same progress and the same words when there is no network; needs
Python 3.11+ and nothing else. A section that does not exist is refused before anything is fetched.
"""

import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import lab  # noqa: E402
from benchmarks.sections import complaint  # noqa: E402


def main(arguments: list[str]) -> int:
    """Exit code: 2 if there is no such section."""
    if told := complaint(sections_in(arguments)):
        print(told, file=sys.stderr)
        return 2
    setup()
    return 0


def sections_in(arguments: list[str]) -> list[str]:
    """What is neither an option nor the value of one."""
    options = ("--size", "--out")
    pairs = pairwise(["", *arguments])
    return [word for before, word in pairs if word[:1] != "-" and before not in options]


def setup() -> None:
    lab.VENV = ROOT / ".venv-bench"
    lab.BIN = lab.VENV / lab.BIN.name
    lab.PYTHON = lab.BIN / lab.PYTHON.name
    lab.STAMP = lab.VENV / lab.STAMP.name
    lab.LOG = lab.VENV / lab.LOG.name
    lab.REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
    lab.check_python()
    lab.setup()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
