"""The pictures of `mnist_conditional.py`: samples of a conditional generator."""

import numpy as np

from minigan import plots
from minigan.metrics.classifier import in_batches
from minigan.models.conditional_games import unlabel

SHAPE = (28, 28, 1)
DIRECTIONS = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)


class Pen:
    """A conditional generator that draws a chosen class, or a mixture of classes.

    z below is the noise without the class: for InfoGAN it includes the continuous codes.
    """

    def __init__(self, generator):
        self.to_class, self.inside = generator.layers  # a mixture is put in after the first layer
        self.classes = self.to_class.classes

    def draw(self, noise, wanted):
        """Images (N, 28, 28, 1): noise (N, ...) whose class is replaced by `wanted`, (N,) classes
        or (N, K) mixtures."""
        wanted = np.asarray(wanted)
        code = np.eye(self.classes)[wanted] if wanted.ndim == 1 else wanted
        code = self.to_class.scale * code
        rows = np.concatenate([noise[:, : -self.classes], code], axis=1).astype(noise.dtype)
        return unlabel(in_batches(self.inside, rows), SHAPE, self.classes)[0]


def asked(pen, noise, meaning, infogan):
    """A figure: every class (row) from the same ten z (columns)."""
    order = np.argsort(meaning)
    images = pen.draw(np.tile(noise, (pen.classes, 1)), np.repeat(order, len(noise)))
    made, axes = plots.figure(size=(5.6, 5.6))
    plots.image_grid(axes, images, columns=len(noise))
    names = [f"category {k}" for k in order] if infogan else range(pen.classes)
    _label_rows(axes, names)
    _label_columns(axes, [f"z{_subscript(i + 1)}" for i in range(len(noise))])
    axes.set_title(
        "found without labels: a category a row" if infogan else "asked for: a digit a row"
    )
    return made


def between(pen, noise, meaning, frames=10):
    """A figure: left, from one sample of a digit to another; right, from a digit to the next.

    z follows the arc cos(t) z_a + sin(t) z_b, whose points have the distribution of noise (on the
    straight line the middle would be closer to 0 than noise usually is). On the right z is fixed,
    and the class is a mixture of two, which does not occur in training.
    """
    order, t = np.argsort(meaning), np.linspace(0, 1, frames)
    start, end = (
        np.repeat(noise[: pen.classes], frames, 0),
        np.repeat(noise[pen.classes :], frames, 0),
    )
    angle = np.tile(t * np.pi / 2, pen.classes)[:, None].astype(noise.dtype)
    arc = np.cos(angle) * start + np.sin(angle) * end
    within = pen.draw(arc, np.repeat(order, frames))

    one_hot, following = np.eye(pen.classes), np.roll(order, -1)
    mixture = (1 - t)[:, None] * one_hot[order][:, None] + t[:, None] * one_hot[following][:, None]
    across = pen.draw(start, mixture.reshape(-1, pen.classes))

    made, (left, right) = plots.figure(1, 2, size=(5.6, 5.6))
    plots.image_grid(left, within, columns=frames)
    plots.image_grid(right, across, columns=frames)
    names = range(pen.classes)
    _label_rows(left, names)
    _label_rows(right, [f"{k} → {(k + 1) % pen.classes}" for k in names])
    left.set_title("between two samples: the class is fixed, z changes")
    right.set_title("between two digits: z is fixed, the class changes")
    return made


def arithmetic(pen, many, few, meaning):
    """A figure: a difference of two z, found from samples of one digit, added to all digits.

    As in the DCGAN paper (Radford et al. 2016), each of the two z is a mean: over the tenth of the
    samples with the most ink (or slant), and over the tenth with the least.
    """
    order = np.argsort(meaning)
    measures = [
        ("ink", ink, 3, "boldest", "thinnest"),
        ("slant", slant, 1, "most slanted", "least slanted"),
    ]
    made, axes = plots.figure(
        len(measures), 3, size=(3.6, 2.0), gridspec_kw={"width_ratios": [1, 1, 5.4]}
    )
    for (most, least, sheet), (name, measure, digit, *words) in zip(axes, measures):
        samples = measure(pen.draw(many, np.full(len(many), order[digit])))
        ranked, tenth = np.argsort(samples), len(many) // 10
        high, low = many[ranked[-tenth:]].mean(axis=0), many[ranked[:tenth]].mean(axis=0)
        for panel, z, word in zip((most, least), (high, low), words):
            plots.image_grid(panel, pen.draw(z[None], order[[digit]]), columns=1)
            panel.set_title(f"{word} {digit}s", size=9)
        least.set_ylabel("−", size=20, rotation=0, labelpad=10, va="center")
        before, after = (pen.draw(z, order) for z in (few, few + high - low))
        plots.image_grid(sheet, np.concatenate([before, after]), columns=pen.classes)
        _label_rows(sheet, ["+", "="])
        sheet.set_title(
            f"{name} of the ten digits: {measure(before).mean():.2f} → {measure(after).mean():.2f}",
            size=9,
        )
    return made


def codes(pen, noise, meaning, continuous):
    """A figure for each continuous code of InfoGAN: varied from -2 to 2, the rest fixed."""
    order, frames = np.argsort(meaning), len(DIRECTIONS)
    made, axes = plots.figure(1, continuous, size=(5.2, 5.6), squeeze=False)
    first = noise.shape[1] - pen.classes - continuous
    for place, panel in enumerate(axes[0]):
        swept = np.tile(noise[:1], (pen.classes * frames, 1))
        swept[:, first:] = 0
        swept[:, first + place] = np.tile(DIRECTIONS, pen.classes)
        plots.image_grid(panel, pen.draw(swept, np.repeat(order, frames)), columns=frames)
        _label_rows(panel, [f"category {category}, {k}s" for k, category in enumerate(order)])
        _label_columns(panel, [f"{value:g}" for value in DIRECTIONS])
        panel.set_title(f"continuous code {place + 1}")
    return made


# -- measures --------------------------------------------------------------------------------------


def ink(images):
    """The share of the page that is inked, (N,)."""
    return (np.asarray(images)[..., 0].mean(axis=(1, 2)) + 1) / 2


def slant(images):
    """The slant of a digit to the right: pixels along x for one pixel up, (N,).

    The slope of the regression of x on height, each pixel weighted by its ink.
    """
    weight = (np.asarray(images, float)[..., 0] + 1) / 2
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    down, right = np.mgrid[: weight.shape[1], : weight.shape[2]]
    down = down - (weight * down).sum(axis=(1, 2), keepdims=True)
    right = right - (weight * right).sum(axis=(1, 2), keepdims=True)
    return -(weight * down * right).sum(axis=(1, 2)) / (weight * down**2).sum(axis=(1, 2))


def best_matching(table):
    """A column for each row, no column twice, so that the sum of table[row, column] is largest.

    Dynamic programming: after k rows, the best assignment for each set of k columns.
    """
    best = {0: (0, [])}  # the columns used, as bits -> (sum, columns)
    for row in table:
        longer = {}
        for used, (total, columns) in best.items():
            for column, gain in enumerate(row):
                now = used | 1 << column
                if now != used and total + gain > longer.get(now, (-1,))[0]:
                    longer[now] = total + gain, [*columns, column]
        best = longer
    ((_, columns),) = best.values()
    return columns


def _label_rows(axes, names):
    names = list(names)
    height = axes.images[0].get_array().shape[0] / len(names)
    axes.set_yticks([(i + 0.5) * height - 0.5 for i in range(len(names))], names)
    axes.tick_params(length=0)


def _label_columns(axes, names):
    width = axes.images[0].get_array().shape[1] / len(names)
    axes.set_xticks([(i + 0.5) * width - 0.5 for i in range(len(names))], names)
    axes.tick_params(length=0)


def _subscript(number):
    return "".join(chr(0x2080 + int(figure)) for figure in str(number))
