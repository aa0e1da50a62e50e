"""The bug museum: the gradient bugs of public projects, each put into this very code.

    with minigan.bugs.cache_clobber():               # in here, the bug is there
        gan.train_step(real)
    print(minigan.bugs.REGISTRY["cache_clobber"])    # the wrong lines beside the right ones
    print(minigan.bugs.examine())                    # which check catches which bug

They shipped, past the tests that there were. Here they try the checker: every one must be caught by
`minigan.gradcheck` or, where its gradient is right, by a test that has a name. A bug is in for the
whole process, all its threads, until its context is left.
"""

from .catalogue import REGISTRY
from .checks import CHECKS
from .examination import Examination, complaint, examine
from .mutants import Bug, Edit
from .weak import WEAK

globals().update(REGISTRY)

__all__ = ["Bug", "CHECKS", "Edit", "Examination", "REGISTRY", "WEAK", "complaint", "examine"]
__all__ += list(REGISTRY)
