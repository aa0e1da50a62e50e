"""Training on several processes, or machines, at once: each rank takes its share of the minibatch.

    # program.py
    gan = minigan.parallel.across_ranks(minigan.GAN(...))
    minigan.parallel.train(gan, data, steps=10_000, batch_size=256, checkpoint="run.npz")

    python -m minigan.parallel -n 4 program.py           (pip install 'minigan[mpi]')

Losses and penalties are means over the minibatch, so its gradient is the mean of the gradients of
its parts, weighted by their sizes. A player's gradient is one flat vector: one Allreduce per player
and step adds the parts up, and every rank makes the same step of its own optimizer.

Every rank draws the minibatch and the noise of all ranks, and keeps its rows. So the numbers are
those of one process with the same minibatch, to rounding, and all random generators agree after
each step: a checkpoint, which rank 0 writes, may be resumed by any number of ranks.

What depends on the number of ranks:

- Layers that draw random numbers (Dropout, InstanceNoise), and penalties that do: each rank draws
  from a stream of its own, so the numbers are others, of the same distribution.
- Layers that mix samples (BatchNorm, MinibatchStdDev, Pack), and losses and penalties that are no
  means over samples (FeatureMatching, Dragan): they see the samples of their own rank. With R
  ranks, batch norm uses means over N / R samples: noisier, as with a minibatch of that size.
  Running statistics are averaged over the ranks after each step; the running variance is then the
  mean variance within a rank, which is smaller than that of the whole minibatch by the variance of
  the ranks' means.

- `ranks`      the shared GAN, and its training
- `launcher`   python -m minigan.parallel
"""

from .ranks import ParallelGAN, across_ranks, train

__all__ = ["ParallelGAN", "across_ranks", "train"]
