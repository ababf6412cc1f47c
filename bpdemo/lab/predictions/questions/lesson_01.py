"""Questions of lesson 01: when queues explode."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "01a": Question(
        "Twice its capacity arrives at a service that accepts every request. "
        "The client timeout is half a second. How many orders are served in time?",
        "Almost none, after the first moment",
        {
            "As many as its capacity: the other half is lost": (
                "It processes exactly its capacity, but in the order of arrival, so soon everyone "
                "it gets to has left already. Work done is not goodput."
            ),
            "Half of its capacity": (
                "There is no balance half-way. The queue grows every second, so the wait only "
                "ever gets longer, and passes half a second for everyone."
            ),
            "Almost none, after the first moment": (
                "Yes. The wait grows the whole time, and once it is longer than the client "
                "timeout every order is late."
            ),
            "None, because it crashes": (
                "That would be kinder. It keeps running, with all workers busy, and looks healthy."
            ),
        },
    ),
    "01b": Question(
        "The same load and the same service, with one setting changed: at most 8 orders may wait, "
        "and an order that finds the queue full is rejected at once. How many are served in time?",
        "About as many as its capacity",
        {
            "Fewer than without the bound, since it rejects customers": (
                "The service without a bound rejected *nobody*, and served hardly anybody in time. "
                "Rejecting half of the orders is what lets it serve the other half."
            ),
            "About as many as its capacity": (
                "Yes. An order that is admitted waits behind at most eight others, so its customer "
                "is still there when the answer comes."
            ),
            "About half of its capacity": (
                "Half of the *orders* are rejected. Twice the capacity was offered, so the half "
                "that remains is all of the capacity."
            ),
        },
        is_harmless=True,
    ),
    "01b2": Question(
        "You have seen both at twice their capacity. Now at half of it, and at ten times. At "
        "which of these loads does the bound change how many are served in time?",
        "Only above capacity",
        {
            "At every load: rejections cost the bounded service goodput": (
                "At half of capacity hardly any order finds the queue full, so there is hardly "
                "anything to reject."
            ),
            "Only above capacity": (
                "Yes, and therefore nobody notices the difference until the day it matters."
            ),
            "Only at twice": (
                "A rejection costs the service a twentieth of a millisecond, so the larger crowd "
                "hardly costs more, and none of it reaches a worker."
            ),
        },
    ),
    "01c": Question(
        "Ten times the capacity arrives at the bounded service. What does the mean response "
        "time of all answers do?",
        "It falls below that of a quiet day",
        {
            "It rises tenfold": (
                "The orders that are served wait a little longer, but they are few. Rejections "
                "take some milliseconds, and they are nine of ten answers."
            ),
            "It stays about the same": (
                "It would, if a rejection took as long as an order. It takes almost no time."
            ),
            "It falls below that of a quiet day": (
                "Yes, and so a dashboard of the mean is green while nine of ten customers go away "
                "with nothing."
            ),
        },
    ),
    "01d": Question(
        "A load test has 7 users, each of whom sends again when answered. Half-way through, the "
        "payment becomes four times slower. What happens to the offered load?",
        "It falls with the service, to about a quarter",
        {
            "It stays the same: there are as many users as before": (
                "Only an open load stays the same. A user who waits for an answer sends nothing "
                "meanwhile."
            ),
            "It falls with the service, to about a quarter": (
                "Yes. The test is gentle just when it should push. It is *coordinated* with what "
                "it measures."
            ),
            "It rises, since users retry": (
                "These users only wait. Retries come in lesson 04, and they do make it worse."
            ),
        },
    ),
}
