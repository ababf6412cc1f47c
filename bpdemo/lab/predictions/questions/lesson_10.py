"""Questions of lesson 10: beyond one process."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "10a": Question(
        "The payment takes 200 ms. A caller says that it need not be done at once, and is answered "
        "202 *pending* after a few milliseconds. When do they have their ticket?",
        "No sooner than before: they only need not wait for it",
        {
            "After those few milliseconds: that is what makes it fast": (
                "By then the order is *accepted*. The card isn't charged yet, and the tickets "
                "may be gone by the time it is. 202 does not mean done."
            ),
            "No sooner than before: they only need not wait for it": (
                "Yes, and perhaps later. The work is the same, and the waiting is somewhere else."
            ),
            "Never, unless they ask: the order is processed when they come back": (
                "Asking only tells them how it stands. A worker takes it when its turn comes, "
                "whether they ask or not."
            ),
        },
    ),
    "10b": Question(
        "240 accepted orders and two workers. One of them is killed in the middle, with cards "
        "charged and orders not yet stored. What becomes of the orders it was working on?",
        "The other one does them again, and no card pays twice",
        {
            "They are lost: they were in the memory of a process that is gone": (
                "Only *that it was working on them* was in its memory. The orders are in the "
                "database, and so are the charges."
            ),
            "The other one does them again, and some cards are charged twice": (
                "Done again, yes: nobody can know how far the dead one had come. Therefore each "
                "charge has a key, the order's id, and the ledger charges it once."
            ),
            "The other one does them again, and no card pays twice": (
                "Yes. Deliver *at least once*, and make it *safe to repeat*: that is all there is "
                "to 'exactly once'."
            ),
            "They wait until somebody starts the dead worker again": (
                "They would, if an order belonged to a worker. It is only leased to one, for as "
                "long as that worker's heartbeat renews the lease."
            ),
        },
        is_harmless=True,
    ),
    "10c": Question(
        "One worker processes 20 orders a second, and 60 orders a second arrive. Does it help that "
        "they are only accepted, and processed later?",
        "For a moment, until the backlog is full",
        {
            "Yes: a queue in a database takes whatever comes": (
                "It takes it, and *keeps* it: 40 more each second. After an hour there are 144,000 "
                "orders waiting, and a new one waits two hours. That is lesson 01, with a disk."
            ),
            "For a moment, until the backlog is full": (
                "Yes. From then on most are rejected all the same. A backlog evens out a peak. It "
                "never adds capacity."
            ),
            "No: it must reject most orders from the very first moment on": (
                "At first the backlog is empty. That is what it is good for: a peak that passes."
            ),
        },
    ),
    "10d": Question(
        "Two services of one kind, with a p99 of 54 ms and of 304 ms. "
        "What is the p99 of all their customers?",
        "That can't be said from the two figures",
        {
            "About 180 ms, the mean of the two": (
                "A percentile is a place in a sorted line of customers. The mean of two places is "
                "no place in the common line."
            ),
            "304 ms, the worse of the two": (
                "It can't be worse than that. But if few go to the slow one, it is far better."
            ),
            "That can't be said from the two figures": (
                "Yes. It takes the answers themselves, or their histograms: *buckets* can be added."
            ),
        },
    ),
}
