"""A frame in a learner's hands is one of pandas in all else."""

from typing import Any

from bpdemo.results.table import Table


def test_an_expression_sees_the_local_variables_of_who_asks() -> None:
    """By `@name`, as with pandas: the frame stands between the two and is neither."""
    bound = 3  # noqa: F841 (by the expressions)
    table: Any = Table({"a": [1, 5], "b": [2, 2]})
    assert list(table.query("a > @bound")["a"]) == [5]
    assert list(table.eval("a + @bound")) == [4, 8]
    assert isinstance(table.query("a > @bound"), Table)


def test_a_sentence_in_a_cell_is_shown_whole() -> None:
    """Pandas cuts after fifty characters."""
    detail = "; ".join(4 * ["Too many orders wait for a worker"])
    assert detail in str(Table({"detail": [detail]})._repr_html_())
