"""An open loop whose callers queue up before they send."""

import random

from gevent.lock import Semaphore
from locust import task

from bpdemo.load.open_loop import OpenLoopUser

connections = Semaphore(3)


class Buyer(OpenLoopUser):
    rate = 40

    @task
    def order(self):
        with connections:
            self.client.post("/orders", json={"item_id": random.randint(1, 100)})
