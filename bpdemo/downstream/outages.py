"""Which errors mean that PostgreSQL is away, and how they are told."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from bpdemo.core.errors import DependencyError, SettingsInvalid

#: Worth another try. What is not listed is a mistake of ours, and stays what it is.
OUTAGES = (
    OSError,  # no route, refused, reset, no such socket; TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # too many clients, disk full
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement timeout, cancelled
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.ReadOnlySQLTransactionError,  # a standby that took over, or has to
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,  # the server broke off in the middle of its answer
)


def is_outage(error: BaseException) -> bool:
    if isinstance(error, asyncpg.InterfaceError):
        # The bare class: the connection was lost between two calls. Its subclasses are mistakes.
        return type(error) is asyncpg.InterfaceError
    return isinstance(error, OUTAGES)


@contextmanager
def outages_told() -> Iterator[None]:
    """Turns an outage inside the block into `DependencyError`, chained.

    The text names no address: it reaches those who ordered.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        raise DependencyError(f"The database did not answer ({type(error).__name__}).") from error


@contextmanager
def startup_told() -> Iterator[None]:
    """Turns everything that keeps a database from being used into one line without its password."""
    try:
        yield
    except (TimeoutError, asyncpg.PostgresError) as error:
        # The server's details and hints come on lines of their own.
        reason = " ".join(str(error).split()) or "it did not answer in time"
        raise SettingsInvalid("database_url", f"cannot use this database: {reason}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsInvalid("database_url", f"cannot reach PostgreSQL: {reason}") from error
    except (ValueError, OverflowError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        # Their text quotes the URL, and so perhaps the password.
        raise SettingsInvalid(
            "database_url", "is not a PostgreSQL URL (postgresql://user:password@host:port/name)"
        ) from None
