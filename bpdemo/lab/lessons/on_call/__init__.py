"""A service that is stuck, what somebody on call does about it, and what that cost. Lesson 12."""
