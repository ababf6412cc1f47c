"""It reads, and orders nothing."""

import random

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 40

    @task
    def order(self):
        self.client.get(f"/items/{random.randint(1, 100)}")
