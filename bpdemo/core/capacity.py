"""How much a service can do at best."""


def nominal_capacity(workers: int, service_s: float) -> float | None:
    """Workers ÷ mean service time, in orders a second; None where an order takes no time.

    It holds where work waits for a worker and nothing else is the limit. What a machine really
    does is measured by a load in steps.
    """
    return workers / service_s if service_s > 0 else None
