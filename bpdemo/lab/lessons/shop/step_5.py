"""Step 5: the first route again. The middleware has the bound and the deadline."""

from fastapi import FastAPI
from pydantic import BaseModel

from bpdemo.lab.lessons.shop.payment import pay
from bpdemo.protect import AdmissionControl, Rule

app = FastAPI()
app.add_middleware(
    AdmissionControl,
    paths={"/orders": Rule(concurrency=2, queue_capacity=4)},
)


class Order(BaseModel):
    item_id: int


@app.post("/orders", status_code=201)
async def order(wanted: Order) -> Order:
    await pay()
    return wanted
