"""The service of lesson 09: one file, in five steps, as a learner edits it.

Each step runs by itself (`uvicorn bpdemo.lab.lessons.shop.step_1:app`). Uses FastAPI, the
stand-in `payment`, and in the last step `bpdemo.protect`. Begin with `step_1.py`.
"""
