"""What the tests of the downstream share."""

from tests.support.postgres import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
