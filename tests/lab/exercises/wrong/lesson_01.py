"""Usual wrong answers to the exercises of lesson 01: source, and some words of what it is told."""

WRONG: dict[str, dict[str, str]] = {
    "01a": {
        "def try_put(waiting, job, capacity):\n"
        "    waiting.append(job)\n"
        "    return True\n": "In a queue without a bound",
        "def try_put(waiting, job, capacity):\n"
        "    if len(waiting) > capacity:\n"
        "        return False\n"
        "    waiting.append(job)\n"
        "    return True\n": "one more was let in",
        "def try_put(waiting, job, capacity):\n"
        "    return len(waiting) < capacity\n": "not in “waiting”",
        "def try_put(waiting, job, capacity):\n"
        "    if len(waiting) < capacity:\n"
        "        waiting.append(job)\n": "the answer was None",
        "def try_put(waiting, job, capacity):\n"
        "    waiting.append(job)\n"
        "    return len(waiting) <= capacity\n": "rejected, and is in “waiting”",
        "def try_put(waiting, job, capacity):\n"
        "    if len(waiting) >= 8:\n"
        "        return False\n"
        "    waiting.append(job)\n"
        "    return True\n": "a number of your own",
        "def try_put(waiting, job, capacity):\n"
        "    if len(waiting) >= capacity:\n"
        "        waiting.pop(0)\n"
        "    waiting.append(job)\n"
        "    return True\n": "and the first was gone",
        "def try_put(waiting, job, capacity):\n"
        "    if len(waiting) < capacity:\n"
        "        return False\n"
        "    waiting.append(job)\n"
        "    return True\n": "was rejected",
    },
    "01b": {
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    return len(answers) / seconds\n": "a service that rejects everybody",
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    return sum(sold for sold, waited_s in answers) / seconds\n": (
            "this is throughput, not goodput"
        ),
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    return sum(wait <= client_timeout_s for sold, wait in answers) / seconds\n": (
            "quickest answer of all is a rejection"
        ),
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    return sum(sold and wait <= client_timeout_s for sold, wait in answers)\n": (
            "the number of orders in the whole test"
        ),
        "def goodput_per_s(answers, client_timeout_s, seconds):\n    return 0.4\n": (
            "(True, 0.9)] * 2 + [(False, 0.001)] * 4 + [(False, 0.8)], “client_timeout_s” 0.5 and "
            "“seconds” 10, your function says 0.4 a second"
        ),
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    return sum(sold and w <= 0.5 for sold, w in answers) / seconds\n": (
            "tune a service by this number"
        ),
        "def goodput_per_s(answers, client_timeout_s, seconds):\n"
        "    in_time = [w for sold, w in answers if sold and w <= client_timeout_s]\n"
        "    print(len(in_time) / seconds)\n": "a number: orders a second",
    },
    "01c": {
        "def next_send_s(sent_s, answered_s, every_s):\n"
        "    return answered_s + every_s\n": "the gentler the test",
        "def next_send_s(sent_s, answered_s, every_s):\n"
        "    return max(answered_s, sent_s + every_s)\n": "the gentler the test",
        "def next_send_s(sent_s, answered_s, every_s):\n    return every_s\n": "not a pause",
        "def next_send_s(sent_s, answered_s, every_s):\n"
        "    return sent_s + every_s / 2\n": "no less",
    },
}
