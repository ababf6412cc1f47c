"""Questions of lesson 12: the point of no return."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "12a": Question(
        "The naive service at 60% of capacity, and clients that retry three times. The payment is "
        "five times as slow for 0.6 s, and everything recovers. Now the same for 1.1 s: half a "
        "second longer. What happens?",
        "It never recovers: from then on nobody is served",
        {
            "It recovers as well, half a second later": (
                "That is how a queue without retries behaves. With them there is a length from "
                "which the trigger sets off something that no longer needs it."
            ),
            "It never recovers: from then on nobody is served": (
                "Yes. Half a second decides between a dip that nobody remembers and an "
                "outage that does not end."
            ),
            "It recovers, but takes many times as long": (
                "There is no such thing in between, or hardly: either the queue runs empty, or "
                "each order comes four times, and it grows for ever."
            ),
        },
    ),
    "12b": Question(
        "The same clients, and a trigger of two seconds, at three loads: 20%, 40% and 60% of "
        "capacity. Before the trigger nobody could tell the three services apart by their "
        "median latency. Which of them recover?",
        "The one at 20% alone",
        {
            "All but the one at 60%": (
                "40% leaves more than half of the capacity free, as long as each order comes once. "
                "When each comes four times it is 160%."
            ),
            "The one at 20% alone": (
                "Yes. Four times 20% is 80%, which the service can process. Four times 40% is not."
            ),
            "All three: below capacity a queue always empties": (
                "It does if the load stays what it was. Here the load is what the clients make of "
                "it, and in a storm each of them sends four attempts."
            ),
        },
    ),
    "12c": Question(
        "At 60% of capacity, after a trigger of three seconds. Clients back off exponentially with "
        "jitter; clients retry once in place of three times; the service drops the orders of "
        "callers who have left; it has twice as many workers as before. Each alone: which of them "
        "bring it back?",
        "None of the four",
        {
            "Backoff and twice the workers": (
                "Backoff postpones attempts and removes none, and new customers keep coming. "
                "Twice the workers make 30% of 60%, and four times 30% is still 120%."
            ),
            "One retry: half of the attempts": (
                "Half of the attempts are two for each order, and twice 60% is 120%. Fewer retries "
                "count where they bring the product below 100%."
            ),
            "None of the four": (
                "Yes. Each of them is good advice for something else. None brings the attempts for "
                "each order, times the load, below what the service can process."
            ),
        },
    ),
    "12d": Question(
        "The service has been stuck for 13 s. You are on call, and restart it. It is back within "
        "a moment, with an empty queue. What happens?",
        "It is stuck again within a second",
        {
            "It serves: the queue was the problem, and it is empty": (
                "Those who stood in it are still there. They hear that their connection broke, and "
                "all of them come back in that same moment."
            ),
            "It is stuck again within a second": (
                "Yes. Everyone who waited comes back at once, and the new queue is too long from "
                "the start. A restart must last longer than the wave that it sets off."
            ),
            "It serves until the next slow payment": (
                "That would be so after a restart of a second or more. This one is too short: "
                "those who waited still have attempts left."
            ),
        },
    ),
    "12e": Question(
        "You got it back with a longer restart, and changed nothing else. Twenty-five seconds "
        "later the payment is slow for two seconds again. What then?",
        "It is stuck as before",
        {
            "It recovers: the storm is over": (
                "The storm was the symptom. What made it, clients that retry before a queue "
                "without a bound, is all still there."
            ),
            "It is stuck as before": (
                "Yes. The trigger is not the root cause. What sustains the failure is, and a "
                "restart does not touch it."
            ),
            "It is stuck, but for a shorter time": (
                "There is no shorter: what keeps it stuck does not wear off."
            ),
        },
    ),
}
