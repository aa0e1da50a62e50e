"""The bug museum: gradient bugs of public GAN projects, each one put into minigan's own code.

    with minigan.bugs.cache_clobber():               # inside the block, the bug is there
        gan.train_step(real)
    print(minigan.bugs.REGISTRY["cache_clobber"])    # the wrong lines beside the right ones
    print(minigan.bugs.counts())                     # how many, shipped by whom, caught by what
    print(minigan.bugs.examine())                    # which check catches which bug

36 of the 38 were shipped by public projects; each exhibit says by whom. Two are ours, made to show
what a weak check lets through. Here they test the checker. The general checker,
`minigan.gradcheck`, catches the bugs that make a gradient wrong. The others leave every gradient
right (of another function, an optimizer, an option, the data), and each of those is caught by a
test of its own, which its exhibit names. A bug is in for the whole process, with all its threads,
until its context is left.
"""

from .catalogue import REGISTRY, counts
from .checks import CHECKS
from .examination import Examination, complaint, examine
from .mutants import Bug, Edit
from .weak import WEAK


def __getattr__(name):
    """Each bug by its name."""
    if name in REGISTRY:
        return REGISTRY[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Bug", "CHECKS", "Edit", "Examination", "REGISTRY", "WEAK", "complaint", "counts"]
__all__ += ["examine", *REGISTRY]
