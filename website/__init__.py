"""The site: lessons as they read when run, exercises, guide, results, API. `make site` builds it.

`scripts/website.py` is the way in. `lessons.py` runs the notebooks, `outputs.py` makes what they
show fit for a page, `sources.py` lays out what Sphinx reads, `inspection.py` looks at what it made.
"""
