"""The form of a question; where no kernel is, what stands in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets


class AskedForm(widgets.VBox):  # type: ignore[misc]
    """Widgets below one another. `printed`, in HTML, is shown where widgets cannot be."""

    def __init__(self, children: Sequence[Any], printed: str) -> None:
        super().__init__(children)
        self._printed = printed

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/html": self._printed} if bundle else bundle
