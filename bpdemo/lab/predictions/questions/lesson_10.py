"""Questions of lesson 10: beyond one process."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "10a": Question(
        "The payment takes 200 ms. A caller says that a promise will do, and is answered 202 "
        "*pending* after a few milliseconds. When do they have their ticket?",
        "No sooner than before, perhaps later: they only need not wait on the line",
        {
            "After those few milliseconds: that is what makes it fast": (
                "After those they have a *promise*. The card is not charged yet, and the tickets "
                "may be gone by the time it is. 202 means accepted, not done."
            ),
            "No sooner than before, perhaps later: they only need not wait on the line": (
                "Yes. The work is the same; only the waiting is somewhere else."
            ),
            "Never, unless they ask: the order is worked on when they come back": (
                "Asking only tells them how it stands. The worker takes it when its turn comes, "
                "whether they ask or not."
            ),
        },
    ),
    "10b": Question(
        "240 promises, two workers. One of them is killed in the middle, with cards charged and "
        "orders not yet stored. What becomes of what it had in hand?",
        "The other one does it again, and no card is charged a second time",
        {
            "It is lost: it was in the memory of a process that is gone": (
                "Only *that it was working on it* was in its memory. The promise stands in the "
                "database, and so does the charge."
            ),
            "The other one does it again, and some cards are charged twice": (
                "Done again, yes: nobody can know how far the dead one had come. Therefore each "
                "charge has a key, the order's id, and the ledger makes it once."
            ),
            "The other one does it again, and no card is charged a second time": (
                "Yes. Take it *at least once*, make it *safe to repeat*: that is all there is to "
                "'exactly once'."
            ),
            "It waits until somebody starts the dead worker again": (
                "It would, if an order belonged to a worker. It is only leased to one, for as long "
                "as its heart beats."
            ),
        },
    ),
    "10c": Question(
        "One worker keeps 20 promises a second, and 60 orders a second come. Does it help that "
        "they are only promised?",
        "For a moment: then the backlog is full, and most must be refused all the same",
        {
            "Yes: a queue in a database takes whatever comes": (
                "It takes it, and *keeps* it: 40 more each second. After an hour there are 144,000 "
                "promises, and a newcomer waits two hours. That is lesson 01, with a disk."
            ),
            "For a moment: then the backlog is full, and most must be refused all the same": (
                "Yes. A backlog evens out a peak. It never adds capacity."
            ),
            "No: it must refuse from the first order on": (
                "There is room at first. That is what a backlog is good for: a peak that passes."
            ),
        },
    ),
    "10d": Question(
        "Two services of one kind, with a p99 of 54 ms and of 304 ms. "
        "What is the p99 of all their customers?",
        "That cannot be said from the two figures",
        {
            "About 180 ms, the mean of the two": (
                "A percentile is a place in a sorted line of customers. Two places have no mean "
                "that is a place in the common line."
            ),
            "304 ms, the worse of the two": (
                "It cannot be worse than that. But if few go to the slow one, it is far better."
            ),
            "That cannot be said from the two figures": (
                "Yes. It takes the answers themselves, or their histograms: *buckets* can be added."
            ),
        },
    ),
}
