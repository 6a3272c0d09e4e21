"""Synthetic wrists: anatomy, disease, projection physics, centres, and patients over time.

A phantom is a phantom: whatever is measured on one is labelled so and says nothing about patients.
"""

from carpus.phantom.centres import Centre
from carpus.phantom.cohort import Visit, plan_cohort
from carpus.phantom.wrist import Phantom, draw

__all__ = ["Centre", "Phantom", "Visit", "draw", "plan_cohort"]
