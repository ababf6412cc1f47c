"""A service that is stuck, what somebody on call does about it, and what that cost.

Lesson 12 and its first exercise. Uses the simulation of `services`; nothing here measures in real
time. Begin with `rescue.py`.
"""
