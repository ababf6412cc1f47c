"""Questions of lesson 11: limits that find themselves."""

from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    "11a": Question(
        "AIMD raises the limit by one when a call ends well and cuts it by a tenth when a call "
        "takes longer than 5 s, the published default. Customers wait half a second. The payment "
        "becomes twice as slow. How much of what is possible is served then?",
        "Hardly anything: no call that it hears of is slow enough to cut the limit",
        {
            "Nearly all: finding the limit is what it is made for": (
                "It finds *a* limit: the one at which calls take five seconds. Nobody who waits "
                "half a second is still there by then."
            ),
            "Hardly anything: no call that it hears of is slow enough to cut the limit": (
                "Yes. Every answer within 5 s counts as success, so the limit rises while "
                "everybody is late. A limit is only as good as the failure that it listens to."
            ),
            "About half: it is too high for a while and then too low": (
                "You think of the sawtooth, and you will see it. To swing it must be *cut* "
                "sometimes, and for that somebody must take longer than five seconds first."
            ),
        },
    ),
    "11b": Question(
        "Now the timeout in the rule is 0.2 s, well below the customers' own. Twice the capacity "
        "arrives for 30 s. What does the limit do?",
        "It climbs, falls to almost nothing within a moment, and climbs again",
        {
            "It climbs to one value and stays there": (
                "A rule that always adds or cuts never rests. It learns where the edge is by "
                "stepping over it."
            ),
            "It moves up and down a little around a good value": (
                "That is the textbook's sawtooth, and takes one more line. When the limit is too "
                "high, *everybody* inside is slow, and each of them cuts it: 0.9 to the power of "
                "40 is 1%."
            ),
            "It climbs, falls to almost nothing within a moment, and climbs again": (
                "Yes. One overload is reported by everyone who is inside, dozens of times, and the "
                "rule believes each of them."
            ),
        },
    ),
    "11c": Question(
        "Four workers, twice the capacity, and for 20 s the payment takes twice as long. A fixed "
        "limit of 8 orders, a fixed limit of 32, and three limits that adapt. Who serves most?",
        "The fixed 8 and those that adapt: about the same",
        {
            "Those that adapt: a fixed number must be wrong on one of the two days": (
                "A number *may* fit both days. 8 orders at 4 workers are served in time at either "
                "speed. Lesson 02 said so: the short queue held until the payment was five times "
                "as slow."
            ),
            "The fixed 8 and those that adapt: about the same": (
                "Yes. A well-sized bound is a hard rival. What a limit that adapts spares you is "
                "the sizing, not the loss."
            ),
            "The fixed 32: it has room when the payment is fast, and sheds least": (
                "At twice the capacity half of the orders are shed with any limit. With 32 inside, "
                "the slow payment makes all of the others late."
            ),
        },
        is_harmless=True,
    ),
    "11d": Question(
        "Gradient2 compares the last second with the average of the last ten minutes. 1.2× the "
        "capacity arrives, and nothing changes any more. After three minutes it serves nearly all "
        "that is possible. And after twelve?",
        "Hardly anything: it has drifted",
        {
            "As much as after three: nothing has changed, so it has settled": (
                "Nothing has changed *outside*. Inside, the average has: it now remembers a queue "
                "as the normal case, and lets a little more in."
            ),
            "More: it has had longer to learn": (
                "It has learnt, but what it learns from is its own queue. The longer that lasts, "
                "the more it takes it for normal."
            ),
            "Hardly anything: it has drifted": (
                "Yes. Step by step it takes its own queue for the normal case. Each step is too "
                "small to see in a demonstration of three minutes."
            ),
        },
    ),
    "11e": Question(
        "Envoy's gradient measures the time of an idle service once a minute. For that it pins "
        "the limit to 3 for 50 calls. Eight workers, twice the capacity: what does that cost?",
        "For a moment about half the workers are idle, and orders are shed all the same",
        {
            "Nothing: an order that is shed meanwhile would have been shed anyway": (
                "Half of them would. The other half would have been served by the workers that "
                "have nothing to do now."
            ),
            "For a moment about half the workers are idle, and orders are shed all the same": (
                "Yes. To know what no load looks like, somebody must have no load. The larger the "
                "service, the more of it is idle for that."
            ),
            "Everything, for as long as it measures: the service answers nobody": (
                "Three are inside all the time, and they are served faster than anybody else."
            ),
        },
    ),
    "11f": Question(
        "A shop that nobody has sized: its payment takes two calls at a time, and it doesn't say "
        "so. In front of it stands a limit that starts at 6 and adapts. Three times the capacity "
        "arrives, for real. What is its goodput?",
        "Most of the capacity, and nobody told it how much that is",
        {
            "Hardly anything at first: it needs minutes to learn": (
                "It would, had it begun ten times too high. From a start that is about right it "
                "only has to stay there."
            ),
            "Most of the capacity, and nobody told it how much that is": (
                "Yes. It asks whether one more in flight still adds to what is served. Two lines "
                "are busy with two or three, so it need not know that they are two."
            ),
            "As much as without it: a limit in front can't make the payment faster": (
                "The payment is no faster. But those who wait for it are served before they leave."
            ),
        },
        is_harmless=True,
    ),
}
