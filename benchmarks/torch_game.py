"""The recipe for digits in PyTorch: the same networks, loss, penalties, optimizers, averaging.

The probabilities of the categories are not learned here.
"""

import numpy as np
import torch
from torch.nn.functional import softplus
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_copy import in_pytorch

from minigan.data.minibatches import Minibatches


def train(gan, images, *, steps, batch_size, schedule, decay, rng, callback):
    """What `minigan.train` does for a relativistic game with R1 and R2, its networks' first
    parameters, the rates and the penalties' gamma taken from `gan`.
    callback(step, sample), sample(n) -> images (n, 28, 28, 1), as a NumPy array.

    Real and fake are judged in one batch, the penalties by `create_graph`, D is frozen in G's
    update, the optimizers are the fused ones.
    """
    torch.manual_seed(rng[0])
    generator, discriminator = in_pytorch(gan.generator), in_pytorch(gan.discriminator)
    average = AveragedModel(generator, multi_avg_fn=_averaging(decay), use_buffers=True).eval()
    optimizers = [
        torch.optim.Adam(network.parameters(), o.lr, (o.beta1, o.beta2), o.eps, fused=True)
        for network, o in (
            (generator, gan.generator_optimizer), (discriminator, gan.discriminator_optimizer),
        )
    ]  # fmt: skip
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    minibatches = Minibatches(images, batch_size, rng=rng)

    def sample(n):
        with torch.no_grad():
            parts = [average(torch.randn(500, gan.latent_dim)) for _ in range(-(-n // 500))]
        return np.concatenate([part.permute(0, 2, 3, 1).numpy() for part in parts])[:n]

    for step in range(1, steps + 1):
        t = (step - 1) / max(1, steps - 1)
        for optimizer, rate in zip(optimizers, rates):
            optimizer.param_groups[0]["lr"] = rate * schedule(t)
        real = torch.tensor(minibatches.next()).permute(0, 3, 1, 2)
        fake = generator(torch.randn(len(real), gan.latent_dim))

        judged = torch.cat([real, fake.detach()]).requires_grad_()
        logits = discriminator(judged)
        real_logits, fake_logits = logits.chunk(2)
        (slopes,) = torch.autograd.grad(logits.sum(), judged, create_graph=True)
        penalty = gan.penalties[0].gamma / 2 * slopes.square().sum() / len(real)
        optimizers[1].zero_grad(set_to_none=True)
        (softplus(fake_logits - real_logits).mean() + penalty).backward()
        optimizers[1].step()

        discriminator.requires_grad_(False)
        loss = softplus(discriminator(real) - discriminator(fake)).mean()
        optimizers[0].zero_grad(set_to_none=True)
        loss.backward()
        optimizers[0].step()
        discriminator.requires_grad_(True)
        average.update_parameters(generator)
        callback(step, sample)


def _averaging(decay):
    """`minigan.Average`, its first steps included, as AveragedModel takes it."""

    def update(averages, values, count):
        get_ema_multi_avg_fn(min(decay, float((1 + count) / (10 + count))))(averages, values, count)

    return update
