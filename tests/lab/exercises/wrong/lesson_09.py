"""Usual wrong answers to the exercise of lesson 09: source, and some words of what it is told.

Each answer names a file. Those that are made here stand in `shops/`.
"""

from pathlib import Path

SHOPS = Path(__file__).parent / "shops"
STEPS = Path(__file__).parents[4] / "bpdemo" / "lab" / "lessons" / "shop"

WRONG: dict[str, dict[str, str]] = {
    "09a": {
        f"shop = {str(STEPS / 'step_1.py')!r}\n": "Nobody was rejected",
        f"shop = {str(STEPS / 'step_2.py')!r}\n": "A semaphore alone only moves that queue",
        f"shop = {str(SHOPS / 'long_queue.py')!r}\n": "longer than the client timeout",
        f"shop = {str(SHOPS / 'no_retry_after.py')!r}\n": "come back at once, and all together",
        f"shop = {str(SHOPS / 'lost_places.py')!r}\n": "kept its place for ever",
        f"shop = {str(SHOPS / 'one_worker.py')!r}\n": "the payment had capacity to spare",
        "shop = 'shop:app'\n": "The answer names the file of your shop",
    },
}
