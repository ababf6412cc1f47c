"""Questions of lesson 00: the machine and the picture."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "00a": Question(
        "Half of its capacity is offered to the service, at random moments. "
        "What will the customers see?",
        "Practically all are served, in about the time the work takes",
        {
            "Half of them are served, and half are not": (
                "Half of the *capacity* was offered, not twice as much. There is enough for "
                "everyone."
            ),
            "All are served, but most of them only after a while in the queue": (
                "At half load some worker is nearly always idle. Waiting begins to matter at about "
                "80% of capacity, and then it grows quickly."
            ),
            "Practically all are served, in about the time the work takes": (
                "Yes. Below capacity nothing needs protecting, which is why it is forgotten."
            ),
        },
        is_harmless=True,
    ),
}
