"""Questions of lesson 08: the tuning challenge."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "08a": Question(
        "One setting only. Which of these, fixed alone, gains hundreds of points?",
        "Either the queue's bound or the deadline",
        {
            "The retries: from 6 attempts to 2": (
                "Retries need failures. Here calls fail in one scene of four, and there "
                "the breaker is open before a second attempt is made."
            ),
            "Only the deadline: from 30 s to half a second": (
                "It does gain hundreds: it rejects every order that couldn't be served in time. "
                "But a queue of 8 gains as many, since in it nobody waits too long."
            ),
            "Only the bound of the queue: from 400 orders to 8": (
                "It does gain hundreds: in a queue of 8 nobody waits too long. But a deadline of "
                "half a second gains as many, since it rejects those who would."
            ),
            "Either the queue's bound or the deadline": (
                "Yes. Storm, slow payment and retry storm have one problem in common, orders that "
                "wait longer than their customers do, and each of the two solves it."
            ),
            "The breaker: open for 1 s instead of 20 s": (
                "It does little for three of the scenes, which have no failures. Why it does so "
                "little for the outage is the next question."
            ),
        },
    ),
    "08b": Question(
        "The breaker is fixed. What does that gain before the queue is fixed, and after it?",
        "Next to nothing before, over a hundred points after",
        {
            "The same both times: a fault costs what it costs, whatever else is wrong": (
                "So it would be if losses added up. But an order that is lost in the queue can't "
                "be lost at the breaker as well."
            ),
            "Next to nothing before, over a hundred points after": (
                "Yes. The queue had *hidden* the breaker. Fix what holds up everything, then look "
                "again."
            ),
            "Much before, next to nothing after: the bound has solved it by then": (
                "The other way round. The bound solves what comes from waiting. That the breaker "
                "rejects good orders has another cause."
            ),
        },
    ),
    "08c": Question(
        "The peak of the storm live, with the queue of 8. What does it serve in time, compared "
        "with the simulation?",
        "About the same share",
        {
            "Far less: a real machine has overhead": (
                "Some overhead, yes: a millisecond or two for each order, beside 40 ms of payment. "
                "What decides over goodput is the policy, not the socket."
            ),
            "About the same share": (
                "Yes. Virtual time runs the very same queue, workers and deadlines. Only the "
                "waiting is skipped."
            ),
            "More: the simulation assumes the worst": (
                "It assumes nothing. It runs the service's own code with the same arrivals."
            ),
        },
        is_harmless=True,
    ),
}
