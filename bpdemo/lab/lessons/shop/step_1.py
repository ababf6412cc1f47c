"""Step 1: the route that everybody writes. Where is its queue, and where does it end?"""

from fastapi import FastAPI
from pydantic import BaseModel

from bpdemo.lab.lessons.shop.payment import pay

app = FastAPI()


class Order(BaseModel):
    item_id: int


@app.post("/orders", status_code=201)
async def order(wanted: Order) -> Order:
    await pay()
    return wanted
