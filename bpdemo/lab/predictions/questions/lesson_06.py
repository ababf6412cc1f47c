"""Questions of lesson 06: the database and the cache."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "06a": Question(
        "The store has two connections, and each order needs one for 20 ms. Sales are too slow, "
        "so somebody gives the service four times as many workers. What happens?",
        "It sells the same, and orders wait longer for a connection",
        {
            "It sells four times as much": (
                "A worker without a connection is one more in the queue. Two connections of 20 ms "
                "are a hundred orders a second, however many stand before them."
            ),
            "It sells a little more, by a third or so": (
                "It would, if the workers had been the limit at all. They were not, even before."
            ),
            "It sells the same, and orders wait longer for a connection": (
                "Yes. The queue has moved to where nobody looks, and became longer there."
            ),
        },
    ),
    "06b": Question(
        "Now the pool is four times as large as well. Everybody wants the same thing: "
        "seats for item 1. How much is sold?",
        "Less than before, as if there were a single connection",
        {
            "Four times as much: workers and connections are there now": (
                "They are there, and wait. All of them want to change the same row, and only one "
                "can at a time."
            ),
            "As much as before": (
                "Before, two could be worked on at once, since they wanted different rows."
            ),
            "Less than before, as if there were a single connection": (
                "Yes. The row is a resource of size one. More machines would only queue for it."
            ),
        },
    ),
    "06c": Question(
        "An item has just fallen out of the cache, and fifty people look at it in the same "
        "moment. How often is the database asked?",
        "Once",
        {
            "Fifty times: none of them finds it in the cache": (
                "That is a *stampede*, and what a plain cache does: it is of no use just when it "
                "matters most. Here the first one loads, the others wait for that load."
            ),
            "About eight times, once for each worker": (
                "Workers take orders. Those who only look need none of them."
            ),
            "Once": "Yes: one load in flight for a key, and everybody shares its answer.",
        },
    ),
    "06d": Question(
        "The database is gone. The cached items have expired. What do those who look at one get?",
        "Mostly the item, a little out of date",
        {
            "An error: what has expired must not be served": (
                "It must not while there is a better answer. Now there is none, and a name and a "
                "price of ten seconds ago are better than an empty shop window."
            ),
            "They wait until the database is back": (
                "They would wait for their whole patience, and then have an error all the same."
            ),
            "Mostly the item, a little out of date": (
                "Yes. *Stale while down*: the cache is the last thing that still works."
            ),
        },
    ),
}
