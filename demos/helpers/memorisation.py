"""The memorisation panel: samples beside their nearest training images, and what they are worth.

panel = memorisation.Panel(samples, data.images, data.held_out, judged)
panel.picture().savefig(results.path("memorisation.png", "samples and their nearest ..."))
print(*panel.lines, sep="\\n")
"""

import numpy as np

import minigan as mg
from minigan import plots

SHOWN, NEIGHBOURS = 8, 3
MOST = 2000  # images of each kind that are compared


class Panel:
    """Samples, their nearest training images in pixels and in features, and three measures."""

    def __init__(self, samples, training, held_out, judged):
        size = min(MOST, len(samples), len(held_out))
        samples, held_out = samples[:size], held_out[:size]
        self.training, self.samples = training, samples
        rows = [images.reshape(len(images), -1) for images in (samples, training, held_out)]
        features = [judged.classify(images).features for images in (samples, training, held_out)]
        self.nearest = {
            "pixels": mg.metrics.nearest(rows[0][:SHOWN], rows[1], NEIGHBOURS)[1],
            "features": mg.metrics.nearest(features[0][:SHOWN], features[1], NEIGHBOURS)[1],
        }
        self.copying = mg.metrics.copying(*rows)
        within = mg.metrics.alike_within(features[2])
        self.support = mg.metrics.birthday_support(features[0], within)
        self.real_support = mg.metrics.birthday_support(features[2], within)
        self.test = mg.metrics.classifier_two_sample_test(features[2], features[0])
        self.lines = [
            f"Copies, in pixels: {self.copying}.",
            f"Variety, two images being alike in the judge's features if they are nearer than 99 % "
            f"of the held-out images are to any other: samples, {self.support}; held-out images, "
            f"{self.real_support}.",
            f"Samples against held-out images: {self.test}.",
        ]

    def scalars(self):
        return {
            "copying": self.copying._asdict(),
            "support": self.support._asdict(),
            "real_support": self.real_support._asdict(),
            "two_sample_test": self.test._asdict(),
        }

    def picture(self):
        """A figure: on each row a sample and the training images nearest to it, in two senses."""
        figure, axes = plots.figure(1, 2, size=(3.0, 5.6))
        for panel, (sense, indices) in zip(axes, self.nearest.items()):
            sheet = [
                image
                for sample, near in zip(self.samples, indices)
                for image in (sample, *self.training[near])
            ]
            plots.image_grid(panel, np.stack(sheet), columns=1 + NEIGHBOURS)
            panel.axvline(self.samples.shape[2] - 0.5, color=plots.FAKE, linewidth=2)
            panel.set_title(f"sample | nearest in {sense}")
        return figure
