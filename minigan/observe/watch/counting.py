"""The steps of several trainings, counted on from one to the next."""

from typing import Any

from ..._checks import at_least_zero, training_steps


class Counting:
    """What a film and vital signs share: they count the steps of all the trainings they watch.

    `train` numbers the steps of each call from 1. A step that does not come after the last one
    begins another training.
    """

    _earlier, _last = 0, 0  # steps of the trainings before this one; the last step of this one

    def counted(self, step: int) -> int:
        """The step of this training, counted from the beginning of the first."""
        if step <= self._last:
            self._earlier += self._last
        self._last = step
        return self.watched

    @property
    def watched(self) -> int:
        """The steps of all trainings that were watched."""
        return self._earlier + self._last

    def read_steps(self, facts: dict[str, Any]) -> tuple[list[int], dict[str, int]]:
        """Of a checkpoint's facts: the steps that are on record, and the count as attributes."""
        owner = type(self).__name__
        count = {  # files of an earlier minigan have none
            name: at_least_zero(owner, name, facts.get(name, 0)) for name in ("_earlier", "_last")
        }
        return training_steps(owner, "steps", facts["steps"]), count
