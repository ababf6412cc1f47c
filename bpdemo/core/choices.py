"""Every choice among a few words, written once; everything else reads it by `get_args`.

A second list of the same words forgets the next one that is added to the first.
"""

from typing import Final, Literal, get_args

# Of the service
WhenFull = Literal["reject", "block"]
QueueDiscipline = Literal["fifo", "lifo", "adaptive_lifo", "priority", "codel"]
Jitter = Literal["full", "equal", "decorrelated", "none"]
Distribution = Literal["constant", "exponential", "lognormal", "bimodal"]
LimitAlgorithm = Literal["fixed", "aimd", "vegas", "gradient2", "gradient", "own"]
StoreKind = Literal["memory", "embedded", "postgres"]
LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]
Traces = Literal["off", "console", "otlp", "memory"]
ServiceState = Literal["starting", "open", "draining", "stopped"]
OrderStatus = Literal["pending", "confirmed", "failed"]
SpanKindName = Literal["internal", "server", "client"]

# Of a load
Scenario = Literal["steady", "ramp", "spike", "sustained", "retry_storm", "closed"]
Backoff = Literal["none", "exponential", "retry_after"]
#: Of a client. `decorrelated` needs the last wait, which a stateless client does not keep.
ClientJitter = Literal["none", "full", "equal"]
#: What a client library does about failures, besides waiting.
RetryPolicyName = Literal[
    "sre_throttling", "grpc_tokens", "aws_bucket", "aws_bucket_2025", "linkerd_budget"
]
Fate = Literal["ok", "late", "shed", "failed"]
Priority = Literal["0", "1", "2", "3"]

# Of the lab
Profile = Literal["unprotected", "protected"]
Where = Literal["thread", "process"]

DISCIPLINES: Final[tuple[QueueDiscipline, ...]] = get_args(QueueDiscipline)
DISTRIBUTIONS: Final[tuple[Distribution, ...]] = get_args(Distribution)
LIMIT_ALGORITHMS: Final[tuple[LimitAlgorithm, ...]] = get_args(LimitAlgorithm)
JITTERS: Final[tuple[Jitter, ...]] = get_args(Jitter)
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
SCENARIOS: Final[tuple[Scenario, ...]] = get_args(Scenario)
BACKOFFS: Final[tuple[Backoff, ...]] = get_args(Backoff)
CLIENT_JITTERS: Final[tuple[ClientJitter, ...]] = get_args(ClientJitter)
RETRY_POLICIES: Final[tuple[RetryPolicyName, ...]] = get_args(RetryPolicyName)
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
