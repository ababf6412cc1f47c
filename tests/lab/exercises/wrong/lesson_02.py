"""Usual wrong answers to the exercises of lesson 02: source, and some words of what it is told."""

ROOM = "def room_for(workers, service_s, client_timeout_s):\n    return "

WRONG: dict[str, dict[str, str]] = {
    "02a": {
        ROOM
        + "int(client_timeout_s * workers / service_s)\n": "takes its own service time as well",
        ROOM + "int((client_timeout_s - service_s) * workers / service_s)\n": "the ceiling itself",
        ROOM + "int(0.7 * (client_timeout_s - service_s) * workers / service_s)\n": (
            "ceiling falls"
        ),
        ROOM + "int(0.7 * (client_timeout_s - service_s) / service_s)\n": "come in bursts",
        ROOM + "workers // 4\n": "come in bursts",
        ROOM + "0\n": "come in bursts",
        ROOM + "-1\n": "without a bound",
        ROOM + "1000\n": "when its customer has left",
        ROOM + "60\n": "right for one speed only",
        ROOM + "0.3 * (client_timeout_s - service_s) * workers / service_s\n": (
            "has a place in the queue or it has none"
        ),
    },
    "02b": {
        'settings = {"queue_policy": "reject", "queue_block_waiters": 100, "because": "c"}\n': (
            "that were rejected came back at once"
        ),
        'settings = {"queue_policy": "block", "queue_block_waiters": 64, "because": "c"}\n': (
            "Only 64 may wait"
        ),
        'settings = {"queue_policy": "block", "queue_block_waiters": 100, "because": "a"}\n': (
            "a crowd that ignores backpressure"
        ),
        'settings = {"queue_policy": "block", "queue_block_waiters": 100, "because": "b"}\n': (
            "a queue like any other"
        ),
        'settings = {"queue_policy": "block", "queue_block_waiters": 100, "because": "d"}\n': (
            "No setting here knows a rate"
        ),
    },
    "02c": {
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    return at_the_door < 64\n": "in_the_queue",
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    return True\n": "10,000 stood at the door",
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    return False\n": "the policy might as well be *reject*",
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    ahead = at_the_door + in_the_queue\n"
        "    return (ahead / workers + 1) * service_s < client_timeout_s\n": (
            "until the very last moment"
        ),
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    ahead = at_the_door + in_the_queue\n"
        "    return (ahead + 1) * service_s < 0.8 * client_timeout_s\n": "in groups",
        "def may_wait(at_the_door, in_the_queue, workers, service_s, client_timeout_s):\n"
        "    return at_the_door + in_the_queue < 64\n": "is longer than the client timeout",
    },
}
