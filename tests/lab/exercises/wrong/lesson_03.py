"""Usual wrong answers to the exercises of lesson 03: source, and some words of what it is told."""

WRONG: dict[str, dict[str, str]] = {
    "03c": {
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > target_s\n": "A long wait alone is no reason",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return standing_s > interval_s\n": "A standing queue alone is no reason",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > target_s or standing_s > interval_s\n": "what a queue is for",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return False\n": "nothing is shed",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > 0.02 and standing_s > 0.2\n": "an interval of 2 s",
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > 2 * target_s and standing_s > 2 * interval_s\n": (
            "Both times are above their limits"
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
            "every order has been the last one"
        ),
        'settings = {"queue_discipline": "lifo", "queue_capacity": -1, "because": "d"}\n': (
            "only from their own timeout"
        ),
        'settings = {"queue_discipline": "codel", "queue_capacity": -1, "because": "a"}\n': (
            "more places serve fewer"
        ),
        'settings = {"queue_discipline": "codel", "queue_capacity": -1, "because": "c"}\n': (
            "What decides is the time in the queue"
        ),
        'settings = {"queue_discipline": "fifo", "queue_capacity": 8, "because": "b"}\n': (
            "more patient because a payment provider is slow"
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
        "    return True\n": "less than its share",
        "def try_enter(in_flight, client, limit):\n"
        "    if sum(in_flight.values()) >= limit:\n"
        "        return False\n"
        "    in_flight[client] = in_flight.get(client, 0) + 1\n"
        "    return True\n": "to protect the other clients",
        "def try_enter(in_flight, client, limit):\n"
        "    return in_flight.get(client, 0) < limit\n": "must have added one",
    },
}
