"""Questions of lesson 01: when queues explode."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "01a": Question(
        "Twice the capacity comes to a service that says yes to everybody. "
        "Customers wait half a second. How many tickets does it sell in time?",
        "Almost none, after the first moment",
        {
            "As many as its capacity: the other half is lost": (
                "It processes exactly its capacity, but in the order of arrival: soon everyone it "
                "gets to has left already. Work done is not tickets sold."
            ),
            "Half of its capacity": (
                "There is no balance half-way. The queue grows every second, so the wait only "
                "ever gets longer, and passes half a second for everyone."
            ),
            "Almost none, after the first moment": (
                "Yes. The wait grows by a second each second; once it is past the client "
                "timeout, every ticket is ready too late."
            ),
            "None, it crashes": (
                "That would be kinder. It keeps running, all workers busy, and looks healthy."
            ),
        },
    ),
    "01b": Question(
        "The same load and the same service, with one setting changed: at most 8 orders may wait, "
        "and an order that finds the queue full is refused at once. How many tickets does it sell "
        "in time?",
        "About as many as its capacity",
        {
            "Fewer than without the bound: it refuses customers": (
                "The service without a bound refused *nobody*, and served nobody in time. "
                "Refusing half of the orders is what lets it serve the other half."
            ),
            "About as many as its capacity": (
                "Yes. An order that is admitted waits behind at most eight others, so its customer "
                "is still there when the answer comes."
            ),
            "About half of its capacity": (
                "Half of the *orders* are refused. Twice the capacity was offered, so the half "
                "that remains is all of the capacity."
            ),
        },
    ),
    "01b2": Question(
        "You have seen both at twice their capacity. Now at half of it, and at ten times. At "
        "which of these loads does the bound change how much is sold in time?",
        "Only above capacity",
        {
            "At every load: refusing costs the bounded service sales": (
                "At half of capacity hardly any order finds the queue full, so there is hardly "
                "anything to refuse."
            ),
            "Only above capacity": (
                "Yes, and therefore nobody notices the difference until the day it matters."
            ),
            "Only at twice: refusing ten times as many is too much work": (
                "A refusal costs the service a twentieth of a millisecond, so the greater crowd "
                "hardly costs more, and none of it reaches a worker."
            ),
        },
    ),
    "01c": Question(
        "Ten times the capacity arrives at the bounded service. What does the mean response "
        "time of all answers do?",
        "It falls below that of a quiet day",
        {
            "It goes up tenfold": (
                "The served wait a little longer, but they are few. Refusals take some "
                "milliseconds, and they are nine of ten answers."
            ),
            "It stays about the same": (
                "It would, if refusals took as long as sales. They take almost no time."
            ),
            "It falls below that of a quiet day": (
                "Yes, and so a dashboard of it is green while nine of ten go home."
            ),
        },
    ),
    "01d": Question(
        "A load test with 7 users, each sending again when answered. Half-way the payment "
        "becomes four times slower. What happens to the offered load?",
        "It falls to about a quarter, along with the service",
        {
            "It stays the same": (
                "Only an open load does. A user who waits for an answer sends nothing meanwhile."
            ),
            "It falls to about a quarter, along with the service": (
                "Yes: the test is gentle just when it should push. It is *coordinated* with what "
                "it measures."
            ),
            "It rises, since users retry": (
                "These users only wait. Retries come in lesson 04, and they do make it worse."
            ),
        },
    ),
}
