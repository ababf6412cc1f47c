"""A name that nothing has."""

import random

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = int("forty")

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": random.randint(1, 100)})
