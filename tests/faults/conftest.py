"""What the tests of faults share."""

import sys

from tests.support.postgres import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # descriptors, signals and limits as POSIX has them
