"""As it should be."""

import random

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 40

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": random.randint(1, 100)})
