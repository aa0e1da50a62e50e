"""A GAN whose steps are shared among the ranks of MPI, and its training."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..._checks import checked
from ..._random import same_state
from ...gan import GAN, Figures
from ...layers.base import Array
from ...layers.composite import walk
from ...network import Sequential, read_only
from .. import loop
from ..game_steps import ExtragradientGAN, SimultaneousGAN
from ..history import History


@checked
def across_ranks(gan: GAN) -> "ParallelGAN":
    """The GAN with its training shared among the ranks of MPI; its networks are the same objects.

    Every rank has to make the GAN in the same way; all begin with the weights of rank 0. A rank
    that ends with an error ends the others as well.

    The step is that of GAN, SimultaneousGAN or ExtragradientGAN, which are made of means over the
    minibatch. ConsensusGAN goes down a square of such means, which is no mean itself.

    Raises ImportError without mpi4py, TypeError for a game with another step.
    """
    if type(gan) not in SHARED:
        known = ", ".join(kind.__name__ for kind in SHARED)
        raise TypeError(
            f"across_ranks: gan must be one whose gradients are means over the minibatch ({known}),"
            f" got {type(gan).__name__}"
        )
    shared: ParallelGAN = object.__new__(SHARED[type(gan)])
    vars(shared).update(vars(gan), rows=slice(0), count=0)
    for network in (gan.generator, gan.discriminator):
        shared.ranks.Bcast(network.theta)
    if shared.ranks.size > 1:
        sys.excepthook = _ending_all(shared.ranks)
    return shared


def _world() -> Any:
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # RuntimeError: there is no MPI library
        raise ImportError(
            f"across_ranks needs mpi4py, which cannot be imported ({error}); "
            "pip install 'minigan[mpi]'"
        ) from error
    return MPI


class ParallelGAN(GAN):
    """A GAN whose steps are shared among ranks: see `across_ranks`.

    Each rank is given the whole minibatch. The figures of a step are those of all ranks.
    """

    steps_of: type = GAN  # a checkpoint of one may be resumed as the other
    rows: slice  # of the minibatch, this rank's
    count: int  # samples in the whole minibatch

    @property
    def ranks(self) -> Any:
        """The communicator of all ranks: its .rank is this one, its .size their number."""
        return _world().COMM_WORLD

    def check_real(self, real: Any) -> Array:
        """This rank's rows of a minibatch. Raises ValueError for fewer samples than ranks need."""
        real = super().check_real(real)
        each = 2 if self.generator.mixes_samples or self.discriminator.mixes_samples else 1
        if len(real) < each * self.ranks.size:
            raise ValueError(
                f"GAN: {self.ranks.size} ranks need at least {each * self.ranks.size} samples, "
                f"got {len(real)}"
            )
        ends = [len(real) * rank // self.ranks.size for rank in range(self.ranks.size + 1)]
        self.count, self.rows = len(real), slice(*ends[self.ranks.rank : self.ranks.rank + 2])
        return real[self.rows]

    def generate(self, n: int) -> tuple[Array, Any]:
        noise = self.draw_noise(self.count)[self.rows]
        with self._streams_apart():
            return self.generator.forward(read_only(noise.copy()))

    def discriminator_gradient(self, real: Array, fake: Array) -> Figures:
        with self._streams_apart():
            figures = super().discriminator_gradient(real, fake)
        return self._added_up(self.discriminator, figures)

    def generator_gradient(self, real: Array, fake: Array, generated: Any) -> Figures:
        with self._streams_apart():
            figures = super().generator_gradient(real, fake, generated)
        return self._added_up(self.generator, figures)

    def _added_up(self, network: Sequential, figures: Figures) -> Figures:
        """One Allreduce: the gradient, the figures and the running statistics of all ranks, each
        weighted by its share of the samples."""
        means = [name for name in figures if not name.endswith("_norm")]
        running = [
            (layer.buffers, name)
            for _, layer in walk(network)
            if layer.mixes_samples
            for name in (layer.buffers if not layer.children else ())
        ]
        parts = [network.grad, np.array([figures[name] for name in means])]
        parts += [buffers[name] for buffers, name in running]
        whole: Array = np.concatenate(parts, dtype=network.dtype, casting="same_kind")
        whole *= (self.rows.stop - self.rows.start) / self.count
        self.ranks.Allreduce(_world().IN_PLACE, whole)
        ends = np.cumsum([len(part) for part in parts])
        grad, values, *rest = np.split(whole, ends[:-1])
        network.grad[...] = grad
        for (buffers, name), value in zip(running, rest):
            buffers[name] = value.copy()
        norm = float(np.sqrt(np.sum(np.square(grad, dtype=np.float64))))
        return {
            name: float(values[means.index(name)]) if name in means else norm for name in figures
        }

    @contextlib.contextmanager
    def _streams_apart(self) -> Iterator[None]:
        """Within a `with` block, rank r draws from the generators jumped r times ahead. If
        anything was drawn, all ranks go on from one jump behind the last of them."""
        if self.ranks.size == 1:
            yield
            return
        bits = list({id(rng): rng.bit_generator for rng in self.rngs}.values())
        before = [(each, _jumped(each, self.ranks.rank), each.state) for each in bits]
        for each, own, _ in before:
            each.state = own
        yield
        for each, own, common in before:
            drawn = not same_state(each.state, own)
            each.state = common
            if drawn:
                each.state = _jumped(each, self.ranks.size)


class ParallelSimultaneousGAN(ParallelGAN, SimultaneousGAN):
    """A SimultaneousGAN whose steps are shared among ranks."""

    steps_of = SimultaneousGAN

    def noise_for(self, real: Array) -> Array:
        return self.draw_noise(self.count)[self.rows]

    def generate_from(self, noise: Array) -> tuple[Array, Any]:
        with self._streams_apart():
            return super().generate_from(noise)


class ParallelExtragradientGAN(ParallelSimultaneousGAN, ExtragradientGAN):
    """An ExtragradientGAN whose steps are shared among ranks."""

    steps_of = ExtragradientGAN


SHARED: dict[type, type] = {
    GAN: ParallelGAN,
    SimultaneousGAN: ParallelSimultaneousGAN,
    ExtragradientGAN: ParallelExtragradientGAN,
}


def _jumped(bits: Any, times: int) -> dict[str, Any]:
    return bits.jumped(times).state if times else bits.state


def _ending_all(ranks: Any) -> Any:
    """An excepthook that says in one line what ended this rank, and ends the others."""

    def report(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt) and ranks.rank > 0:
            _end_all(ranks, 130)  # they all have it; rank 0 says what it means
        words = " ".join(traceback.format_exception_only(kind, error)[-1].split())
        print(f"rank {ranks.rank} of {ranks.size}: {words}", file=sys.stderr, flush=True)
        _end_all(ranks, 1)

    return report


def _end_all(ranks: Any, code: int) -> None:
    """Ends every rank. Abort asks mpiexec to do it, and may return before that has happened."""
    ranks.Abort(code)
    os._exit(code)


@checked
def train(gan: ParallelGAN, data: Any, *, steps: int, **options: Any) -> History:
    """`minigan.train` on every rank; rank 0 shows the progress and writes the checkpoint.

    Options are those of `minigan.train`. The batch size is that of all ranks together. All ranks
    must see the checkpoint's file to resume from it.
    """
    if gan.ranks.size == 1:
        return loop.train(gan, data, steps=steps, **options)
    path = options.get("checkpoint")
    if gan.ranks.rank == 0:
        gan.ranks.Barrier()  # until the others have copied the file
        history = loop.train(gan, data, steps=steps, **options)
        if history.interrupted:
            _end_all(gan.ranks, 130)
        return history
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 ends them
    with tempfile.TemporaryDirectory() as folder:
        own = options | {"progress": False}
        if path is not None:
            own |= {"checkpoint": Path(folder) / "run.npz", "checkpoint_every": steps}
        if path is not None and options.get("resume") and Path(path).exists():
            shutil.copy(path, own["checkpoint"])
        gan.ranks.Barrier()
        return loop.train(gan, data, steps=steps, **own)
