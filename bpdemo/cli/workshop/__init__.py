"""`bpdemo lab`: the course in a folder of the learner's, opened in JupyterLab.

`lab.py` makes the environment and then hands over to this, so there is one launcher with two ways
in. Begin with `workshop.py`; `course.py` lays out the files, `new_exercises.py` those that came
later, and `jupyter.py` starts the server.

Uses `core` alone; JupyterLab runs in a process of its own.
"""
