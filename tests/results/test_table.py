"""A frame in a learner's hands is one of pandas in all else."""

from bpdemo.results.table import Table


def test_an_expression_sees_the_local_variables_of_who_asks():
    """By `@name`, as with pandas: the frame stands between the two and is neither."""
    bound = 3  # noqa: F841 (by the expressions)
    table = Table({"a": [1, 5], "b": [2, 2]})
    assert table.query("a > @bound").a.tolist() == [5]
    assert table.eval("a + @bound").tolist() == [4, 8]
    assert isinstance(table.query("a > @bound"), Table)
