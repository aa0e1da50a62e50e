"""Checks of arguments: the annotation of a parameter says what is expected of it.

    @checked
    def gaussian_ring(modes: Count = 8, *, std: Positive = 0.02): ...

    gaussian_ring(0)    ValueError: gaussian_ring: modes must be an integer >= 1, got 0

To Python and to a type checker a Count is an int. `checked` reads the annotations once, when the
function is defined; at each call it passes the arguments to their rules, and what the rules return
to the function. So below the signature there is only the mathematics. A rule is called as
rule(owner, name, value) and returns the value, converted, or raises

    "<owner>: <name> must be <expected>, got <value>"

with TypeError for a value of the wrong kind, ValueError for one out of range. An annotation may
also say how an argument goes with the one before it: in f(x: Points, y: OtherPoints), y must have
as many columns as x. Constructors of layers, penalties and other families are checked without a
decorator (see `CheckedConstructors`).

Reading a call's arguments takes some microseconds, so what runs in every training step has no
decorator. It calls a rule itself (`numbers`), as does what depends on the state of an object.

words       what an error says
objects     rules and types for numbers, sizes, seeds, files, functions, objects
arrays      rules and types for arrays; relations between arguments
parts       what layers, networks, losses and optimizers ask of each other
signatures  `checked`
"""

# ruff: noqa: F403
from .arrays import *
from .objects import *
from .parts import *
from .signatures import *
from .words import *
