"""From nothing to the first training step: importing, compiling, and loading what was compiled.

Each figure is a process of its own. "Cold" has an empty cache of compiled kernels, "warm" one that
an earlier process has filled. What is timed is the ring GAN's first `train_step`, and the first
sample of a DCGAN in a file; for scale, the imports of Numba, PyTorch and JAX.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import common

TO_FIRST_STEP = """
import time, sys
begin = time.perf_counter()
import minigan as mg
imported = time.perf_counter()
gan = mg.GAN(
    mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2,
    loss=mg.losses.NonSaturating(),
)
gan.train_step(mg.data.gaussian_ring().sample(256, 0))
print(imported - begin, time.perf_counter() - begin)
"""
TO_SAVE = """
import minigan as mg
gan = mg.GAN(mg.models.dcgan_generator(16), mg.models.dcgan_discriminator(), latent_dim=16)
gan.save({!r}); gan.sample(1); print()
"""
TO_SAMPLE = """
import time; begin = time.perf_counter()
import minigan as mg
mg.load({!r}).sample(1)
print(time.perf_counter() - begin)
"""
TO_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def run(program, cache):
    """The numbers that a program prints, run in a process with its own cache of kernels."""
    import os

    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "MINIGAN_BACKEND": "numba"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    return [float(word) for word in done.stdout.split()] if done.returncode == 0 else None


def main():
    args = common.arguments(__doc__, "startup", rounds=(5, "processes of each kind"))
    facts = common.machine()
    print(common.in_words(facts), "\n")
    times = {"minigan import": [], "minigan cold": [], "minigan warm": [], "first sample": []}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as cache:
            _, cold = run(TO_FIRST_STEP, cache)
            imported, warm = run(TO_FIRST_STEP, cache)
            saved = str(Path(cache) / "gan.npz")
            run(TO_SAVE.format(saved), cache)
            (sampled,) = run(TO_SAMPLE.format(saved), cache)
        for name, taken in zip(times, (imported, cold, warm, sampled)):
            times[name].append(taken)
        for package in ("numba", "torch", "jax"):
            if package in facts:
                times.setdefault(f"{package} import", []).append(
                    run(TO_IMPORT.format(package), "")[0]
                )
    results = {}
    for name, taken in times.items():
        median, low, high = common.spread(taken)
        results[name] = {"seconds": median, "low": low, "high": high}
        print(f"{name:16} {median:6.2f} s  [{low:.2f}, {high:.2f}]")
    common.write_json(args.out / "startup.json", {"machine": facts, "times": results})


if __name__ == "__main__":
    main()
