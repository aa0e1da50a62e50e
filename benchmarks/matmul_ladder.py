"""A matrix product in eleven versions, from three nested loops to minigan's kernel and a BLAS.

Each version (`rungs.py`) computes C = A B and is compared with float64 before it is timed, on a
square product. Then minigan, NumPy, PyTorch and JAX are timed on the shapes that occur in training
steps. Each version and each library has a process of its own; the libraries take turns. Shares are
of the rate that `peak.py` measures with multiply-adds alone, on as many cores.
"""

import common
import numpy as np
import products
import rungs
from peak import multiply_add_peak
from turns import Contender, measure

from minigan import plots

# Turns of each library on each shape. A virtual machine's two cores may share a real one for a part
# of a second, which halves the rate of a turn: so there are many.
ROUNDS = 15


def climb(seconds, threads, peaks):
    """[{rung, size, gflops, share}] for each version; the share is of one core, or of all."""
    rows = []
    print(f"{'rung':28} {'size':>5} {'GFLOP/s':>9} {'of peak':>8}   cores")
    for name, (_, _, all_cores) in rungs.RUNGS.items():
        cores = threads if all_cores else 1
        rung = Contender(cores, rungs.prepare, name)
        rung.turn(seconds / 4)
        size, rate = rung.report, 2 * rung.report**3 / rung.turn(seconds) / 1e9
        rung.stop()
        row = {"rung": name, "size": size, "gflops": rate, "share": rate / peaks[cores]}
        rows.append(row)
        print(f"{name:28} {size:5} {rate:9.2f} {row['share']:8.1%} {cores:>7}")
    return rows


def compare(seconds, threads, peak):
    """Times the libraries on each shape, in turns; [{shape, share, name: gflops}]."""
    libraries, rows = start(threads), []
    names = list(libraries)
    print(
        f"\n{'rows x inner x columns':>24}" + "".join(f"{name:>9}" for name in names) + "  of peak"
    )
    for shape in products.SHAPES:
        m, k, n, ta, tb = shape
        times = measure(libraries, seconds, ROUNDS, shape)
        rates = {name: 2 * m * k * n / float(np.median(times[name])) / 1e9 for name in names}
        row = {"shape": f"{m} x {k} x {n}" + " a'" * ta + " b'" * tb}
        row |= {**rates, "share": rates["minigan"] / peak}
        rows.append(row)
        figures = "".join(f"{rate:9.1f}" for rate in rates.values())
        print(f"{row['shape']:>24}{figures} {row['share']:8.0%}")
    for library in libraries.values():
        library.stop()
    for name in names[1:]:
        ratios = [row["minigan"] / row[name] for row in rows]
        mean = float(np.exp(np.mean(np.log(ratios))))
        print(f"minigan / {name}: geometric mean {mean:.2f}, smallest {min(ratios):.2f}")
    return rows


def start(threads):
    """{name: Contender} of the libraries that can be imported; says which cannot."""
    libraries = {
        name: Contender(threads, products.prepare, name, threads) for name in products.LIBRARIES
    }
    print("\nthe shapes of training steps, GFLOP/s;", end=" ")
    for name in [name for name, library in libraries.items() if library.absent]:
        print(f"without {name} ({libraries.pop(name).absent});", end=" ")
    print(", ".join(f"{name}: {library.report}" for name, library in libraries.items()))
    return libraries


def picture(ladder, shapes, peak, path):
    """The ladder as bars up to the measured ceiling, and the shapes as ratios."""
    figure, (left, right) = plots.figure(1, 2, size=(5.2, 5.0), width_ratios=[1, 1.3])
    labels = [row["rung"] for row in ladder][::-1]
    rates = [row["gflops"] for row in ladder][::-1]
    ours = [label == "minigan" for label in labels]
    left.barh(labels, rates, color=[plots.FAKE if mine else "#b9bfc8" for mine in ours])
    left.axvline(peak, color=plots.REAL, linestyle="--", linewidth=1)
    left.text(peak, -0.75, "measured ceiling ", color=plots.REAL, fontsize=8, ha="right", va="top")
    for place, rate in enumerate(rates):
        left.text(rate * 1.1, place, f"{rate:.3g}", va="center", fontsize=8)
    left.set(xscale="log", xlabel="GFLOP/s (log scale)", title="one product, rung by rung")
    left.set_xlim(min(rates) / 2, peak * 4)
    places = np.arange(len(shapes))
    for name, colour in (
        ("NumPy", plots.REAL),
        ("torch", plots.DISCRIMINATOR),
        ("jax", "#8a8f99"),
    ):
        if name in shapes[0]:
            ratios = [row["minigan"] / row[name] for row in shapes]
            right.plot(ratios, places, "o", color=colour, label=f"over {name}")
    right.axvline(1, color="#3c4048", linewidth=1)
    right.set_yticks(places, [row["shape"] for row in shapes], fontsize=7)
    right.invert_yaxis()
    right.set(
        xscale="log", xlabel="minigan's speed, as a multiple", title="the shapes of GAN steps"
    )
    right.xaxis.set_major_formatter("{x:g}")
    right.xaxis.set_minor_formatter("{x:g}")
    right.tick_params(axis="x", which="both", labelsize=7)
    right.legend(loc="lower right")
    figure.savefig(path)
    print(f"wrote {path}")


def main():
    args = common.arguments(
        __doc__,
        "matmul_ladder",
        seconds=(0.9, "time for each figure"),
        threads=(2, "threads of each contender"),
    )
    facts = common.machine()
    print(common.in_words(facts))
    peaks = {cores: multiply_add_peak(threads=cores) for cores in {1, args.threads}}
    print(
        "peak: " + ", ".join(f"{rate:.0f} GFLOP/s on {n}" for n, rate in peaks.items()), "cores\n"
    )
    ladder = climb(args.seconds, args.threads, peaks)
    shapes = compare(args.seconds, args.threads, peaks[args.threads])
    picture(ladder, shapes, peaks[args.threads], args.out / "matmul_ladder.png")
    common.write_json(
        args.out / "matmul_ladder.json",
        {"machine": facts, "peak_gflops": peaks, "ladder": ladder, "shapes": shapes},
    )


if __name__ == "__main__":
    main()
