"""Compares the gradients in the ledger with those of PyTorch's autograd.

The same weights, noise and minibatch go through a second implementation: networks and losses
written with PyTorch and differentiated by it, with PyTorch's Adam for the discriminator's update.
It takes only its starting values from minigan. It needs PyTorch; without it the demo says so.
"""

# %% The second implementation, on tensors in minigan's layout
import numpy as np
from helpers import common, progress

import minigan as mg
from minigan import plots

try:
    import torch
    from torch.nn import functional as F
except ImportError:
    torch = None

args = common.arguments(__doc__)
if torch is None:
    common.refuse("PyTorch is not installed, so there is nothing to compare: pip install torch")
results = common.Results(args.out)


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def apply(layer, x, p):
    """One layer of a network; p: its parameters by name, as tensors."""
    L = mg.layers
    if isinstance(layer, L.Linear):
        return F.linear(x, p["weight"].T, p.get("bias"))
    if isinstance(layer, L.Conv2d):
        weight = p["weight"].permute(3, 2, 0, 1)
        x = channels_first(x)
        return channels_last(F.conv2d(x, weight, p.get("bias"), layer.stride, layer.padding))
    if isinstance(layer, L.ConvTranspose2d):
        weight = p["weight"].permute(2, 3, 0, 1)
        x = channels_first(x)
        return channels_last(
            F.conv_transpose2d(x, weight, p.get("bias"), layer.stride, layer.padding)
        )
    if isinstance(layer, L.BatchNorm):
        x = channels_first(x)
        return channels_last(
            F.batch_norm(x, None, None, p["gamma"], p["beta"], training=True, eps=layer.eps)
        )
    if isinstance(layer, L.LeakyReLU):
        return F.leaky_relu(x, layer.negative_slope)
    if isinstance(layer, L.Tanh):
        return torch.tanh(x)
    assert isinstance(layer, L.Reshape), layer
    return x.reshape(len(x), *layer.shape)


class Network:
    """A minigan network in PyTorch: its parameters as leaves; it keeps the output of each layer."""

    def __init__(self, network):
        self.layers = network.layers
        self.parameters = {
            name: torch.tensor(value, requires_grad=True)
            for name, value, _ in network.named_parameters()
        }

    def __call__(self, x):
        """[the input, then the output of each layer]"""
        values = [x]
        for place, layer in enumerate(self.layers):
            own = {name: self.parameters[f"{place}.{name}"] for name in layer.params}
            values.append(apply(layer, values[-1], own))
            values[-1].retain_grad()
        return values


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def mse(logits, target):
    return F.mse_loss(logits, torch.full_like(logits, target)) / 2


# (L_D, L_G) of the logits r of real samples and f of fakes
LOSSES = {
    "Minimax": (lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: -bce(f, 0)),
    "NonSaturating": (lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: bce(f, 1)),
    "LeastSquares": (lambda r, f: mse(r, 1) + mse(f, 0), lambda r, f: mse(f, 1)),
    "Wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "Hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda r, f: -f.mean()),
    "Relativistic": (lambda r, f: bce(r - f, 1), lambda r, f: bce(f - r, 1)),
}


# %% One step in both implementations
def autograd(gan, loss, real, noise):
    """The gradients of one step: {(loss, player): (values of each pass, parameters)}."""
    of_discriminator, of_generator = LOSSES[loss]
    generator, discriminator = Network(gan.generator), Network(gan.discriminator)
    generated = generator(torch.tensor(noise, requires_grad=True))
    fake, real = generated[-1], torch.tensor(real)

    if gan.discriminator.mixes_samples:
        passes = [discriminator(x.detach().requires_grad_()) for x in (real, fake)]
        logits = passes[0][-1], passes[1][-1]
    else:
        passes = [discriminator(torch.cat([real, fake]).detach().requires_grad_())]
        logits = passes[0][-1].chunk(2)
    of_discriminator(*logits).backward()
    grads = {name: p.grad.clone() for name, p in discriminator.parameters.items()}
    ours = gan.discriminator_optimizer
    torch.optim.Adam(
        discriminator.parameters.values(), ours.lr, (ours.beta1, ours.beta2), ours.eps
    ).step()

    judged, judged_real = discriminator(fake), discriminator(real)
    of_generator(judged_real[-1], judged[-1]).backward()
    generated_grads = {name: p.grad for name, p in generator.parameters.items()}
    if gan.loss.generator_sees_real:
        judged[-1] = (judged_real[-1], judged[-1])
    return {
        ("L_D", "D"): (list(zip(*passes)), grads),
        ("L_G", "D"): ([v if isinstance(v, tuple) else (v,) for v in judged], {}),
        ("L_G", "G"): ([(v,) for v in generated], generated_grads),
    }


def compare(gan, loss, real):
    """[(row of the ledger, autograd's gradient, relative error)]"""
    ledger = mg.ledger.record(gan, real)
    (noise,) = (row.value for row in ledger.rows if row.symbol == "z")
    found = []
    for section, (values, grads) in autograd(gan, loss, real, noise).items():
        at = {position: iter(passes) for position, passes in enumerate(values)}
        for row in ledger.section(*section):
            if row.kind == "loss":
                continue
            is_parameter = row.kind == "parameter"
            name = row.formula.removeprefix("parameter ")
            theirs = grads[name] if is_parameter else next(at[row.position]).grad
            error = mg.gradcheck.relative_error(row.gradient, theirs.numpy())
            found.append((row, theirs.numpy(), error))
    return found


# %% An MLP on points and a convolutional GAN with batch norm, each with all six losses
def players(kind):
    if kind == "MLP":
        return (
            mg.models.mlp_generator(2, (2,), hidden=(16, 16), dtype="float64", rng=args.seed),
            mg.models.mlp_discriminator((2,), hidden=(16, 16), dtype="float64", rng=args.seed + 1),
        )
    return (
        mg.models.dcgan_generator(8, channels=4, dtype="float64", rng=args.seed),
        mg.models.dcgan_discriminator(channels=4, dtype="float64", rng=args.seed + 1),
    )


rng = np.random.default_rng(args.seed)
data = {"MLP": rng.normal(size=(8, 2)), "DCGAN": rng.uniform(-1, 1, (8, 28, 28, 1))}
comparisons = {}
pairs = [(kind, loss) for kind in data for loss in LOSSES]
for kind, loss in progress.each(pairs, "comparing", "GAN"):
    generator, discriminator = players(kind)
    gan = mg.GAN(
        generator, discriminator, latent_dim=generator.layers[0].in_features,
        loss=getattr(mg.losses, loss)(), rng=args.seed,
    )  # fmt: skip
    comparisons[kind, loss] = compare(gan, loss, data[kind])

print(f"{'the MLP, NonSaturating':26}{'shape':>10}{'ledger':>20}{'autograd':>20}{'error':>10}")
for row, theirs, error in comparisons["MLP", "NonSaturating"]:
    print(
        f"  {f'd{row.loss} / d{row.player}.{row.symbol}':24}{str(row.shape):>10}"
        f"{row.norm:20.15f}{np.linalg.norm(theirs):20.15f}{error:10.0e}"
    )
print("  (norms; the error is that of the worst entry, relative to the largest)\n")
worst = {}
for (kind, loss), found in comparisons.items():
    worst[f"{kind}, {loss}"] = max(error for *_, error in found)
    print(
        f"{kind:6} {loss:14} {len(found)} gradients, largest error {max(e for *_, e in found):.0e}"
    )

# %% A picture: the error of each gradient, from the loss back to the noise
EQUAL = 1e-18  # stands for an error of 0 on the logarithmic axis
SECTIONS = {
    ("L_D", "D"): "$L_D$ through D",
    ("L_G", "D"): "$L_G$ through D",
    ("L_G", "G"): "$L_G$ through G",
}
figure, axes = plots.figure(2, 1, size=(8.5, 3.0), sharey=True)
colours = dict(
    zip(LOSSES, ("#d64545", plots.FAKE, "#1b8a7a", plots.REAL, plots.DISCRIMINATOR, "k"))
)
for panel, kind in zip(axes, data):
    for loss, colour in colours.items():
        # only Relativistic has a gradient of the real logits in L_G
        found = [one for one in comparisons[kind, loss] if one[0].formula != "D(real)"]
        errors = np.maximum([error for *_, error in found], EQUAL)
        panel.semilogy(errors, "o", color=colour, markersize=4, alpha=0.7, label=loss)
    rows = [row for row, *_ in found]
    panel.set_xticks(range(len(rows)), [f"d{row.symbol}" for row in rows], rotation=90, fontsize=8)
    for section, words in SECTIONS.items():
        places = [at for at, row in enumerate(rows) if (row.loss, row.player) == section]
        panel.text(np.mean(places), 2e-12, words, ha="center", fontsize=9, color=plots.MUTED)
        if places[0]:
            panel.axvline(places[0] - 0.5, color="#c4c8ce", linewidth=1)
    panel.axhline(np.finfo(float).eps, color=plots.MUTED, linewidth=1, linestyle="--")
    panel.text(len(rows) - 0.4, 3e-17, "rounding", ha="right", fontsize=8, color=plots.MUTED)
    panel.set(
        title=f"{kind}: the ledger and autograd", ylabel="relative error", ylim=(3e-19, 1e-11)
    )
    panel.set_yticks([EQUAL, 1e-16, 1e-14, 1e-12], ["equal", "1e-16", "1e-14", "1e-12"])
    panel.minorticks_off()
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, fontsize=9)
figure.savefig(results.path("same_as_autograd.png", "the error of each gradient, for six losses"))

# %% In numbers
count = sum(map(len, comparisons.values()))
results.finish(
    {"gradients": count, "largest_relative_error": worst},
    [
        f"{count} gradients, two networks, six losses: the largest relative difference between the "
        f"ledger and autograd is {max(worst.values()):.0e}.",
        "Both compute in float64, whose rounding error is about 2e-16.",
    ],
)
