"""The service of lesson 09: one file, in five steps, as a learner edits it.

Each step runs by itself (`uvicorn bpdemo.lab.lessons.shop.step_1:app`). They use FastAPI, the
stand-in `payment`, and in the end `bpdemo.protect`. Begin with `step_1.py`.
"""
