"""What a load is to do, and what becomes of a request: plan, arrivals, visits, retries, fates.

Pure, and light enough for Locust's processes and for a browser. Begin with `plan.py`.
"""
