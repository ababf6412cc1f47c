"""Usual wrong answers to the exercises of lesson 07: source, and some words of what it is told."""

WRONG: dict[str, dict[str, str]] = {
    "07a": {
        "def waits_too_long(before, after, limit_s):\n"
        "    return after['sum_s'] / after['count'] > limit_s\n": "the mean since the start",
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    return (after['sum_s'] - before['sum_s']) / new > limit_s\n": "division by zero",
        "def waits_too_long(before, after, limit_s):\n"
        "    return after['sum_s'] - before['sum_s'] > limit_s\n": "0.01 s each",
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    if not new:\n"
        "        return False\n"
        "    return (after['sum_s'] - before['sum_s']) / new > limit_s * 1000\n": (
            "Both in seconds"
        ),
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    return (after['sum_s'] - before['sum_s']) / new if new else 0.0\n": ("True or False"),
    },
    "07b": {
        "def culprit(spans):\n"
        "    return max(spans, key=lambda span: span['duration_ms'])['name']\n": (
            "always the longest"
        ),
        "def culprit(spans):\n"
        "    parents = {span['parent_id'] for span in spans}\n"
        "    leaves = [span for span in spans if span['span_id'] not in parents]\n"
        "    return max(leaves, key=lambda span: span['duration_ms'])['name']\n": (
            "not always to blame"
        ),
        "def culprit(spans):\n    return spans[0]\n": "the name of the span is asked for",
        "def culprit(spans):\n    return 'queue'\n": "not always to blame",
    },
    "07c": {
        "alert = {'wait_ms': 250, 'turned_away': 1.0, 'because': 'b'}\n": "so is the wait",
        "alert = {'wait_ms': 100000, 'turned_away': 0.2, 'because': 'b'}\n": "refuses nobody",
        "alert = {'wait_ms': 0, 'turned_away': 0.2, 'because': 'b'}\n": "alarm for nothing",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'a'}\n": "does not tell it at",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'c'}\n": "until the end",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'd'}\n": "quick refusals",
    },
}
