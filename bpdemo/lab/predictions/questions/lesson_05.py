"""Questions of lesson 05: the circuit breaker."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "05a": Question(
        "The payment hangs: it takes each call and never answers. With a breaker in front of it, "
        "what does a customer get who orders meanwhile?",
        "A no, within milliseconds",
        {
            "A ticket, as soon as the payment is back": (
                "A breaker keeps nobody's order and repeats nothing. It cannot repair the payment; "
                "it can only spare everybody the waiting."
            ),
            "A no, after the 200 ms that an attempt may take": (
                "That is what the *timeout* gives, to those few who get to a worker at all. An "
                "open breaker makes no attempt: it knows the answer."
            ),
            "A no, within milliseconds": (
                "Yes. The no costs no worker, no place in the queue, and none of the customer's "
                "patience, and it says when to come back."
            ),
            "Just what they get without one: their money cannot be taken": (
                "The ticket is lost either way, but the no is not the same: at once, or after half "
                "a second of waiting that kept four workers busy."
            ),
        },
    ),
    "05b": Question(
        "The breaker was open for a second and is half-open now, with "
        "breaker_half_open_calls = 3. The payment still hangs, and some ten customers arrive "
        "before the first probe has timed out. How many of them reach the payment?",
        "Exactly three",
        {
            "All of them, until the first one fails": (
                "That would be a stampede onto a service that is just getting up. Half-open "
                "*counts*: who finds no probe left is refused as if it were open."
            ),
            "None: the service itself sends a test call first": (
                "Nothing here calls the payment on its own. The probes are real orders of real "
                "customers, and in an outage they are sacrificed."
            ),
            "A few, by chance: a small share is let through": (
                "Some breakers do that, and then what they learn depends on the traffic. This one "
                "hands out a number of permits, not a share."
            ),
            "Exactly three": (
                "Yes: three real orders are the price of each question. The first that fails opens "
                "the breaker again, and only if all three succeed does it close."
            ),
        },
    ),
    "05c": Question(
        "Others only look at items: they pay nothing, and the catalogue is well. The door has "
        "seats for 12 requests of any kind. The payment hangs, and there is no breaker. "
        "What do those who look notice?",
        "A good part of them is refused at the door",
        {
            "Nothing: looking does not touch the payment": (
                "It does not touch the payment, but it shares the *seats* with orders that do. "
                "Each order holds its seat for half a second now, and was in and out before."
            ),
            "They wait longer, and see their item": (
                "Looking is as fast as ever, for those who get in. The door is what is full."
            ),
            "A good part of them is refused at the door": (
                "Yes. This is how the outage of one dependency becomes the outage of all: not by a "
                "call, but by what the waiting calls hold on to."
            ),
        },
    ),
    "05d": Question(
        "The payment is up, but one call in five fails. An order may try three times. Somebody "
        "finds 20 % alarming and sets the breaker so: open for 5 s when 20 % of five calls or more "
        "have failed. How much is sold, compared with no breaker at all?",
        "Next to nothing",
        {
            "A little more: failing calls are spared": (
                "Four of five calls that it spares would have *succeeded*. A breaker pays where "
                "nearly all calls fail, for only then is a no the right answer."
            ),
            "The same: nothing is down, so it stays closed": (
                "It does not know what is down. It knows a share and a threshold, and chance takes "
                "a share of five calls over 20 % at once."
            ),
            "About four fifths": (
                "That would be what one attempt gives without a breaker. While this one is open, "
                "which is nearly always, it is nothing at all."
            ),
            "Next to nothing": (
                "Yes. Retries had made 20 % harmless; the breaker turned it into an outage of its "
                "own making. And it stays: three probes in a row succeed only half of the time."
            ),
        },
    ),
    "05e": Question(
        "How long should a breaker stay open? From half a second to five: what changes?",
        "A short one sacrifices more customers, a long one comes back later",
        {
            "A long one is safer: it leaves the payment in peace": (
                "It does, and it leaves the customers in peace too, long after the payment could "
                "have served them."
            ),
            "A short one sacrifices more customers, a long one comes back later": (
                "Yes. Each question costs three orders, and the answer is on average half of "
                "`breaker_open_s` old."
            ),
            "A short one is better in every way: it comes back sooner": (
                "It comes back sooner, and until then it asks more often: each time three real "
                "customers wait for a payment that is down."
            ),
        },
    ),
}
