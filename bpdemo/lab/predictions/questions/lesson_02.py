"""Questions of lesson 02: a bounded queue and its workers."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "02a": Question(
        "Twice the capacity comes, service times are constant, and every customer waits half a "
        "second. You let more and more orders wait in the queue. What does that do to the tickets "
        "sold in time?",
        "Nothing; then, at one length, they drop to almost none",
        {
            "It sells more and more: fewer are refused": (
                "An order that is not refused has to be *served*, and the workers are no faster "
                "than before. A longer queue sells nothing more. It only makes people wait."
            ),
            "It sells a little less with every place": (
                "It would if customers' timeouts differed, and the next picture shows that. Here "
                "they don't: the queue is always full, so everyone waits the *same* time, just "
                "short enough for all, or just too long for all."
            ),
            "Nothing; then, at one length, they drop to almost none": (
                "Yes, a cliff. It stands where a full queue takes as long as the client timeout."
            ),
            "Nothing: the workers are busy either way": (
                "Busy they are, on both sides of the cliff. Beyond it they work for people who "
                "have left."
            ),
        },
    ),
    "02b": Question(
        "At most 32 may wait, the queue is full, and twice the capacity keeps coming. Let "
        "newcomers wait outside for a place, up to 64 of them; refuse them; or drop those who have "
        "waited too long. Which of these sells nearly nothing?",
        "Letting 64 wait outside",
        {
            "Letting 64 wait outside": (
                "Yes. A line in front of the queue is part of it: 32 inside and 64 outside take "
                "longer than anyone waits. With 8 outside it sells as much as the others."
            ),
            "Refusing: half of the customers never get in": (
                "Half must go without whatever you do: there are twice as many as tickets. "
                "Refused at once, they at least know it, and the others get theirs."
            ),
            "Dropping: they had a place, and their waiting is wasted": (
                "Half must go without whatever you do. Here it is those who have waited longest, "
                "which hurts them, and keeps the queue short for all who come after."
            ),
            "None of them: each keeps the queue at 32": (
                "The queue is bounded, but the *line in front of it* is a queue as well, and "
                "counts in the same sum."
            ),
        },
    ),
    "02c": Question(
        "The service makes callers wait when it is full. Of two producers that could each send "
        "twice its capacity, one waits for each answer before it sends again, the other does "
        "not. What do they offer?",
        "The first: about the capacity. The second: twice as much",
        {
            "Both about the capacity: the service holds them back": (
                "It can hold back only one that *responds*. Nothing that a service does makes the "
                "other one send less."
            ),
            "The first: about the capacity. The second: twice as much": (
                "Yes. That is backpressure: the pressure goes back up the line to a producer that "
                "slows down."
            ),
            "Both twice the capacity: they do not know of each other": (
                "They need not. Each wait for an answer is the message, and the first one cannot "
                "send before it has heard it."
            ),
            "The first: nearly nothing, since it spends its time waiting": (
                "It waits just as long as it takes to get its turn: whenever a worker is free, "
                "the next order is already there."
            ),
        },
    ),
    "02d": Question(
        "A gateway lets through 90% of the capacity, never more. Now each payment takes twice as "
        "long. What does the service with an unbounded queue sell?",
        "Next to nothing",
        {
            "Half as much: it is half as fast": (
                "It works half as fast. But at 0.9 of what it *was* it now gets nearly twice what "
                "it can do, the queue grows, and all that work is done too late."
            ),
            "Next to nothing": (
                "Yes. A rate limit says how much comes; only backpressure says how much *can*."
            ),
            "As much as before: the rate limit protects it": (
                "The limit is a number from the past. It knows nothing of the payment, and lets "
                "through as before."
            ),
        },
    ),
    "02g": Question(
        "The gateway stays as it is, and the payment becomes slower and slower, up to seven times. "
        "Which of these services still sells all that is possible at seven times?",
        "The one that limits how long orders wait (CoDel)",
        {
            "The one where at most 8 may wait": (
                "It holds out for long, since 8 are few. But at seven times even 8 wait too long: "
                "two rounds of a worker take more than half a second."
            ),
            "Both the bound of 8 and the one that limits how long orders wait": (
                "At two, three and five times, yes. At seven times even 8 wait too long: a count "
                "that was chosen well is still a count."
            ),
            "The one that limits how long orders wait (CoDel)": (
                "Yes. It never looks at how many wait, only at how long they have waited, and that "
                "is right at any speed."
            ),
            "None: the payment is simply too slow": (
                "The payment is slow, so less is *possible*. The question is who sells that much."
            ),
        },
    ),
    "02e": Question(
        "On average 8 orders are being worked on and 32 are waiting; 190 leave every second. "
        "How long does an order stay, on average?",
        "About 0.21 s",
        {
            "About 0.04 s": ("That is the work alone, 8 ÷ 190. They wait before it, too."),
            "About 0.21 s": "Yes: 40 inside ÷ 190 a second. No more need be known.",
            "About 0.5 s, which is as long as they have patience": (
                "Patience says when they *leave*, not how long it takes. Count who is inside."
            ),
            "One cannot say without knowing how the times are spread": (
                "Surprisingly one can: whatever the spread, what is inside is the rate times the "
                "stay."
            ),
        },
    ),
    "02f": Question(
        "Four workers, no queue, and 90% of their capacity arrives at random. How many "
        "customers are refused?",
        "About a quarter",
        {
            "None: it is below capacity": (
                "On *average* it is. But chance sends five at once now and idles later, and no "
                "worker can work ahead."
            ),
            "About a tenth": (
                "That would be so if the refused came back in a lull. A lull is lost, and a "
                "crowd is refused: both at the same load."
            ),
            "About a quarter": (
                "Yes. A queue is there for *bursts*: ten places bring it down to 4%. "
                "For a lasting overload it does nothing."
            ),
        },
    ),
}
