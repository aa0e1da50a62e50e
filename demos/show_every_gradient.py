"""One training step of a GAN, number by number.

First a GAN so small that each of its numbers can be printed: two values of noise, three hidden
neurons, one output, and a discriminator of the same size. Each entry of each gradient is written
out as a sum, with its finite difference, and a page for the browser computes the step again when
you drag a weight. Then a convolutional GAN that has trained for a while, tensor by tensor.
"""

# %% A GAN of 2-3-1 and 1-3-1 neurons, its weights and data rounded to two decimals for reading
import numpy as np
from helpers import common

import minigan as mg

parser = common.parser(__doc__, steps=500)
parser.add_argument(
    "--loss",
    choices=["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"],
    default="NonSaturating",
    help="default: %(default)s",
)
args = common.parse(parser)
results = common.Results(args.out)
loss = getattr(mg.losses, args.loss)()
rng = np.random.default_rng(args.seed)


def three_neurons(inputs):
    L = mg.layers
    layers = [L.Linear(inputs, 3), L.LeakyReLU(0.2), L.Linear(3, 1)]
    network = mg.Sequential(layers, dtype="float64", rng=rng)
    network.theta[...] = np.round(network.theta + rng.normal(0, 0.1, network.theta.size), 2)
    return network


tiny = mg.GAN(
    three_neurons(2),
    three_neurons(1),
    latent_dim=2,
    loss=loss,
    generator_optimizer=mg.optim.SGD(lr=0.1),
    discriminator_optimizer=mg.optim.SGD(lr=0.1),
    rng=rng,
)
real = np.round(rng.normal(1, 0.5, (2, 1)), 2)

# %% Its ledger: a table from the loss back to the noise, then every entry as a sum
ledger = mg.ledger.record(tiny, real)
print(ledger)
results.path("tiny.txt", "the tiny GAN's ledger, as printed").write_text(f"{ledger}\n", "utf-8")
ledger.to_csv(results.path("tiny.csv", "the same, for a spreadsheet"))
ledger.plot(results.path("tiny.png", "the network, with every value and every gradient"))
ledger.to_html(results.path("tiny.html", "a page: click a number to see its sum, drag a weight"))

# %% Who moved the first fake? Its displacement by this step, split into what caused it
shares = ledger.who_moved()
print("\nfake[0] moves by", f"{shares.displacement[0, 0]:.6f}, of which:")
for (cause, row), part in zip(shares.causes, shares.parts[0, 0]):
    print(f"  {part:9.6f}  {cause}{'' if row is None else f' {row}'}")

# %% A convolutional GAN, trained on digits drawn from fonts: the same rows, as norms
convolutional = mg.GAN(
    mg.models.dcgan_generator(8, channels=8, rng=args.seed),
    mg.models.dcgan_discriminator(channels=8, rng=args.seed + 1),
    latent_dim=8,
    loss=loss,
    generator_optimizer=mg.optim.Adam(lr=2e-3),
    discriminator_optimizer=mg.optim.Adam(lr=2e-3),
    rng=args.seed,
)
images, _ = mg.data.glyphs(2000, rng=args.seed)
print("\n\nThe convolutional GAN is trained before its step is recorded:")
with common.interruptible() as interrupted:  # a Ctrl-C ends the training, not the demo
    mg.train(convolutional, images, steps=args.steps, batch_size=32, rng=args.seed)
common.save_model(results, convolutional)
print("\nComparing entries of its gradients with finite differences ...")
larger = mg.ledger.record(convolutional, images[:8])
report = larger.check(entries=8, rng=args.seed)
print(f"\n{larger}")
results.path("convolutional.txt", "a convolutional GAN's ledger").write_text(f"{larger}\n", "utf-8")
larger.to_csv(results.path("convolutional.csv", "the same, for a spreadsheet"))
larger.plot(results.path("convolutional.png", "its picture: images and kernels as heat maps"))


def errors(ledger):
    """The largest relative error where no difference met a kink, and where one did."""
    smooth = [row.error for row in ledger.rows if not row.kinks]
    kinked = [row.error for row in ledger.rows if row.kinks]
    return {"smooth": max(smooth), "across_kinks": max(kinked, default=None)}


# %% In numbers
sums = [line for row in ledger.rows for line in row.gradient_sums]
results.finish(
    {
        "loss": args.loss,
        "sums_printed": len(sums),
        "tiny": {"ok": ledger.check().ok, "errors": errors(ledger)},
        "convolutional": {"ok": report.ok, "errors": errors(larger)},
    },
    [
        f"The tiny GAN: {len(sums)} entries of gradients, each written out as a sum.",
        f"  {ledger.verdict()}",
        "The convolutional GAN, on entries drawn at random:",
        f"  {larger.verdict()}",
        "  (One pixel changes the loss so little that its difference has fewer right digits.)",
        "In the pictures, 'times 0.01' below a map means that its numbers are to be multiplied by "
        "0.01.",
        "To read tiny.txt, follow one entry of dlogits through the lines that contain it; in "
        "tiny.html, click it. Neither needs a network.",
    ],
    "in training" if interrupted else "",
)
