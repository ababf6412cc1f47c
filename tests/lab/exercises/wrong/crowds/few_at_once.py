"""An open loop with room for three."""

import random

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 40
    max_waiting = 3

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": random.randint(1, 100)})
