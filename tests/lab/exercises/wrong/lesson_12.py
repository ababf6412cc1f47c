"""Usual wrong answers to the exercises of lesson 12: source, and some words of what it is told."""

SAFE = "def safe_load(retries, budget):\n    return "

WRONG: dict[str, dict[str, str]] = {
    "12a": {
        'steps = [(20, {"restart_s": 1})]\n': "ne of yours takes 1 s",
        'steps = [(20, {"restart_s": 1, "queue_capacity": 8})]\n': " restart takes 8 s at least",
        'steps = [(20, {"restart_s": 8, "queue_capacity": 8})]\n': "enough not to begin with them",
        'steps = [(20, {"queue_discipline": "lifo", "queue_capacity": 8})]\n': "rejects everybody",
        'steps = [(20, {"queue_discipline": "lifo"}), (25, {"queue_discipline": "fifo"})]\n': (
            "are first once more"
        ),
        'steps = [(20, {"queue_capacity": 8})]\n': "bound comes late",
        'steps = [(20, {"request_timeout_s": 0.5})]\n': "comes late",
        'steps = [(20, {"shed_upstream": 0.9}), (40, {"shed_upstream": 0})]\n': (
            "only at the speed of the workers"
        ),
        'steps = [(20, {"drop_on_disconnect": True})]\n': "always about to leave",
        'steps = [(20, {"retry_attempts": 1})]\n': "four times 60% is 240%",
        'steps = [(24, {"queue_discipline": "codel"})]\n': "costs nearly sixty orders",
        'steps = [(20, {"queue_discipline": "codel"}), (40, {"queue_discipline": "fifo"})]\n': (
            "or was taken away again"
        ),
        'steps = [(20, {"queue_discipline": "priority"})]\n': "ith 'priority' 2,0",
        'steps = [(26, {"queue_discipline": "codel", "queue_capacity": 8})]\n': (
            "6 s after the call"
        ),
        'steps = [(20, {"drop_on_disconnect": True}), (28, {"queue_discipline": "lifo"})]\n': (
            "8 s after the call"
        ),
        'steps = [(20, {"queue_discipline": "codel", "shed_upstream": 0.3})]\n': "p to 30% of the",
        'steps = [(20, {"queue_discipline": "lifo", "shed_upstream": 0.5})]\n': "less load still",
        'steps = [(25, {"queue_discipline": "fifo"}), (20, {"queue_discipline": "lifo"})]\n': (
            "was taken away again"
        ),
        'steps = [(20, {"queue_capacity": -1})]\n': "240%",
        'steps = [(20, {"queue_capacity": 100000, "max_in_flight": 0})]\n': "240%",
        'steps = [(20, {"restart_s": 20})]\n': "for 20 s nobody is served",
        'D = "queue_discipline"\n'
        'steps = [(20, {D: "lifo", "client_max_in_flight": 1000, "queue_capacity": 8})]\n': (
            "queue_capacity” rejects everybody"
        ),
        'steps = [(20, {"queue_discipline": "codel", "codel_target_s": 5, "codel_interval_s": 60})]'
        "\n": "Which of them did you change",
        'steps = [(5, {"queue_capacity": 8})]\n': "from second 20 on",
        'steps = [(20, {"restart_s": 9}), (47.2, {"restart_s": 9})]\n': "come back without you",
        'steps = [(20, {"restart_s": 9}), (45, {"queue_capacity": 8})]\n': "without you",
        'steps = [(20, {"restart_s": 9}), (38, {"restart_s": 8})]\n': "lasts until 46 s",
        'steps = [(20, {"restart_s": 9}), (10**400, {"restart_s": 9})]\n': "more than six digits",
        'steps = [(-(10**400), {"restart_s": 9})]\n': "more than six digits",
        "steps = [(20, 10**5000)]\n": "a tuple with a number too long to be read",
        'steps = [(20, {"restart_s": 10**400})]\n': "a step that raises is a minute lost",
        'steps = [(20, {"restart_s": 10**5000})]\n': "a step that raises is a minute lost",
        'steps = [(20, {"queue_capacity": 10**5000})]\n': "a step that raises is a minute lost",
        'steps = [(float("nan"), {"restart_s": 9})]\n': "a list of steps",
        'steps = [(20, {"workers": 24})]\n': "more machines",
        'steps = [(20, {"queue_size": 8})]\n': "a step that raises is a minute lost",
        'steps = [(20, {"restart_s": "1"})]\n': "a step that raises is a minute lost",
        'steps = {"restart_s": 1}\n': "a list of steps",
        "steps = []\n": "a list of steps",
    },
    "12b": {
        SAFE + "1 / retries if retries else 1\n": "stayed stuck",
        SAFE + "1 / (1 + retries)\n": "Which of them counts?",
        SAFE + "1 / (1 + (budget or 0))\n": "how many attempts may an order take in all",
        SAFE + "1 / (1 + (retries if budget is None else budget))\n": "spends nothing of it",
        SAFE + "0.8\n": "stayed stuck",
        SAFE + "0.1\n": "it recovered",
        SAFE + "1 + retries\n": "above 0 and up to 1",
        SAFE + "str(retries)\n": "above 0 and up to 1",
        SAFE + "10**5000\n": "a number of 5001 digits",
    },
}
