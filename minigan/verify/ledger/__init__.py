"""One training step as a ledger: every value of its forward passes, every gradient of the backward.

    ledger = minigan.ledger.record(gan, real)
    print(ledger)                      # a table, from the loss back to the noise
    ledger.check()                     # compares each gradient with its central differences
    print(ledger.differences())        # small gradients entry by entry, beside the differences
    ledger.plot("step.png")            # the network, and on it every value and every gradient
    ledger.to_html("step.html")        # a page: click a number to see its sum, drag a weight
    ledger.who_moved()                 # a fake's displacement, split into what caused it
    ledger.to_csv("step.csv")

    run = minigan.ledger.Replay(gan, data, steps=3000, checkpoint="run.npz")
    run.ledger(1500)                   # step 1,500 of a recorded run, repeated
    minigan.ledger.where_they_part(run, another)    # the first number that differs in two runs

For a small GAN (see `sums.is_tiny`), the ledger also writes out how each entry of each gradient is
computed: as a sum, with its numbers.

Read in this order: `observed_step` (the passes of a step), `formulas` (what layers and losses
compute, in symbols), `sums` (the same, in numbers), `rows` (both, gathered along a network),
`record` (the two updates), `ledger` (the record itself), `drawing` (its picture), `explorer` and
page/ (its page), `moves` (who moved a sample), `replay` (any step of a run), `parting` (two runs).
"""

from .ledger import Ledger, LedgerRow
from .parting import Parting, where_they_part
from .record import record
from .replay import Replay

__all__ = ["Ledger", "LedgerRow", "Parting", "Replay", "record", "where_they_part"]
