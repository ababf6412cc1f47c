"""Usual wrong answers to the exercises of lesson 03: source, and some words of what it is told."""

WRONG: dict[str, dict[str, str]] = {
    "03c": {
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > target_s\n": "A long wait alone is no reason",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return standing_s > interval_s\n": "A standing line alone is no reason",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > target_s or standing_s > interval_s\n": "what a queue is for",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return False\n": "nothing is shed",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > 0.02 and standing_s > 0.2\n": "target 0.2, interval 2",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > 2 * target_s and standing_s > 2 * interval_s\n": (
            "Both are over their limit here"
        ),
    },
    "03b": {
        'settings = {"queue_discipline": "fifo", "queue_capacity": 17, "because": "d"}\n': (
            "too long for a slower one"
        ),
        'settings = {"queue_discipline": "fifo", "queue_capacity": 32, "because": "d"}\n': (
            "too long for a slower one"
        ),
        'settings = {"queue_discipline": "fifo", "queue_capacity": -1, "because": "d"}\n': (
            "Oldest first, that is everybody"
        ),
        'settings = {"queue_discipline": "lifo", "queue_capacity": -1, "because": "d"}\n': (
            "nobody tells the other half"
        ),
        'settings = {"queue_discipline": "codel", "queue_capacity": -1, "because": "a"}\n': (
            "more places serve fewer"
        ),
        'settings = {"queue_discipline": "codel", "queue_capacity": -1, "because": "c"}\n': (
            "the time in the queue that decides"
        ),
        'settings = {"queue_discipline": "fifo", "queue_capacity": 8, "because": "b"}\n': (
            "Nobody is more patient"
        ),
    },
    "03a": {
        "def try_enter(in_flight, client, limit):\n"
        "    in_flight[client] = in_flight.get(client, 0) + 1\n"
        "    return in_flight[client] <= limit\n": "locked out for good",
        "def try_enter(in_flight, client, limit):\n"
        "    in_flight[client] = in_flight.get(client, 0) + 1\n"
        "    return True\n": "that sends most gets most",
        "def try_enter(in_flight, client, limit):\n"
        "    if in_flight.get(client, 0) + 1 >= limit:\n"
        "        return False\n"
        "    in_flight[client] = in_flight.get(client, 0) + 1\n"
        "    return True\n": "one too small",
        "def try_enter(in_flight, client, limit):\n"
        "    if sum(in_flight.values()) >= limit:\n"
        "        return False\n"
        "    in_flight[client] = in_flight.get(client, 0) + 1\n"
        "    return True\n": "the others whom a share is there for",
        "def try_enter(in_flight, client, limit):\n"
        "    return in_flight.get(client, 0) < limit\n": "must have been put on it",
    },
}
