"""Questions of lesson 09: your own service, step by step."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "09a": Question(
        "An async route, and twice the load that its payment can take. What happens?",
        "Nearly every order is late, and nothing fails",
        {
            "Nearly all are served: an async route takes any number": (
                "It *takes* any number. But the payment still does two at a time, and everything "
                "beyond that waits in memory, where nobody sees it."
            ),
            "Half are served in time, and half are late": (
                "That would be so if the late ones stood aside. They don't: each order that is "
                "done now came before those whose callers still wait."
            ),
            "Nearly every order is late, and nothing fails": (
                "Yes. No error, no log line, little CPU. Only goodput is gone."
            ),
            "The server rejects what is more than it can take": (
                "Nobody has told it to. uvicorn accepts everything unless `--limit-concurrency` is "
                "set."
            ),
        },
    ),
    "09b": Question(
        "A semaphore of 2 goes around the payment. What does goodput do at twice the capacity?",
        "Nothing: the same queue is in front of the semaphore",
        {
            "It comes back: no more than two are worked on at once": (
                "The payment did two at a time before. The semaphore limits the work, and leaves "
                "the number that wait for it without a bound."
            ),
            "Nothing: the same queue is in front of the semaphore": (
                "Yes. The queue has moved from the provider into your process. There you can "
                "count it, and the next step does."
            ),
            "It falls further: a semaphore makes everybody slower": (
                "A semaphore costs microseconds. The wait is the same, only in another place."
            ),
        },
    ),
    "09c": Question(
        "Six may be inside, and an order beyond that gets a 503. What does goodput do now?",
        "It comes back to nearly all of the capacity",
        {
            "It stays low: half of the orders are rejected": (
                "Half of the *offer* is rejected. An order that is let in is answered after "
                "0.12 s at most, so all of them are served in time, and that is the capacity."
            ),
            "It comes back to nearly all of the capacity": (
                "Yes. Rejecting what can't be served in time leaves that time to those who can be."
            ),
            "It comes back to half of the capacity, since half gets in": (
                "Two workers are busy all the time, and everything they do is still wanted. That "
                "is all of the capacity."
            ),
        },
        is_harmless=True,
    ),
    "09d": Question(
        "Many callers hang up after 10 ms, beside a few who stay. What does the bound do for "
        "those who stay?",
        "Little: callers who have gone take up the places",
        {
            "All that is needed: the queue is short": (
                "It is short, and full of orders that nobody wants any more. Each of them keeps "
                "its place and then 40 ms of a worker."
            ),
            "Little: callers who have gone take up the places": (
                "Yes. A bound says how many are inside, not whether anybody still waits for them. "
                "A hang-up has to give the place back."
            ),
            "There is nothing to do: a closed connection ends its route": (
                "Under an ASGI server it doesn't. The route goes on, unless it asks for "
                "`http.disconnect` and acts on it."
            ),
        },
    ),
    "09e": Question(
        "AdmissionControl in four lines around the naive route, at five times the capacity. "
        "How much of the capacity is served in time?",
        "More than 80%",
        {
            "About 20%: one in five can be served": (
                "One in five of the *offer* can be served, and that is all of the capacity."
            ),
            "About half: rejecting so many costs too much": (
                "A rejection before routing and body costs a small part of a served order, so four "
                "of them for each one hardly show."
            ),
            "More than 80%": (
                "Yes. It is the same bound that you wrote by hand, before the body is read."
            ),
        },
        is_harmless=True,
    ),
}
