"""Questions of lesson 06: the database and the cache."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "06a": Question(
        "The store has two connections, and each order needs one for 20 ms. Too few orders are "
        "served, so somebody gives the service four times as many workers. What happens?",
        "As many are served as before, after a longer wait",
        {
            "Four times as many are served": (
                "A worker without a connection is one more in the queue. Two connections of 20 ms "
                "are a hundred orders a second, however many wait for them."
            ),
            "A few more are served, about a third: workers help somewhat": (
                "They would, had the workers been the limit at all. They were not, even before."
            ),
            "As many are served as before, after a longer wait": (
                "Yes. The queue has moved to where nobody looks, the wait for a connection, and "
                "grew longer there."
            ),
        },
    ),
    "06b": Question(
        "Now the pool is four times as large as well. Everybody wants the same thing: "
        "seats for item 1. How many orders are served?",
        "Fewer than before, as if there were one connection",
        {
            "Four times as many: workers and connections are there now": (
                "They are there, and wait. All of them want to change the same row, and only one "
                "of them can at a time."
            ),
            "As many as before": (
                "Before, two could be written at the same time, since they wanted different rows."
            ),
            "Fewer than before, as if there were one connection": (
                "Yes. The row is a resource of size one. More machines would only queue for it."
            ),
        },
    ),
    "06c": Question(
        "An item has just expired in the cache, and fifty people look at it in the same "
        "moment. How often is the database asked?",
        "Once, for all fifty of them",
        {
            "Fifty times: none of them finds it in the cache": (
                "That is a *stampede*, and what a plain cache does: it is of no use just when it "
                "matters most. Here the first one loads, and the others wait for that load."
            ),
            "About eight times": ("Workers take orders. Those who only look need none of them."),
            "Once, for all fifty of them": (
                "Yes: one load in flight for a key, and everybody shares its answer."
            ),
        },
        is_harmless=True,
    ),
    "06d": Question(
        "The database is down. The cached items have expired. What do those who look at one get?",
        "Mostly the item, a little out of date",
        {
            "An error: what has expired must not be served": (
                "It must not while there is a better answer. Now there is none, and a name and a "
                "price of ten seconds ago are better than an empty page."
            ),
            "Nothing yet: they wait until the database is back": (
                "They would wait until their client timeout, and then have an error all the same."
            ),
            "Mostly the item, a little out of date": (
                "Yes. *Stale while down*: the cache is the last thing that still works."
            ),
        },
        is_harmless=True,
    ),
}
