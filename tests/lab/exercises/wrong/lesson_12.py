"""Usual wrong answers to the exercises of lesson 12: source, and some words of what it is told."""

SAFE = "def safe_load(retries, budget):\n    return "

WRONG: dict[str, dict[str, str]] = {
    "12a": {
        'steps = [(20, {"restart_s": 1})]\n': "left in place what made it",
        'steps = [(20, {"restart_s": 0})]\n': "came back at once, with attempts left",
        'steps = [(20, {"restart_s": 0, "queue_capacity": 60})]\n': "waited in vain again",
        'steps = [(20, {"queue_capacity": 8})]\n': "bound is right, and comes late",
        'steps = [(20, {"request_timeout_s": 0.5})]\n': "comes late",
        'steps = [(20, {"shed_upstream": 0.9}), (40, {"shed_upstream": 0})]\n': (
            "only at the speed of the workers"
        ),
        'steps = [(20, {"drop_on_disconnect": True})]\n': "always about to leave",
        'steps = [(20, {"retry_attempts": 1})]\n': "four times 60% is 240%",
        'steps = [(20, {"restart_s": 4, "queue_capacity": 8})]\n': "costs nearly sixty orders",
        'steps = [(20, {"restart_s": 1, "queue_capacity": 8}), (30, {"queue_capacity": -1})]\n': (
            "or was taken away again"
        ),
        'steps = [(5, {"queue_capacity": 8})]\n': "from second 20 on",
        'steps = [(20, {"restart_s": 2}), (47.2, {"restart_s": 2})]\n': "come back without you",
        'steps = [(20, {"restart_s": 2}), (45, {"queue_capacity": 8})]\n': "without you",
        'steps = [(20, {"restart_s": 2}), (44.9, {"restart_s": 3})]\n': "lasts until 47.9 s",
        'steps = [(20, {"restart_s": 2}), (10**400, {"restart_s": 2})]\n': "more than six digits",
        'steps = [(-(10**400), {"restart_s": 2})]\n': "more than six digits",
        "steps = [(20, 10**5000)]\n": "too large to be written",
        'steps = [(20, {"restart_s": 10**400})]\n': "a step that raises is a minute lost",
        'steps = [(20, {"restart_s": 10**5000})]\n': "a step that raises is a minute lost",
        'steps = [(20, {"queue_capacity": 10**5000})]\n': "a step that raises is a minute lost",
        'steps = [(float("nan"), {"restart_s": 2})]\n': "a list of steps",
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
    },
}
