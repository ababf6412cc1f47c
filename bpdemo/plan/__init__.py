"""What a load is to do, and what becomes of a request: plan, arrivals, visits, retries, fates.

Uses `core` alone: pure, and light enough for Locust's processes and for a browser. Begin with
`plan.py`; `arguments.py` has what the callers of a load may give.
"""
