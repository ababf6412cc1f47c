"""Questions of lesson 04: timeouts, retries, jitter."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "04a": Question(
        "Twice the capacity comes. Every customer has a timeout of half a second, and leaves when "
        "it is over. How much work do the workers of the naive service do from then on?",
        "As much as before, all of their time",
        {
            "About half: the timeouts take away what is too much": (
                "The timeouts take away the *customers*. Their orders stay in the queue: this "
                "service takes no notice of the connections that close."
            ),
            "Hardly any: nobody needs it once they have left": (
                "So it should be, and the closed connections would even tell it. This service "
                "takes no notice of them, and works on."
            ),
            "As much as before, all of their time": (
                "Yes. A timeout frees the caller. The work that they asked for goes on without "
                "them."
            ),
        },
    ),
    "04b": Question(
        "Twice the capacity comes, and two means are tried against wasted work: a queue of at "
        "most 61, or a deadline that travels with each order. Then the payment becomes twice as "
        "slow. Which of the two is enough alone?",
        "Either, at the usual speed; only the deadline when the payment is slower",
        {
            "Neither: it takes both": (
                "It looks so if you try the deadline without a bound and then both, and forget to "
                "try the bound alone. That is the arm that was missing."
            ),
            "The bound, at both speeds": (
                "61 was calculated for a payment of 40 ms. At 80 ms everybody who gets in waits "
                "too long."
            ),
            "Either, at the usual speed; only the deadline when the payment is slower": (
                "Yes. The bound is a number about the speed for which it was chosen. The deadline "
                "is about time, and right at any speed."
            ),
            "Neither, once the payment is slower": (
                "A payment that is twice as slow leaves half of the capacity, and that half can be "
                "sold. The question is who sells it."
            ),
        },
    ),
    "04c": Question(
        "The payment is slow for three seconds, then as fast as ever. Customers who give up try "
        "again at once, three times at most. All the time the offer is 0.6 of capacity. When does "
        "the naive service sell again?",
        "Never, as long as this load goes on",
        {
            "At once, when the payment is fast again": (
                "By then hundreds of old orders stand before every new one, and each new customer "
                "becomes four."
            ),
            "After some seconds, when the queue is drained": (
                "It would, if 0.6 came. But each of those customers comes four times: that is 2.4 "
                "times the capacity, and the queue grows."
            ),
            "Never, as long as this load goes on": (
                "Yes. The cause is gone, the collapse stays: the retries alone are more than it "
                "can do."
            ),
        },
    ),
    "04d": Question(
        "The same three seconds, the same service. But the customers are polite: they wait longer "
        "before each retry, and each for a random time (exponential backoff, full jitter). What "
        "does it sell five seconds after?",
        "Nothing, as before",
        {
            "About half of the offer": (
                "Backoff *delays* the retries by a second or so. It does not make them fewer, and "
                "the queue forgets nobody."
            ),
            "Nothing, as before": (
                "Yes. Three retries are three retries, however politely they come."
            ),
            "All of the offer: that is what backoff and jitter are for": (
                "They are for something else, which comes next. Against too *many* retries they "
                "do not help."
            ),
        },
    ),
    "04e": Question(
        "The doors open, and hundreds come in the same twentieth of a second. Nearly all are "
        "refused, and try again with exponential backoff. From half a second on: how high are the "
        "waves of retries with jitter, compared to those without?",
        "A quarter as high, or less",
        {
            "As high: the same number of retries comes": (
                "The same *number* comes. Without jitter it comes in the same moments."
            ),
            "A little lower": (
                "More than that. After a few retries the random waits are spread over most of a "
                "second; a wave that was as short as the opening becomes a hum."
            ),
            "A quarter as high, or less": (
                "Yes. Without jitter the crowd stays a crowd: backoff only sets the times at which "
                "it comes back together."
            ),
        },
    ),
    "04f": Question(
        "Five times the capacity comes for ten seconds. The service refuses most, each with a time "
        "to come back (*Retry-After*). One crowd obeys it, another tries again at once, three "
        "times each. Who sells more to the *new* customers of the ten seconds after it?",
        "The crowd that ignored it",
        {
            "The crowd that obeyed": (
                "They come back when told, all of them, and stand before the new ones. Those who "
                "ignored it have used up their retries and gone home."
            ),
            "No difference: the rush is over": (
                "For those who ignored it, it is. Those who obeyed it have only put it off."
            ),
            "The crowd that ignored it": (
                "Yes, odd as it sounds. To obey is to wait in a queue at home, and that queue is "
                "processed after the rush."
            ),
        },
    ),
}
