"""Training: the loop and what a long run needs.

Read `loop` first; its `training_steps` is the loop itself.

- `loop`         `train`: the loop, with progress bar, checkpoints and interrupts around it
- `history`      `History`, the figures of every step
- `plateau`      `Plateau`, which stops training once a measurement no longer improves
- `averaging`    `Average`, the running average of a generator
- `schedules`    factors for the learning rates
- `stabilisers`  instance noise, packing, smoothed labels, annealing and more
- `learned_prior`  `LearnedPrior`, a callback (also in `stabilisers`)
- `game_steps`   other steps of both players: extragradient, consensus, lookahead
- `optimistic`   optimistic SGD and Adam (also in `game_steps`)
- `historical`   SGD and Adam with historical averaging
- `checkpoint`   `save` and `load`: the state of a run, restored to the last bit
- `parallel`     several ranks of MPI (also as `minigan.parallel`)
- `run`          `Run`, the parts of a run that a checkpoint saves
- `fingerprint`  descriptions of these parts, by which a checkpoint recognises its own run
- `resuming`     beginning a run that has a file
"""

from typing import TYPE_CHECKING

from .. import _public_names

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)
