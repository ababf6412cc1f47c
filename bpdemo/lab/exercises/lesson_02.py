"""The exercises of lesson 02."""

from __future__ import annotations

from bpdemo.lab.exercises.exercise import Exercise

EXERCISES: dict[str, Exercise] = {}
