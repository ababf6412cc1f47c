"""Where everything is: each path of the service, written once."""

from typing import Final

PAGE: Final = "/"
HEALTHZ: Final = "/healthz"
READYZ: Final = "/readyz"
METRICS: Final = "/metrics"
STATS: Final = "/stats"
SETTINGS: Final = "/settings"
DOCS: Final = "/docs"
ITEMS: Final = "/items"
ITEM: Final = ITEMS + "/{id}"
ORDERS: Final = "/orders"
ORDER: Final = ORDERS + "/{id}"

#: Limits apply to these and to all that is below them, whether it exists or not.
LIMITED: Final = (ITEMS, ORDERS)
