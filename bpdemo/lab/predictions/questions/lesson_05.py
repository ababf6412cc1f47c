"""Questions of lesson 05: the circuit breaker."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "05a": Question(
        "The payment hangs: it takes each call and never answers. With a breaker in front of it, "
        "what does a customer get who orders meanwhile?",
        "A rejection, within milliseconds",
        {
            "A ticket, as soon as the payment has recovered": (
                "A breaker keeps nobody's order and repeats nothing. It can't repair the payment. "
                "It can only spare everybody the waiting."
            ),
            "A rejection, after the 200 ms that an attempt may take": (
                "That is what the *timeout* gives, to those few who get to a worker at all. An "
                "open breaker makes no attempt: it rejects at once."
            ),
            "A rejection, within milliseconds": (
                "Yes. The rejection takes up no worker, no place in the queue and none of the "
                "customer's time, and it says when to come back."
            ),
            "The same as without one": (
                "The order is lost either way, but the answer isn't the same. It comes at once, or "
                "after half a second of waiting that kept four workers busy."
            ),
        },
    ),
    "05b": Question(
        "The breaker was open for a second and is half-open now, with "
        "breaker_half_open_calls = 3. The payment still hangs, and some ten customers arrive "
        "before the first trial request has timed out. How many of them reach the payment?",
        "Exactly three, and the others are rejected",
        {
            "All of them, until the first one fails": (
                "That would be a stampede onto a service that is just recovering. Half-open "
                "*counts*: an order that finds no permit left is rejected as if it were open."
            ),
            "None: the service itself sends a test call first": (
                "Nothing here calls the payment on its own. The trial requests are real orders of "
                "real customers, and in an outage they are sacrificed."
            ),
            "A few at random: a small share is let through": (
                "Some breakers do that, and then what they learn depends on the traffic. This one "
                "gives out a number of permits, not a share."
            ),
            "Exactly three, and the others are rejected": (
                "Yes. Three real orders are the price of each trial. The first one that fails "
                "opens the breaker again, and only if all three succeed does it close."
            ),
        },
    ),
    "05c": Question(
        "Others only look at items. They pay nothing, and the catalogue works. The concurrency "
        "limit is 12 requests of any kind. The payment hangs, and there is no breaker. "
        "What do those who look notice?",
        "Many of them are rejected at admission",
        {
            "Nothing, since looking does not touch the payment": (
                "It doesn't touch the payment, but it shares the *limit* with orders that do. "
                "Each order takes up a place for half a second now, and a fraction of it before."
            ),
            "They wait longer, and see their item all the same": (
                "Looking is as fast as ever, for those who get in. It is the limit that is reached."
            ),
            "Many of them are rejected at admission": (
                "Yes. This is how the outage of one dependency becomes the outage of all: not by a "
                "call, but by what the waiting calls hold on to."
            ),
        },
    ),
    "05d": Question(
        "The payment is up, but one call in five fails. An order may try three times. Somebody "
        "finds 20% alarming, and sets the breaker to open for 5 s when 20% of at least five calls "
        "have failed. How many orders are served, compared with no breaker at all?",
        "Hardly any",
        {
            "A few more: failing calls are spared": (
                "Four of five calls that it spares would have *succeeded*. A breaker pays where "
                "nearly all calls fail, for only then is a rejection the right answer."
            ),
            "The same: nothing is down, so it stays closed": (
                "It doesn't know what is down. It knows a share and a threshold, and of five calls "
                "a random one or two soon make 20%."
            ),
            "About 80%": (
                "That would be what one attempt gives without a breaker. While this one is open, "
                "which is nearly always, it is nothing at all."
            ),
            "Hardly any": (
                "Yes. Retries had made 20% harmless, and the breaker turned it into an outage of "
                "its own making. And it lasts: three trial requests in a row succeed only half of "
                "the time."
            ),
        },
    ),
    "05e": Question(
        "How long should a breaker stay open? From half a second to five: what changes?",
        "A short one sacrifices more customers, a long one comes back later",
        {
            "Nothing that customers see: a long one only leaves the payment in peace for longer": (
                "It does that, and it goes on rejecting long after the payment could have served "
                "the customers."
            ),
            "A short one sacrifices more customers, a long one comes back later": (
                "Yes. Each trial costs three orders, and what it found is on average half of "
                "`breaker_open_s` old."
            ),
            "A short one is better in every way": (
                "It comes back sooner, and until then it tries more often. Each time three real "
                "customers wait for a payment that is down."
            ),
        },
    ),
}
