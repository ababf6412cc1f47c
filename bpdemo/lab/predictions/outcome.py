"""What `reveal` shows: the outcome beside the prediction, and a line for an explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bpdemo.lab.predictions.printed import PRINTED
from bpdemo.lab.subshells import keep_subshells

ASKED: Final = "Why? Explain it in one sentence, before you read on. (Kept for your own page.)"


class RevealedOutcome:
    """`data` is the HTML. Displayed in a notebook, a line to write in stands below it.

    `explain` is given what was written, when the line is left or Enter is pressed. `printed` is the
    HTML for a page that nothing runs behind.
    """

    def __init__(
        self, data: str, explanation: str, explain: Callable[[str], None], printed: str = ""
    ) -> None:
        self.data = data
        self._printed = printed
        self._explanation = explanation
        self._explain = explain

    def _repr_html_(self) -> str:
        return self.data

    def _ipython_display_(self) -> None:
        import ipywidgets as widgets
        from IPython.display import HTML, display

        from bpdemo.lab.heard import heard

        outcome = HTML(self.data)  # type: ignore[no-untyped-call]
        # Beside the HTML, which IPython adds.
        outcome._repr_mimebundle_ = lambda **_: {PRINTED: self._printed}  # type: ignore[attr-defined]
        display(outcome)  # type: ignore[no-untyped-call]
        display(heard(widgets.VBox([self.line()])))  # type: ignore[no-untyped-call]

    def line(self) -> Any:
        """The line to write in, with what was written before."""
        import ipywidgets as widgets

        keep_subshells()
        line = widgets.Text(
            value=self._explanation,
            placeholder=ASKED,
            continuous_update=False,
            layout=widgets.Layout(width="60em", max_width="calc(100% - 4px)"),
        )
        line.observe(self._heard, "value")
        return line

    def _heard(self, change: Any) -> None:
        self._explanation = str(change["new"]).strip()
        self._explain(self._explanation)
