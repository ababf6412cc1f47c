"""Questions of lesson 03: load shedding."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "03a": Question(
        "Twice the capacity. One service takes every order, the other refuses about half of them "
        "at the door. Which one sells more in time?",
        "The one that refuses, many times as much",
        {
            "The one that takes every order: a refusal is a lost sale": (
                "So it seems at the door. But an order taken is not a ticket sold: it is taken "
                "into a queue that nobody has the patience for."
            ),
            "Both the same: their capacity is the same": (
                "They *work* at the same pace. One of them works for customers who have left."
            ),
            "The one that refuses, many times as much": (
                "Yes. What it takes it can finish in time, so all its work is sold."
            ),
            "The one that refuses, about twice as much": (
                "That would need the other to sell half. It sells next to nothing: its queue is "
                "too long for *everyone*, not for every second one."
            ),
        },
    ),
    "03b": Question(
        "The naive service, still with no bound, now takes the newest order first. "
        "How many does it sell in time?",
        "About as many as its capacity",
        {
            "As few as before: the order of a queue adds no capacity": (
                "It adds none, but there was enough. What matters is whether the customer whose "
                "order is worked on still waits."
            ),
            "Even fewer: those who came first wait for ever": (
                "They do, and get nothing. But oldest first they got nothing either, and neither "
                "did anybody else."
            ),
            "About half of its capacity": (
                "Half of the *customers* get a ticket. The offer is twice the capacity, so that "
                "is all of it."
            ),
            "About as many as its capacity": (
                "Yes. The newest has waited least, so they are still there."
            ),
        },
    ),
    "03c": Question(
        "CoDel sells as much as newest first. What is different for the half that gets no ticket?",
        "They know after some tens of milliseconds",
        {
            "Nothing: no ticket is no ticket": (
                "To the till it is the same. Not to them: one is told and can go elsewhere, the "
                "other waits until the client timeout, and keeps a connection busy."
            ),
            "They know after some tens of milliseconds": (
                "Yes. What has waited too long is shed with an answer, long before patience ends."
            ),
            "They wait longer: oldest first makes everyone wait": (
                "It would, if the line were let grow. CoDel sheds from its head as soon as it "
                "stands, so it stays short."
            ),
        },
    ),
    "03d": Question(
        "One client sends three quarters of all orders. The queue is bounded and treats every "
        "order alike. Who gets how many of the tickets?",
        "The greedy one gets three quarters of them",
        {
            "A quarter each: first come, first served is fair": (
                "It is fair to *orders*. That client has nine where another has one, so nine times "
                "as many find a place."
            ),
            "The greedy one gets least, since most refusals go to it": (
                "Most refusals go to it, and so do most of the sales. One third of everybody's "
                "orders is sold."
            ),
            "The greedy one gets three quarters of them": (
                "Yes. A client that sends most is served most, unless each client has a share."
            ),
        },
    ),
    "03e": Question(
        "Critical orders go first, 8 may wait in the queue, twice the capacity comes. How "
        "many of the critical orders are sold?",
        "About half, as of all the others",
        {
            "Nearly all: they are a fifth of the orders, and go first": (
                "They go first *in the line*. But the door is full half of the time, and asks "
                "nobody how critical they are."
            ),
            "About half, as of all the others": (
                "Yes. Who finds the room full is refused before any priority is looked at."
            ),
            "Fewer than of the others": (
                "Nothing works against them. Inside they do go first, so they wait less; that is "
                "all they get."
            ),
        },
    ),
}
