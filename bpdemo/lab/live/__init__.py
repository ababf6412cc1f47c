"""What moves while it is looked at: the cockpit with its sliders, and the live picture.

Uses `lab.services`, `load` and `picture`. Begin with `cockpit_panel.py`.
"""
