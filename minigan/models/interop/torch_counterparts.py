"""Modules of PyTorch for the layers that torch.nn does not have.

    COUNTERPARTS[Residual](branch, skip)     a torch.nn.Module

Each takes the arguments of the layer, keeps them as attributes, and has its arrays under the same
names and with the same axes. Images are NCHW, the features of rows in minigan's order: pixel by
pixel. Those that draw random numbers in training draw from PyTorch's generator.

This module imports PyTorch.
"""

from typing import Any

from ... import layers as L
from ...layers import conditional, input_layers
from ...layers.spectral import least_sigma
from .outside import needed

torch: Any = needed("torch", "to_torch")
Module: Any = torch.nn.Module
Tensor = Any


def channels_last(x: Tensor) -> Tensor:
    """NCHW as NHWC; rows stay as they are."""
    return x.movedim(1, -1) if x.ndim == 4 else x


def channels_first(x: Tensor) -> Tensor:
    """NHWC as NCHW; rows stay as they are."""
    return x.movedim(-1, 1) if x.ndim == 4 else x


def code_of(x: Tensor, classes: int) -> Tensor:
    """The one-hot code of the class that the last values of each row say."""
    chosen = x[:, -classes:].argmax(1)
    return torch.nn.functional.one_hot(chosen, classes).to(x.dtype)


class ReshapeModule(Module):
    """Each sample with another shape; images are seen channels last."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        return channels_first(channels_last(x).flatten(1).unflatten(1, self.shape))


class ResidualModule(Module):
    """skip(x) + branch(x)"""

    def __init__(self, branch: Any, skip: Any) -> None:
        super().__init__()
        self.branch, self.skip = branch, skip

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.skip(x)


class RescaleModule(Module):
    """factor x"""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class SelfAttentionModule(Module):
    """x + gamma (softmax(q k') v) W_o, over the positions of an image"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        narrow, wide = max(1, channels // 8), max(1, channels // 2)
        self.query, self.key = parameter(channels, narrow), parameter(channels, narrow)
        self.value, self.output = parameter(channels, wide), parameter(wide, channels)
        self.gamma = parameter(1)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2).transpose(1, 2)  # (N, positions, channels)
        q, k, v = rows @ self.query, rows @ self.key, rows @ self.value
        r = torch.softmax(q @ k.transpose(1, 2), dim=2) @ v
        return x + self.gamma * (r @ self.output).transpose(1, 2).unflatten(2, x.shape[2:])


class MinibatchStdDevModule(Module):
    """[x, s], s the mean standard deviation of the batch"""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x = channels_last(x)
        s = torch.sqrt(x.var(0, correction=0) + self.eps).mean()
        return channels_first(torch.cat([x, s.expand(*x.shape[:-1], 1)], -1))


class MinibatchDiscriminationModule(Module):
    """[x, o],  o_i = sum_j exp(-|M_i - M_j|),  M = x T"""

    def __init__(self, in_features: int, measures: int, dimensions: int) -> None:
        super().__init__()
        self.in_features, self.measures, self.dimensions = in_features, measures, dimensions
        self.T = parameter(in_features, measures, dimensions)

    def forward(self, x: Tensor) -> Tensor:
        M = torch.tensordot(x, self.T, 1)
        c = torch.exp(-(M[:, None] - M).abs().sum(3))
        return torch.cat([x, c.sum(1)], 1)


class ConditionalBatchNormModule(Module):
    """[gamma_k x_hat + beta_k, c] of rows [x, c],  k = argmax c"""

    def __init__(self, shape: tuple[int, ...], classes: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.shape, self.classes, self.eps, self.momentum = tuple(shape), classes, eps, momentum
        channels = self.shape[-1]
        self.gamma, self.beta = parameter(classes, channels), parameter(classes, channels)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, rows: Tensor) -> Tensor:
        x, code = rows[:, : -self.classes], rows[:, -self.classes :]
        x_hat = torch.nn.functional.batch_norm(
            x.reshape(-1, self.shape[-1]), self.running_mean, self.running_var,
            training=self.training, momentum=self.momentum, eps=self.eps,
        )  # fmt: skip
        x_hat, k = x_hat.reshape(len(x), -1, self.shape[-1]), code.argmax(1)
        y = self.gamma[k][:, None] * x_hat + self.beta[k][:, None]
        return torch.cat([y.flatten(1), code], 1)


class FourierFeaturesModule(Module):
    """w [cos(2 pi x B), sin(2 pi x B)], w = exp(-2 pi^2 std^2 |b|^2)"""

    def __init__(self, in_features: int, num_frequencies: int, scale: float, std: float) -> None:
        super().__init__()
        self.in_features, self.num_frequencies = in_features, num_frequencies
        self.scale, self.std = scale, std
        self.register_buffer("frequencies", torch.zeros(in_features, num_frequencies))

    def forward(self, x: Tensor) -> Tensor:
        phase = 2 * torch.pi * (x @ self.frequencies)
        w = torch.exp(-2 * (torch.pi * self.std) ** 2 * (self.frequencies**2).sum(0))
        return torch.cat([w * torch.cos(phase), w * torch.sin(phase)], 1)


class WithInputModule(Module):
    """[x, f(x)]"""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.layer(x)], 1)


class LogitWithFeaturesModule(Module):
    """[f(x), x]"""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.layer(x), x], 1)


class OneHotModule(Module):
    """[x_1, ..., scale e_k],  k = argmax(last values + offset); offset 0 unless learned"""

    def __init__(self, classes: int, scale: float, learned: bool) -> None:
        super().__init__()
        self.classes, self.scale, self.learned = classes, scale, learned
        if learned:
            self.register_buffer("offset", torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        votes = x[:, -self.classes :] + self.offset if self.learned else x
        code = self.scale * code_of(votes, self.classes)
        return torch.cat([x[:, : -self.classes], code], 1)


class WithCodeModule(Module):
    """[f(x), c],  c the last values of x; `whole`: f sees them too"""

    def __init__(self, layer: Any, width: int, whole: bool) -> None:
        super().__init__()
        self.layer, self.width, self.whole = layer, width, whole

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x if self.whole else x[:, : -self.width])
        return torch.cat([channels_last(y).flatten(1), x[:, -self.width :]], 1)


class ProjectionModule(Module):
    """s + e_k of rows [s, e_1, ..., e_K, c],  k = argmax c"""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        own = x[:, 1 : 1 + self.classes] * code_of(x, self.classes)
        return x[:, :1] + own.sum(1, keepdim=True)


class LabelPlanesModule(Module):
    """The image of a labelled row, with a channel for each class"""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.shape, self.classes = tuple(shape), classes

    def forward(self, x: Tensor) -> Tensor:
        pixels = channels_first(x[:, : -self.classes].unflatten(1, self.shape))
        code = code_of(x, self.classes)[:, :, None, None]
        return torch.cat([pixels, code.expand(-1, -1, *pixels.shape[2:])], 1)


class DiscreteNoiseModule(Module):
    """[sign(x_1), ..., sign(x_k), x_k+1, ...]"""

    def __init__(self, signs: int) -> None:
        super().__init__()
        self.signs = signs

    def forward(self, x: Tensor) -> Tensor:
        coins = torch.where(x[:, : self.signs] < 0, -1.0, 1.0).to(x.dtype)
        return torch.cat([coins, x[:, self.signs :]], 1)


class PackModule(Module):
    """[x_n, x_n+1, ...], indices modulo N"""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.roll(-k, 0) for k in range(self.samples)], 1)


class InstanceNoiseModule(Module):
    """x + std e in training"""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training and self.std else x


class RandomBrightnessModule(Module):
    """x + b, one b for each image, in training"""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x + self.amount * (2 * torch.rand_like(x[:, :1, :1, :1]) - 1)


class RandomTranslationModule(Module):
    """Each image moved by some pixels, `fill` coming in, in training"""

    def __init__(self, fraction: float, fill: float) -> None:
        super().__init__()
        self.fraction, self.fill = fraction, fill

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        y = x - self.fill
        for axis in (2, 3):
            length = x.shape[axis]
            furthest = round(self.fraction * length)
            moves = torch.randint(-furthest, furthest + 1, (len(x), 1), device=x.device)
            source = torch.arange(length, device=x.device) - moves  # where each line comes from
            inside = (source >= 0) & (source < length)
            shape = (len(x), 1, length, 1) if axis == 2 else (len(x), 1, 1, length)
            index = source.clamp(0, length - 1).reshape(shape).expand_as(y)
            y = y.gather(axis, index) * inside.reshape(shape)
        return y + self.fill


class RandomCutoutModule(Module):
    """x with a square of `fill` in each image, in training"""

    def __init__(self, fraction: float, fill: float) -> None:
        super().__init__()
        self.fraction, self.fill = fraction, fill

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        inside = []
        for length in x.shape[2:]:
            side = round(self.fraction * length)
            first = torch.randint(length, (len(x), 1), device=x.device) - side // 2
            index = torch.arange(length, device=x.device)
            inside.append((first <= index) & (index < first + side))
        rows, columns = inside
        keep = ~(rows[:, None, :, None] & columns[:, None, None, :])
        return torch.where(keep, x, self.fill)


class SpectralModule(Module):
    """A parametrization: W / sigma, with the power iteration of minigan's SpectralNorm.

    torch.nn.utils.parametrizations.spectral_norm iterates at each training pass, and in the other
    order. This one does so when W has changed, so that both agree at every step. The names of the
    buffers are PyTorch's.
    """

    _u: Tensor
    _v: Tensor
    _iterated_on: Tensor

    def __init__(self, u: Tensor, v: Tensor, dim: int, iterated_on: Tensor | None) -> None:
        """u, v of the outputs and inputs of W, dim the axis of its outputs."""
        super().__init__()
        self.dim = dim
        self.register_buffer("_u", u)
        self.register_buffer("_v", v)
        self.register_buffer("_iterated_on", iterated_on, persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        matrix = weight.movedim(self.dim, 0).flatten(1)
        least = least_sigma(str(weight.dtype).removeprefix("torch."))
        seen, held = self._iterated_on, weight.detach()
        if self.training and (seen is None or not torch.equal(seen, held)):
            self._u, self._v = self._iterated(matrix.detach())
            self._iterated_on = held.clone()
        u, v = self._u, self._v
        if u @ matrix @ v < least:
            u, v = self._iterated(matrix.detach())
        sigma = u @ matrix @ v
        return weight / sigma if sigma >= least else weight

    @torch.no_grad()
    def _iterated(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        largest = matrix.abs().max()
        if largest == 0:
            return self._u, self._v
        matrix = matrix / largest
        image = matrix.T @ self._u
        if not image.any():
            image = matrix.T @ matrix[:, matrix.abs().amax(0).argmax()]
        v = torch.nn.functional.normalize(image, dim=0, eps=0)
        return torch.nn.functional.normalize(matrix @ v, dim=0, eps=0), v


def parameter(*shape: int) -> Any:
    """A parameter whose values are copied in later."""
    return torch.nn.Parameter(torch.empty(shape))


COUNTERPARTS: dict[type, type] = {
    L.Reshape: ReshapeModule,
    L.Residual: ResidualModule,
    L.Rescale: RescaleModule,
    L.SelfAttention: SelfAttentionModule,
    L.MinibatchStdDev: MinibatchStdDevModule,
    L.MinibatchDiscrimination: MinibatchDiscriminationModule,
    L.ConditionalBatchNorm: ConditionalBatchNormModule,
    L.FourierFeatures: FourierFeaturesModule,
    L.LogitWithFeatures: LogitWithFeaturesModule,
    L.RandomBrightness: RandomBrightnessModule,
    L.RandomTranslation: RandomTranslationModule,
    L.RandomCutout: RandomCutoutModule,
    conditional.OneHot: OneHotModule,
    conditional.WithCode: WithCodeModule,
    conditional.Projection: ProjectionModule,
    conditional.LabelPlanes: LabelPlanesModule,
    input_layers.WithInput: WithInputModule,
    input_layers.InstanceNoise: InstanceNoiseModule,
    input_layers.DiscreteNoise: DiscreteNoiseModule,
    input_layers.Pack: PackModule,
}
