"""What runs in Locust's processes, where gevent has patched everything.

Uses `plan` alone: no numpy, no pandas, no picture. Begin with `locustfile.py`.
"""
