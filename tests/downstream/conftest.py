"""What the tests of the downstream share."""

from tests.support.pgbouncer import direct_url, fresh_database, pooled_url, pooler
from tests.support.postgres import database_url, postgres_server

__all__ = [
    "database_url",
    "direct_url",
    "fresh_database",
    "pooled_url",
    "pooler",
    "postgres_server",
]
