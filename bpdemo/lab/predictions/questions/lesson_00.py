"""Questions of lesson 00: the machine and the picture."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "00a": Question(
        "Half of its capacity is offered to the service, at random moments. "
        "What will customers see?",
        "Practically all get their ticket, in about the time the work takes",
        {
            "Half of them get a ticket": (
                "Half of the *capacity* was offered, not twice of it: there was room for everyone."
            ),
            "All get a ticket, but most of them after queueing for a while": (
                "At half load some worker is nearly always idle. Queueing begins to matter from "
                "about 80% of capacity, and then quickly."
            ),
            "Practically all get their ticket, in about the time the work takes": (
                "Yes. Below capacity nothing needs protecting, which is why it is forgotten."
            ),
        },
    ),
}
