"""A real PostgreSQL, to which the service goes with a password."""

from tests.support.postgres import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
