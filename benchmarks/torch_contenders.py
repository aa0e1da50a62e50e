"""PyTorch in `train_step.py`: written for speed, as the tutorials write it, and compiled."""

import numpy as np
from minigan_contenders import BETA1, BETA2, EPS, RATE, networks


class Torch:
    """PyTorch eager, written for speed: real and fake through D in one batch where D has no batch
    norm, D's parameters frozen during G's update, gradients set to None, the fused Adam."""

    def __init__(self, step, threads):
        import torch
        from torch_copy import in_pytorch

        torch.set_num_threads(threads)
        self.torch, self.step = torch, step
        self.generator, self.discriminator = map(in_pytorch, networks(step))
        self.optimizers = [
            torch.optim.Adam(
                network.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS, fused=True
            )
            for network in (self.generator, self.discriminator)
        ]
        self.one_batch = not any(kind == "norm" for kind, *_ in step.discriminator)
        self.train_step = self._train_step
        self.real = self._images(step.real(np.random.default_rng(1)))

    def _images(self, real):
        tensor = self.torch.tensor(real)
        return tensor.permute(0, 3, 1, 2).contiguous() if tensor.ndim == 4 else tensor

    def _train_step(self, real, noise):
        softplus = self.torch.nn.functional.softplus
        g_optimizer, d_optimizer = self.optimizers
        fake = self.generator(noise)
        constant = fake.detach()
        if self.one_batch:
            judged = self.discriminator(self.torch.cat([real, constant]))
            real_logits, fake_logits = judged.chunk(2)
        else:
            real_logits, fake_logits = self.discriminator(real), self.discriminator(constant)
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        d_optimizer.step()

        self._freeze(True)
        g_loss = softplus(-self.discriminator(fake)).mean()
        g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        g_optimizer.step()
        self._freeze(False)
        return d_loss, g_loss

    def _freeze(self, frozen):
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(not frozen)

    def losses(self, examples):
        found = []
        for real, noise in examples:
            losses = self._train_step(self._images(real), self.torch.tensor(noise))
            found.append(tuple(loss.item() for loss in losses))
        return found

    def run(self, count):
        for _ in range(count):
            noise = self.torch.randn(self.step.batch, self.step.latent_dim)
            losses = self.train_step(self.real, noise)
        [float(loss) for loss in losses]


class TorchTutorial(Torch):
    """PyTorch eager, as the DCGAN tutorials write it: two passes through D, D's unused gradients
    computed in G's update, the default Adam."""

    def __init__(self, step, threads):
        super().__init__(step, threads)
        self.one_batch = False
        self.optimizers = [
            self.torch.optim.Adam(network.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)
            for network in (self.generator, self.discriminator)
        ]

    def _freeze(self, frozen):
        pass


class TorchCompiled(Torch):
    """The first, its networks through torch.compile."""

    def __init__(self, step, threads):
        super().__init__(step, threads)
        self.generator.compile()
        self.discriminator.compile()
