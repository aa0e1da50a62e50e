"""The cost of R1 and R2: D's step with both penalties, and without.

A step is: generate a minibatch (G is not updated), evaluate D on real and fake, update D. In
minigan the penalties' gradients are written by hand (`minigan.penalties`) and share D's forward
pass; PyTorch differentiates its own backward pass (`create_graph=True`). Each contender has a
process of its own; they are timed in turns. The penalties of the first minibatch must be equal.
"""

import common
import numpy as np
from steps import STEPS
from torch_contenders import Torch
from turns import Contender, measure

import minigan as mg

GAMMA, TOLERANCE = 1.0, 1e-3
NAMES = ("ring", "mnist-64", "mnist-256")


def ours(backend, step, threads, penalised):
    """minigan: (the penalty of the first minibatch, run)."""
    from minigan_contenders import networks

    mg.kernels.use_backend(backend)
    generator, discriminator = networks(step)
    penalties = (mg.penalties.R1(GAMMA), mg.penalties.R2(GAMMA)) if penalised else ()
    gan = mg.GAN(generator, discriminator, latent_dim=step.latent_dim, penalties=penalties)
    (real, noise), draw = step.examples(1)[0], gan.draw_noise
    gan.draw_noise = lambda n: noise
    first = gan.discriminator_step(real)["penalty"]
    gan.draw_noise = draw

    def run(count):
        for _ in range(count):
            gan.discriminator_step(real)

    return first, run


def pytorch(step, threads, penalised):
    """PyTorch eager, its fused Adam: likewise."""
    player = Torch(step, threads)
    torch, discriminator, optimizer = player.torch, player.discriminator, player.optimizers[1]
    softplus, (real, noise) = torch.nn.functional.softplus, step.examples(1)[0]
    real = torch.tensor(real)

    def update(noise):
        with torch.no_grad():
            fake = player.generator(noise)
        samples = torch.cat([real, fake]).requires_grad_(penalised)
        logits = discriminator(samples)
        real_logits, fake_logits = logits.chunk(2)
        loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        penalty = torch.zeros(())
        if penalised:
            (slopes,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
            penalty = GAMMA / 2 * slopes.square().sum() / len(real)
        optimizer.zero_grad(set_to_none=True)
        (loss + penalty).backward()
        optimizer.step()
        return penalty

    def run(count):
        for _ in range(count):
            update(torch.randn(step.batch, step.latent_dim))

    return update(torch.tensor(noise)).item(), run


def prepare(name, step, threads, penalised):
    """In the contender's own process."""
    if name == "PyTorch":
        return pytorch(step, threads, penalised)
    return ours({"minigan": "numba", "minigan, NumPy": "numpy"}[name], step, threads, penalised)


def main():
    args = common.arguments(
        __doc__,
        "penalty_cost",
        threads=(2, "threads of each contender"),
        seconds=(3.0, "time for each contender on each step"),
        rounds=(11, "turns that the time is cut into"),
    )
    facts = common.machine()
    print(f"{common.in_words(facts)}; {args.threads} threads each\n")
    results = {}
    for step in (step for step in STEPS if step.name in NAMES):
        print(f"{step.name}: {step.description}")
        contenders = {
            (name, penalised): Contender(args.threads, prepare, name, step, args.threads, penalised)
            for name in ("minigan", "minigan, NumPy", "PyTorch")
            for penalised in (False, True)
        }
        for name, _ in [key for key, contender in contenders.items() if contender.absent]:
            print(f"  {name}: not installed")
        contenders = {k: contender for k, contender in contenders.items() if not contender.absent}
        first = [contender.report for (_, penalised), contender in contenders.items() if penalised]
        if not np.allclose(first, first[0], rtol=TOLERANCE):
            raise SystemExit(f"{step.name}: the penalties differ: {first}")
        times = measure(contenders, args.seconds, args.rounds)
        for contender in contenders.values():
            contender.stop()
        results[step.name] = {}
        for name in dict.fromkeys(name for name, _ in contenders):
            plain, with_both = (np.array(times[name, penalised]) for penalised in (False, True))
            row = {
                "plain_ms": 1e3 * float(np.median(plain)),
                "penalised_ms": 1e3 * float(np.median(with_both)),
                "ratio": float(np.median(with_both / plain)),  # turn by turn: noise cancels
            }
            results[step.name][name] = row
            print(
                f"  {name:15} plain {row['plain_ms']:7.3f} ms   with R1 and R2 "
                f"{row['penalised_ms']:7.3f} ms   {row['ratio']:.2f} x"
            )
    common.write_json(
        args.out / "penalty_cost.json",
        {"machine": facts, "threads": args.threads, "steps": results},
    )


if __name__ == "__main__":
    main()
