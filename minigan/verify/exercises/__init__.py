"""Exercises: write the backward passes of a GAN yourself, and be told what is wrong.

    python -m minigan.exercises start FOLDER       puts thirty pages into a folder
    cd FOLDER
    python -m minigan.exercises watch              checks a page each time it is saved

The other commands are `check`, `hint`, `solution` and `progress`. The functions of the same names
do the same in a notebook:

    minigan.exercises.start("exercises")
    minigan.exercises.check("linear_backward", folder="exercises")

A page is a Python file with a task, its formula, shapes, numbers worked by hand, and a gap to fill
in. The exercises lead from one neuron to a GAN that consists of the learner's own functions,
trained on a ring of eight Gaussians. Each page runs in a process of its own, limited in time and
memory. `ladder` says how an exercise is written.
"""

from .command import check, hint, progress, solution, start, watch
from .ladder import Exercise, exercises
from .sandbox import Outcome

__all__ = [
    "Exercise",
    "Outcome",
    "check",
    "exercises",
    "hint",
    "progress",
    "solution",
    "start",
    "watch",
]
