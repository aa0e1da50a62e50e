"""Does a long training grow? The memory of a process that trains for 50,000 steps.

A small ring GAN with everything on that a training keeps: the history of every step, a running
average, a checkpoint every 1,000 steps. After the first thousand steps, in which kernels compile
and buffers are made, the resident memory should stay where it is, but for the history's figures.
"""

import tempfile
from pathlib import Path

import common

import minigan as mg


def resident():
    """The megabytes of memory that this process has, on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main():
    args = common.arguments(__doc__, "long_run", steps=(50_000, "training steps"))
    facts = common.machine()
    print(f"{common.in_words(facts)}; backend {mg.kernels.backend()}")
    gan = mg.GAN(
        mg.models.mlp_generator(2, (2,), hidden=(16, 16)),
        mg.models.mlp_discriminator((2,), hidden=(16, 16)),
        latent_dim=2,
        penalties=[mg.penalties.R1(0.1)],
    )
    settled, every, readings = min(1000, args.steps), max(1, args.steps // 10), {}

    def watch(step, gan, figures):
        if step == settled or (step > settled and step % every == 0):
            readings[step] = resident()
            print(f"step {step:7,}  {readings[step]:7.1f} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        mg.train(
            gan,
            mg.data.gaussian_ring(),
            steps=args.steps,
            batch_size=32,
            average=mg.Average(gan.generator),
            callback=watch,
            checkpoint=Path(folder) / "run.npz",
            progress=False,
        )
    growth = readings[max(readings)] - readings[min(readings)]
    print(f"grown by {growth:.1f} MB from step {min(readings):,} to {max(readings):,}")
    common.write_json(
        args.out / "long_run.json", {"machine": facts, "megabytes": readings, "growth": growth}
    )


if __name__ == "__main__":
    main()
