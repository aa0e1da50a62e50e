"""A matrix product in seven versions, from three nested loops to minigan's kernel and NumPy's BLAS.

Each version computes C = A B and is compared with NumPy before it is timed, on a square product.
Then minigan, NumPy and PyTorch are timed on the shapes that occur in training steps, in turns, each
in a process of its own. The machine's largest rate is measured with `peak.py`.
"""

import time

import common
import numpy as np
from numba import njit, prange
from peak import multiply_add_peak
from products import LIBRARIES, SHAPES, prepare
from turns import Contender, measure

import minigan as mg
from minigan import plots


# %% The versions
def three_loops(a, b, c):
    """1. The definition, in plain Python: c[i, j] = sum over k of a[i, k] b[k, j]."""
    for i in range(len(a)):
        for j in range(b.shape[1]):
            c[i, j] = sum(a[i, k] * b[k, j] for k in range(len(b)))


@njit
def compiled_loops(a, b, c):
    """2. The same loops compiled. The inner one goes down a column of b: each step is in another
    cache line, and no vector instructions are possible."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = c.dtype.type(0)
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total


@njit
def rows_of_b(a, b, c):
    """3. The two inner loops exchanged: the inner one now goes along rows of b and c, and the
    compiler uses vector instructions. But c is read and written for each k."""
    c[:] = 0
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            factor = a[i, k]
            for j in range(b.shape[1]):
                c[i, j] += factor * b[k, j]


@njit(fastmath=True)
def _four_by_four(a, b, c, first, last):
    """Rows [first, last) of c, four rows and four k at a time, in panels of 256 columns: sixteen
    products for four numbers of b that are loaded. The sums are kept in a separate array, so that
    the compiler knows that it does not overlap a or b, and can use vector instructions."""
    depth, columns = b.shape
    sums = np.empty((4, 256), c.dtype)
    for panel in range(0, columns, 256):
        width = min(256, columns - panel)
        for i in range(first, last - 3, 4):
            sums[:] = 0
            for k in range(0, depth - 3, 4):
                a00, a01, a02, a03 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
                a10, a11, a12, a13 = a[i + 1, k], a[i + 1, k + 1], a[i + 1, k + 2], a[i + 1, k + 3]
                a20, a21, a22, a23 = a[i + 2, k], a[i + 2, k + 1], a[i + 2, k + 2], a[i + 2, k + 3]
                a30, a31, a32, a33 = a[i + 3, k], a[i + 3, k + 1], a[i + 3, k + 2], a[i + 3, k + 3]
                for j in range(np.uintp(width)):  # unsigned: no negative index to wrap around
                    column = np.uintp(panel) + j
                    b0, b1, b2, b3 = (
                        b[k, column], b[k + 1, column], b[k + 2, column], b[k + 3, column]
                    )  # fmt: skip
                    sums[0, j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                    sums[1, j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                    sums[2, j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                    sums[3, j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
            c[i : i + 4, panel : panel + width] = sums[:, :width]


@njit
def unrolled(a, b, c):
    """4. Blocking by hand, for sizes that are multiples of four."""
    _four_by_four(a, b, c, 0, a.shape[0])


@njit(parallel=True)
def unrolled_parallel(a, b, c):
    """5. The same, its rows divided among the cores."""
    blocks = a.shape[0] // 64
    for block in prange(blocks):
        _four_by_four(a, b, c, block * 64, (block + 1) * 64)


def register_tiles(a, b, c):
    """6. minigan's: packed panels, a tile of c in vector registers; see
    `minigan/fast/kernels/gemm.py`."""
    mg.kernels.matmul(a, b, out=c)


def blas(a, b, c):
    """7. NumPy's BLAS."""
    np.matmul(a, b, out=c)


RUNGS = (  # (function, label, the largest size that takes seconds at most)
    (three_loops, "three loops, Python", 64),
    (compiled_loops, "three loops, compiled", 512),
    (rows_of_b, "inner loop along rows", 1024),
    (unrolled, "4 x 4 unrolled", 1024),
    (unrolled_parallel, "4 x 4 unrolled, all cores", 1024),
    (register_tiles, "register tiles, all cores", 1024),
    (blas, "NumPy's BLAS", 1024),
)


# %% Timing
def check(function, size):
    """Seconds of the first call. Raises SystemExit unless the function computes the product."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size)).astype(np.float32) for _ in range(2))
    c = np.empty((size, size), np.float32)
    begin = time.perf_counter()
    function(a, b, c)
    compiling = time.perf_counter() - begin
    error = np.abs(c - a.astype(np.float64) @ b).max() / np.abs(c).max()
    if error > 1e-5:
        raise SystemExit(f"{function.__name__} is wrong: relative error {error:.1e}")
    return compiling


def fastest(call, seconds):
    """The shortest time of a call, and the median, within about so many seconds."""
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times), float(np.median(times))


def climb(seconds, peak):
    """[{label, size, gflops, share of the peak, compile seconds}] for each rung."""
    rng, rows = np.random.default_rng(1), []
    print(f"{'rung':28} {'size':>5} {'GFLOP/s':>9} {'of peak':>8} {'first call':>11}")
    for function, label, size in RUNGS:
        first = check(function, 64)
        a, b = (rng.standard_normal((size, size)).astype(np.float32) for _ in range(2))
        c = np.empty((size, size), np.float32)
        _, taken = fastest(lambda: function(a, b, c), seconds)
        gflops = 2 * size**3 / taken / 1e9
        row = {
            "rung": label,
            "size": size,
            "gflops": gflops,
            "share": gflops / peak,
            "first": first,
        }
        rows.append(row)
        print(f"{label:28} {size:5} {gflops:9.2f} {gflops / peak:8.1%} {first:9.2f} s")
    return rows


def compare(seconds, threads):
    """Times the libraries on each shape, in turns; [{shape, name: gflops}]."""
    names, rows = installed(threads), []
    print(f"\n{'rows x inner x columns':>26}" + "".join(f"{name:>10}" for name in names))
    for shape in SHAPES:
        m, k, n, ta, tb = shape
        contenders = {name: Contender(threads, prepare, name, shape) for name in names}
        times = measure(contenders, seconds, 9)
        for contender in contenders.values():
            contender.stop()
        row = {"shape": f"{m} x {k} x {n}" + " a'" * ta + " b'" * tb}
        row |= {name: 2 * m * k * n / np.median(taken) / 1e9 for name, taken in times.items()}
        rows.append(row)
        print(f"{row['shape']:>26}" + "".join(f"{row.get(name, np.nan):10.1f}" for name in names))
    for name in names[1:]:
        ratios = [row["minigan"] / row[name] for row in rows]
        mean = float(np.exp(np.mean(np.log(ratios))))
        print(f"minigan / {name}: geometric mean {mean:.2f}, smallest {min(ratios):.2f}")
    return rows


def installed(threads):
    """The names of the libraries that can be imported; says which cannot."""
    names = []
    for name in LIBRARIES:
        contender = Contender(threads, prepare, name, SHAPES[0])
        if contender.absent:
            print(f"{name} is left out: {contender.absent}")
        else:
            contender.stop()
            names.append(name)
    return names


def picture(ladder, shapes, peak, path):
    """The ladder as bars up to the measured ceiling, and the shapes as ratios."""
    figure, (left, right) = plots.figure(1, 2, size=(5.2, 5.0), width_ratios=[1, 1.3])
    labels = [row["rung"] for row in ladder][::-1]
    rates = [row["gflops"] for row in ladder][::-1]
    ours = ["register" in label for label in labels]
    left.barh(labels, rates, color=[plots.FAKE if mine else "#b9bfc8" for mine in ours])
    left.axvline(peak, color=plots.REAL, linestyle="--", linewidth=1)
    left.text(peak, -0.75, "measured ceiling ", color=plots.REAL, fontsize=8, ha="right", va="top")
    for place, rate in enumerate(rates):
        left.text(rate * 1.1, place, f"{rate:.3g}", va="center", fontsize=8)
    left.set(xscale="log", xlabel="GFLOP/s (log scale)", title="one product, rung by rung")
    left.set_xlim(min(rates) / 2, peak * 4)
    places = np.arange(len(shapes))
    for name, colour in (("NumPy", plots.REAL), ("torch", plots.DISCRIMINATOR)):
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
        seconds=(0.6, "time for each figure"),
        threads=(2, "threads of each contender"),
    )
    facts, peak = common.machine(), multiply_add_peak()
    print(common.in_words(facts))
    print(
        f"measured multiply-add ceiling: {multiply_add_peak(threads=1):.0f} GFLOP/s on one core, "
    )
    print(f"{peak:.0f} on all\n")
    ladder, shapes = climb(args.seconds, peak), compare(args.seconds, args.threads)
    picture(ladder, shapes, peak, args.out / "matmul_ladder.png")
    common.write_json(
        args.out / "matmul_ladder.json",
        {"machine": facts, "peak_gflops": peak, "ladder": ladder, "shapes": shapes},
    )


if __name__ == "__main__":
    main()
