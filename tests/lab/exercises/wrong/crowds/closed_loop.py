"""Locust's own user."""

import random

from locust import HttpUser, constant, task


class Buyer(HttpUser):
    wait_time = constant(0)

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": random.randint(1, 100)})
