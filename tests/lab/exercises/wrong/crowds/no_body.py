"""An order for nothing."""

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 40

    @task
    def order(self):
        self.client.post("/orders")
