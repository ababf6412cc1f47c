"""Customers for Locust's web page, spread over as many workers as one starts.

Each user sends one order a second and waits for its answer, so this load is *closed*: it slows down
with the service. It is for watching dashboards. To measure overload use `bpdemo load`, whose orders
arrive whatever happens.
"""

import random

from locust import FastHttpUser, constant_throughput, task


class Customer(FastHttpUser):
    wait_time = constant_throughput(1)

    @task(4)
    def look(self) -> None:
        self.client.get(f"/items/{random.randint(1, 100)}", name="/items/{id}")

    @task
    def buy(self) -> None:
        order = {"item_id": random.randint(1, 100), "quantity": 1}
        with self.client.post("/orders", json=order, catch_response=True) as answer:
            # A no is what the service is meant to say; only what broke counts as a failure.
            if answer.status_code in (201, 409, 429, 503):
                answer.success()
