"""Questions of lesson 02: a bounded queue and its workers."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "02a": Question(
        "Twice the capacity arrives, service times are constant, and every client timeout is half "
        "a second. You let more and more orders wait in the queue. What does that do to goodput?",
        "Nothing, up to one length, and there it collapses",
        {
            "It rises and rises, since fewer orders are rejected": (
                "An order that isn't rejected has to be *served*, and the workers are no faster "
                "than before. A longer queue serves nothing more. It only makes people wait."
            ),
            "It falls a little with every order that may wait": (
                "It would if client timeouts differed, and the next picture shows that. Here "
                "they don't. The queue is always full, so everyone waits the *same* time, just "
                "short enough for all, or just too long for all."
            ),
            "Nothing, up to one length, and there it collapses": (
                "Yes, a cliff. It stands where a full queue takes as long as the client timeout."
            ),
            "Nothing at any length: the workers are busy either way": (
                "Busy they are, on both sides of the cliff. Beyond it they work for people who "
                "have left."
            ),
        },
    ),
    "02h": Question(
        "Eight workers, random arrivals and service times. At 50% utilisation an order waits 1.5% "
        "of a service time on average. How long does it wait at 95%?",
        "About two service times, more than a hundred times as long",
        {
            "About 3% of a service time: nearly twice the load, twice the wait": (
                "The wait isn't proportional to the load. The closer to capacity, the less often a "
                "worker is idle when a burst arrives, and what is left of the capacity is all that "
                "can drain the queue afterwards."
            ),
            "About a third of a service time": (
                "That is so at 80%. From there on it rises ever more steeply."
            ),
            "About two service times, more than a hundred times as long": (
                "Yes. From 50% to 80% the wait grows by a quarter of a service time, and from 80% "
                "to 95% by nearly two."
            ),
            "It has no end: the queue explodes": (
                "Not below capacity. Every burst is drained in the end, it only takes longer and "
                "longer. At 99% it is 12 service times."
            ),
        },
    ),
    "02b": Question(
        "At most 32 may wait, the queue is full, and twice the capacity keeps arriving. Let "
        "callers wait outside, up to 64 of them; reject them; or drop those who have waited too "
        "long. Which of these has hardly any goodput?",
        "Letting 64 wait outside, in front of the queue",
        {
            "Letting 64 wait outside, in front of the queue": (
                "Yes. A line in front of the queue is part of it: 32 inside and 64 outside take "
                "longer than the client timeout. With 8 outside, goodput is as high as with the "
                "others."
            ),
            "Rejecting: half of the customers never get in": (
                "Half are not served whatever you do, since twice the capacity arrives. "
                "Rejected at once, they at least know it, and the others are served in time."
            ),
            "Dropping: they were admitted, and their waiting is wasted": (
                "Half are not served whatever you do. Here it is those who have waited longest, "
                "which hurts them, and keeps the queue short for all who come after."
            ),
            "None of them: each keeps the queue at 32": (
                "The queue is bounded, but the *line in front of it* is a queue as well, and "
                "counts in the same sum."
            ),
        },
    ),
    "02e": Question(
        "On average 8 orders are at the workers and 32 are waiting, and 190 leave every second. "
        "How long does an order stay, on average?",
        "About 0.21 s, five times the work alone",
        {
            "About 0.04 s": "That is the work alone, 8 ÷ 190. They wait before it, too.",
            "About 0.21 s, five times the work alone": (
                "Yes: 40 inside ÷ 190 a second. Nothing else needs to be known."
            ),
            "About 0.5 s, as long as the client timeout": (
                "The client timeout says when they *leave*, not how long it takes. Count those "
                "inside."
            ),
            "Nobody can say without knowing how the times vary": (
                "Surprisingly, one can. Whatever the distribution, the number inside is the rate "
                "times the stay."
            ),
        },
    ),
    "02c": Question(
        "The service makes callers wait when it is full. Of two producers that could each send "
        "twice its capacity, one waits for each answer before it sends again, the other does "
        "not. What do they offer?",
        "The first about the capacity, the second twice as much",
        {
            "Both about the capacity: the service holds them back": (
                "It can hold back only one that *responds*. Nothing that a service does makes the "
                "other one send less."
            ),
            "The first about the capacity, the second twice as much": (
                "Yes. That is backpressure: it travels back up the line to a producer that "
                "slows down."
            ),
            "Both twice the capacity: they don't know of each other": (
                "They need not. Each wait for an answer is the message, and the first one can't "
                "send before its answer has come."
            ),
            "The first nearly nothing, since it spends its time waiting": (
                "It waits just as long as it takes to get its turn. Whenever a worker is free, "
                "the next order is already there."
            ),
        },
    ),
    "02d": Question(
        "A gateway lets through 90% of the capacity, never more. Now each payment takes twice as "
        "long. How many orders does the service with an unbounded queue serve in time?",
        "Next to none, although the rate limit holds",
        {
            "Half as many as before: it is half as fast": (
                "It works half as fast. But it still gets 90% of what its capacity *was*, nearly "
                "twice what it can process now, so the queue grows and all of it is late."
            ),
            "Next to none, although the rate limit holds": (
                "Yes. A rate limit says how much arrives. Only backpressure says how much the "
                "service *can* process now."
            ),
            "As many as before: the rate limit protects it": (
                "The limit is a number from the past. It knows nothing of the payment, and lets "
                "through as much as before."
            ),
        },
    ),
    "02g": Question(
        "The gateway stays as it is, and the payment becomes slower and slower, up to seven times. "
        "Which of these services still serves all that is possible at seven times?",
        "The one that limits how long orders wait (CoDel)",
        {
            "The one where at most 8 may wait": (
                "It holds out for long, since 8 are few. But at seven times even 8 wait too long: "
                "two orders one after the other take a worker more than half a second."
            ),
            "Both the bound of 8 and the one that limits how long orders wait": (
                "At two, three and five times, yes. At seven times even 8 wait too long. A count "
                "that was chosen well is still a count."
            ),
            "The one that limits how long orders wait (CoDel)": (
                "Yes. It never looks at how many wait, only at how long they have waited, and that "
                "held at every speed that was tried, up to eleven times."
            ),
            "None of them: a payment that slow is simply too slow": (
                "The payment is slow, so less is *possible*. The question is which service serves "
                "that much."
            ),
        },
    ),
    "02f": Question(
        "Four workers, no queue, and 90% of their capacity arrives at random. How many "
        "orders are rejected?",
        "About a quarter",
        {
            "None: it is below capacity": (
                "On *average* it is. But random arrivals send five at once now and none later, and "
                "no worker can work ahead."
            ),
            "About 10%": (
                "That would be so if the rejected came back in a lull. A lull is lost, and a "
                "burst is rejected, both at the same load."
            ),
            "About a quarter": (
                "Yes. A queue is there for *bursts*: with ten places about 4% are rejected. "
                "For a lasting overload it does nothing."
            ),
        },
    ),
}
