"""What JupyterLab and its kernels log that no learner can act on, and the filter that drops it.

Each is named by how it begins; everything else, and every error, is logged as ever.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

#: A lesson is unsigned until it is saved, and has no outputs to distrust; kernels listen on the
#: loopback address; a timeout is longer than Jupyter's own interval; Ctrl-C was the learner's.
NOISE: Final = re.compile(
    r"Notebook \S.* is not trusted$"
    r"|Kernel is running over TCP without encryption\."
    r"|The websocket_ping_timeout \(\d"
    r"|received signal \d+, stopping$"
)

#: For the option `logging_config` of an application of Jupyter's.
LOGGING: Final[dict[str, Any]] = {
    "filters": {"quiet": {"()": f"{__name__}.Quiet"}},
    "handlers": {"console": {"filters": ["quiet"]}},
}


class Quiet(logging.Filter):
    """Drops the noise. By a handler's filter, since some of it comes from other loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not NOISE.match(record.getMessage())
