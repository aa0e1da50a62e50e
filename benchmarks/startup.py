"""From nothing to the first training step: importing, compiling, and loading what was compiled.

Each figure is a process of its own. "Cold" has an empty cache of compiled kernels, "warm" one that
an earlier process has filled. What is timed is the ring GAN's first `train_step`, from the start of
the interpreter; for scale, the same for a PyTorch and a JAX import, where they are installed.
"""

import subprocess
import sys
import tempfile

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
    times = {"minigan import": [], "minigan cold": [], "minigan warm": []}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as cache:
            _, cold = run(TO_FIRST_STEP, cache)
            imported, warm = run(TO_FIRST_STEP, cache)
        for name, taken in zip(times, (imported, cold, warm)):
            times[name].append(taken)
        for package in ("torch", "jax"):
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
