"""Questions of lesson 03: load shedding."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "03a": Question(
        "Twice the capacity arrives. One service takes every order, the other rejects about half "
        "of them at admission. Which one serves more in time?",
        "The one that rejects, many times as much",
        {
            "The one that takes every order: a rejection is a lost sale": (
                "So it seems at admission. But an order that is taken is not an order that is "
                "served: it joins a queue that is longer than the client timeout."
            ),
            "Both the same: they have the same workers and the same capacity": (
                "They *work* at the same pace. One of them works for customers who have left."
            ),
            "The one that rejects, many times as much": (
                "Yes. It can finish in time what it takes, so all of its work is goodput."
            ),
            "The one that rejects, twice as much": (
                "For that the other would have to serve half. It serves next to nothing, because "
                "its queue is too long for *everyone*, not for every second order."
            ),
        },
    ),
    "03b": Question(
        "The naive service, still with no bound, now takes the newest order first. "
        "How many does it serve in time?",
        "About as many as its capacity",
        {
            "As few as before: the order of a queue adds no capacity": (
                "It adds none, but there was enough. What matters is whether the customer whose "
                "order is taken next is still waiting."
            ),
            "Even fewer: those who came first wait for ever": (
                "They do, and get nothing. But with oldest first they got nothing either, and "
                "neither did anybody else."
            ),
            "About half of its capacity": (
                "Half of the *customers* are served. Twice the capacity is offered, so that "
                "is all of it."
            ),
            "About as many as its capacity": (
                "Yes. The newest order has waited least, so its customer is still there."
            ),
        },
        is_harmless=True,
    ),
    "03c": Question(
        "CoDel serves as many as newest first. What is different for the half that isn't served?",
        "They know after some tens of milliseconds",
        {
            "Nothing that matters": (
                "To the box office it is the same. Not to them: one is told and can go elsewhere, "
                "the other waits until the client timeout, and keeps a connection busy."
            ),
            "They know after some tens of milliseconds": (
                "Yes. An order that has waited too long is shed with an answer, long before the "
                "client timeout."
            ),
            "They wait longer, because oldest first makes everyone wait": (
                "It would, if the queue were left to grow. CoDel sheds from its head as soon as it "
                "stands, so it stays short."
            ),
        },
    ),
    "03d": Question(
        "One client sends three quarters of all orders. The queue is bounded and treats every "
        "order alike. Of the orders that are served, how many are that client's?",
        "Three quarters of them, as of all orders that are sent",
        {
            "A quarter, as of each client: first come, first served is fair": (
                "It is fair to *orders*. That client has nine where another has one, so nine times "
                "as many find a place."
            ),
            "The fewest, since most of the rejections go to it": (
                "Most rejections go to it, and so do most of the tickets. One third of everybody's "
                "orders is served."
            ),
            "Three quarters of them, as of all orders that are sent": (
                "Yes. A client that sends most is served most, unless each client has a share."
            ),
        },
    ),
    "03e": Question(
        "Critical orders go first, 8 may wait in the queue, and twice the capacity arrives. How "
        "many of the critical orders are served?",
        "About half, as of all the others",
        {
            "Nearly all: they are a fifth of the orders, and go first": (
                "They go first *in the queue*. But the queue is full half of the time, and "
                "admission doesn't ask how critical they are."
            ),
            "About half, as of all the others": (
                "Yes. An order that finds the queue full is rejected before any priority is "
                "looked at."
            ),
            "Fewer than of the others": (
                "Nothing works against them. Inside they do go first, so they wait less, and that "
                "is all they get."
            ),
        },
    ),
}
