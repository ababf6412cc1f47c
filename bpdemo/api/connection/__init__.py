"""The connection, below ASGI: what uvicorn leaves open to callers who are slow or odd on purpose.

Uses uvicorn's own protocol, and of this room only the edge's errors and problems. Begin with
`wire.py`, which tells what becomes of a request; each other file holds one idea of it.
"""
