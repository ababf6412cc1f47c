"""Make or refresh .venv-bench, where the peers live: python benchmarks/environment.py

The peers are nobody's business but the benchmark's, so they stay out of .venv. It is made as
lab.py makes .venv, with the same progress and the same words when there is no network; needs
Python 3.11+ and nothing else.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import lab  # noqa: E402


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
    setup()
