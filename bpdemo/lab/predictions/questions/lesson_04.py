"""Questions of lesson 04: timeouts, retries, jitter."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "04a": Question(
        "Twice the capacity arrives. Every customer has a timeout of half a second, and leaves "
        "when it is over. How much work do the workers of the naive service do from then on?",
        "As much as before, all of their time",
        {
            "About half: the timeouts take away what is too much": (
                "The timeouts take away the *customers*. Their orders stay in the queue: this "
                "service takes no notice of connections that close."
            ),
            "Hardly any: nobody needs it": (
                "So it should be, and the closed connections would even tell it. This service "
                "takes no notice of them, and goes on working."
            ),
            "As much as before, all of their time": (
                "Yes. A timeout frees the caller. The work that they asked for goes on without "
                "them."
            ),
        },
    ),
    "04b": Question(
        "Twice the capacity arrives, and two things are tried against wasted work: a queue of at "
        "most 61, or a deadline that travels with each order. Then the payment becomes twice as "
        "slow. Which of the two is enough on its own?",
        "Either at the usual speed, only the deadline at half of it",
        {
            "Neither of them: at both speeds it takes the two of them together": (
                "It looks so if you try the deadline without a bound and then both, and forget to "
                "try the bound alone."
            ),
            "The bound, at both speeds": (
                "61 was calculated for a payment of 40 ms. At 80 ms everybody who gets in waits "
                "too long."
            ),
            "Either at the usual speed, only the deadline at half of it": (
                "Yes. The bound is a number about the speed for which it was chosen. The deadline "
                "is about time, and moves with the speed."
            ),
            "Either at the usual speed, and neither of them at half of it": (
                "A payment that is twice as slow leaves half of the capacity, and that half can be "
                "served. The question is how."
            ),
        },
    ),
    "04c": Question(
        "The payment is slow for three seconds, then as fast as ever. Customers who give up try "
        "again at once, three times at most. All the time 0.6 of capacity is offered. When does "
        "the naive service serve in time again?",
        "Never, as long as this load goes on",
        {
            "At once": (
                "By then hundreds of old orders are ahead of every new one, and each new customer "
                "becomes four."
            ),
            "After some seconds, when the queue has been drained": (
                "It would, if 0.6 arrived. But each of those customers arrives four times. That is "
                "2.4 times the capacity, and the queue grows."
            ),
            "Never, as long as this load goes on": (
                "Yes. The cause is gone and the collapse stays: the retries alone are more than it "
                "can process."
            ),
        },
    ),
    "04d": Question(
        "The same three seconds, the same service. But the customers are polite: they wait longer "
        "before each retry, and each for a random time (exponential backoff, full jitter). What "
        "does it serve in time five seconds after?",
        "Next to nothing, as without the backoff",
        {
            "About half of what is offered": (
                "Backoff *delays* the retries by a second or so. It doesn't make them fewer, and "
                "the queue forgets nobody."
            ),
            "Next to nothing, as without the backoff": (
                "Yes. Three retries are three retries, however politely they are sent."
            ),
            "All that is offered: that is what backoff and jitter are for": (
                "They are for something else, which comes next. Against too *many* retries they "
                "do not help."
            ),
        },
    ),
    "04e": Question(
        "The sale opens, and hundreds of orders arrive within 50 ms. Nearly all are "
        "rejected, and try again with exponential backoff. From half a second on: how high are the "
        "peaks of the retries with jitter, compared with those without?",
        "A quarter as high, or less",
        {
            "As high, because the same number of retries is sent": (
                "The same *number* is sent. Without jitter it arrives in the same moments."
            ),
            "A little lower": (
                "Much lower. After a few retries the random waits are spread over most of a "
                "second, and the peak has become a steady rate."
            ),
            "A quarter as high, or less": (
                "Yes. Without jitter the crowd stays a crowd: backoff only sets the times at which "
                "it comes back together."
            ),
        },
    ),
    "04f": Question(
        "Five times the capacity arrives for ten seconds. The service rejects most, each with a "
        "time to come back (*Retry-After*). One crowd obeys it, another tries again at once, three "
        "times each. After which of them are more of the *new* customers of the next ten seconds "
        "served?",
        "After the crowd that ignored it",
        {
            "After the crowd that obeyed": (
                "They come back when told, all of them, and are ahead of the new ones. Those who "
                "ignored it have used up their retries and gone home."
            ),
            "No difference: once it is over, the rush is over for both": (
                "For those who ignored it, it is. Those who obeyed have only put it off."
            ),
            "After the crowd that ignored it": (
                "Yes, odd as it sounds. To obey is to wait in a queue at home, and that queue is "
                "processed after the rush."
            ),
        },
    ),
}
