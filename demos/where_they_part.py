"""Two training runs that differ in one thing: where is the first number that is not the same?

Training here gives the same bits each time, so two runs with one seed are equal until the thing in
which they differ first matters: a bug of the museum, a learning rate, a loss. The demo goes through
the steps of both, stops at the first tensor that differs, and writes both steps as pages, side by
side, open at that number. With a bug, the first effect is where the wrong line is; a hundred steps
later all numbers differ.
"""

# %% What the two runs differ in
from helpers import common

import minigan as mg

parser = common.parser(__doc__, steps=200)
parser.add_argument(
    "--differ",
    default="adam_without_t",
    help="a bug of minigan.bugs, or rate, loss, penalty (default: %(default)s)",
)
args = common.parse(parser)
results = common.Results(args.out)
CHANGES = {
    "rate": {"lr": 0.021},
    "loss": {"loss": mg.losses.LeastSquares()},
    "penalty": {"penalties": [mg.penalties.R1(0.5)]},
}
if args.differ not in {**CHANGES, **mg.bugs.REGISTRY}:
    known = ", ".join([*CHANGES, *mg.bugs.REGISTRY])
    common.refuse(f"--differ: expected one of {known}; got {args.differ!r}")


# %% A run of a small GAN, so that each of its numbers fits on a page
def run(*, lr=0.02, loss=None, penalties=(), **within):
    L = mg.layers
    generator = [L.Linear(2, 4), L.LeakyReLU(0.2), L.Linear(4, 2)]
    discriminator = [L.Linear(2, 4), L.LeakyReLU(0.2), L.Linear(4, 1)]
    gan = mg.GAN(
        mg.Sequential(generator, dtype="float64", rng=args.seed),
        mg.Sequential(discriminator, dtype="float64", rng=args.seed + 1),
        latent_dim=2,
        loss=loss,
        penalties=penalties,
        generator_optimizer=mg.optim.Adam(lr=lr),
        discriminator_optimizer=mg.optim.Adam(lr=0.02),
        rng=args.seed,
    )
    data = mg.data.gaussian_ring().sample(60, args.seed)
    return mg.ledger.Replay(gan, data, steps=args.steps, batch_size=4, rng=args.seed, **within)


# %% Both runs again, step by step, until they part
mg.kernels.use_backend("numpy")  # which the bugs are put into
bug = mg.bugs.REGISTRY.get(args.differ)
other = run(within=bug) if bug else run(**CHANGES[args.differ])
if bug:
    print(f"{bug}\n")
parting = mg.ledger.where_they_part(run(), other)
names = "the run as it is", f"the run with another {args.differ}"
names = names if bug is None else ("healthy code", f"with the bug {args.differ}")
if parting is None:
    results.finish(
        {"differ": args.differ, "step": None},
        [f"The runs are the same, to the last bit, in all of {args.steps} steps: {args.differ} "
         "has no effect in this game."],
    )  # fmt: skip
    raise SystemExit(0)

# %% Where they part, in words and as a page
print(parting)
parting.to_html(results.path("parting.html", "both steps, side by side: click any number"),
                names=names)  # fmt: skip
for name, ledger in zip(("first", "second"), parting.ledgers):
    path = results.path(f"{name}.txt", f"the {name} run's step as a table")
    path.write_text(f"{ledger}\n", "utf-8")

# %% In numbers
differ, entries = parting.count
results.finish(
    {
        "differ": args.differ,
        "step": parting.step,
        "moment": parting.moment,
        "entry": parting.entry,
        "first": parting.numbers[0],
        "second": parting.numbers[1],
        "entries_that_differ": differ,
        "entries": entries,
    },
    [
        f"Everything before step {parting.step} is the same, to the last bit, and so is everything "
        f"in that step before {parting.symbol} ({parting.moment}).",
        f"{parting.entry} is {parting.numbers[0]!r} in the first run ({names[0]}), "
        f"{parting.numbers[1]!r} in the second ({names[1]}).",
        "Open parting.html in a browser; it needs no network. Marked there is a number that the "
        "run computed otherwise than its formula says.",
    ],
)
