"""Questions of lesson 08: the tuning challenge."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "08a": Question(
        "One setting only. Which of these, fixed alone, gains hundreds of points?",
        "Either of two: the bound of the queue, or the deadline",
        {
            "The retries: from 6 attempts to 2": (
                "Retries need failures to feed on. Here they fail in one scene of four, and there "
                "the breaker is open before a second attempt is made."
            ),
            "Only the deadline: from 30 s to half a second": (
                "It does gain hundreds: it refuses every order that could not be served in time. "
                "But a queue of 8 gains as many, since in it nobody waits too long."
            ),
            "Only the bound of the queue: from 400 places to 8": (
                "It does gain hundreds: in a queue of 8 nobody waits too long. But a deadline of "
                "half a second gains as many, since it refuses those who would."
            ),
            "Either of two: the bound of the queue, or the deadline": (
                "Yes. Storm, slow payment and retry storm are one illness, orders that wait longer "
                "than their customers do, and each of the two cures it."
            ),
            "The breaker: open for 1 s instead of 20 s": (
                "It does little for three of the scenes, which have no failures. Why it does so "
                "little for the outage is the next question."
            ),
        },
    ),
    "08b": Question(
        "The breaker is fixed: what does that gain before the queue is fixed, and after it?",
        "Next to nothing before, more than a hundred points after",
        {
            "The same both times: a fault costs what it costs": (
                "So it would be if losses added up. But an order that is lost in the queue cannot "
                "be lost at the breaker as well."
            ),
            "Next to nothing before, more than a hundred points after": (
                "Yes: the queue had *hidden* the breaker. Fix what holds up everything, then look "
                "again."
            ),
            "Much before; next to nothing after, since the queue has healed it": (
                "The other way round. The bound heals what comes from waiting; that the breaker "
                "refuses good orders has another cause."
            ),
        },
    ),
    "08c": Question(
        "The height of the storm live, with the queue of 8. Beside the simulation it …",
        "sells about the same share",
        {
            "sells far less: a real machine has overhead": (
                "Some overhead, yes: a millisecond or two for each order, beside forty of payment. "
                "What decides over goodput is the policy, not the socket."
            ),
            "sells about the same share": (
                "Yes. Virtual time runs the very same queue, workers and deadlines; only the "
                "waiting is skipped."
            ),
            "sells more: the simulation assumes the worst": (
                "It assumes nothing. It runs the service's own code with the same arrivals."
            ),
        },
    ),
}
