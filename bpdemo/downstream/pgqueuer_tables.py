"""PgQueuer as this project uses it: its names, its tables, its queries on a connection of ours."""

from typing import Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

#: What PgQueuer calls the kind of a job.
ENTRYPOINT = "orders"


class _Names(DBSettings):
    """PgQueuer's usual names, whatever the environment says: all processes must agree on them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the five are pydantic's contract
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


NAMES = _Names()
#: Fails where its tables are there already: look first.
INSTALL = QueryBuilderEnvironment(NAMES).build_install_query()


def queries_on(connection: Any) -> Queries:
    """PgQueuer's statements over an asyncpg connection; in its transaction, if it is in one."""
    return Queries(
        AsyncpgDriver(connection), qbe=QueryBuilderEnvironment(NAMES), qbq=QueryQueueBuilder(NAMES)
    )
