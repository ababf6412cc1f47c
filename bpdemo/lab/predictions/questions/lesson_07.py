"""Questions of lesson 07: seeing it."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "07a": Question(
        "The load rises to twice the capacity of the naive service, which waits for its payment "
        "most of the time. Which alert fires?",
        "Only the one on the queue wait",
        {
            "CPU first, the queue wait a little later": (
                "That is so where the work is *computing*. Here a worker mostly waits for the "
                "payment, and waiting uses no CPU."
            ),
            "Both at about the same time, when capacity is reached": (
                "Capacity is reached when all *workers* are taken. The processor does not notice: "
                "a worker that waits does not compute."
            ),
            "Only the one on the queue wait": (
                "Yes. What ran out were the workers, and of those CPU knows nothing."
            ),
            "Only the one on CPU": (
                "The naive queue has no bound, so nobody is rejected. But everything that it takes "
                "in has to *wait*, and that is measured."
            ),
        },
    ),
    "07b": Question(
        "Payment and store take no time, tracing is expensive, and sixteen users order without a "
        "pause. What will be seen?",
        "CPU at its ceiling, and hardly any queue wait",
        {
            "The same as before: the queue wait rises, CPU stays low": (
                "There is nothing left to wait *for*. Each order computes from end to end, "
                "and then its worker is free again at once."
            ),
            "CPU at its ceiling, and hardly any queue wait": (
                "Yes. Workers are free and the processor is not, so the waiting is done in the "
                "event loop."
            ),
            "Both at their ceilings": (
                "Sixteen users who wait for their answers can have no more than sixteen orders "
                "under way, and there are sixteen workers. Nobody has to queue for one."
            ),
        },
    ),
    "07c": Question(
        "The load is 1.5× capacity. One order in the middle of it takes about a "
        "second. Where does its time go?",
        "Nearly all of it into the queue",
        {
            "Into the payment, which is slow under load": (
                "The payment does not notice the crowd: it never gets more calls at a time "
                "than there are *workers*. It takes its 40 ms, as ever."
            ),
            "A little everywhere: everything is slower under load": (
                "Each part takes what it always took. What load adds is *waiting*, and all of it "
                "in one place, in front of the scarcest resource."
            ),
            "Nearly all of it into the queue": (
                "Yes. And a dashboard that starts its clock when the work begins does not see it."
            ),
            "Into the store, where everyone writes": (
                "That would be so if its connections ran out (lesson 06). This store is in "
                "memory, and no more orders reach it at a time than there are workers."
            ),
        },
    ),
}
