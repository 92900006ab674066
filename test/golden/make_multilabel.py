#!/usr/bin/env python3
"""Writes multilabel.json: ten steps of a GELU network in PyTorch, by AdamW with weighted samples, clipped by their norm.

    python3 test/golden/make_multilabel.py        (any PyTorch from 2.0)

Linear -> GELU -> Linear under BCEWithLogitsLoss: the mean over the labels, then the mean over the samples weighted by
theirs. Weights of Linear layers decay, biases do not. clip_grad_norm_ is at work in every step: the trace says how large
the gradients were.
"""

import torch
from torch import nn

import steps

INPUTS, HIDDEN, LABELS = 10, [17], 6
RATE, DECAY, CLIP = 0.01, 0.1, 0.05


def loss(outputs, batch):
    """Mean over the labels, weighted mean over the samples."""
    targets, weights = batch["targets"].to(outputs.dtype), batch["weights"].to(outputs.dtype)
    each = nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").mean(dim=1)
    return (each * weights).sum() / weights.sum()


def main():
    generator = steps.begin(20250212)
    network = steps.sequential(INPUTS, HIDDEN, LABELS, nn.GELU, generator)
    batches = [
        {
            "inputs": torch.randn(steps.BATCH, INPUTS, generator=generator),
            "targets": torch.randint(0, 2, (steps.BATCH, LABELS), generator=generator),
            # One sample in four does not count.
            "weights": torch.rand(steps.BATCH, generator=generator).mul(4).sub(1).clamp(min=0),
        }
        for _ in range(steps.STEPS + 1)
    ]
    decayed, others = steps.decay_groups(network)
    steps.write(
        "multilabel",
        network,
        batches,
        optimizer=lambda model: torch.optim.AdamW(steps.groups(model, decayed, others, DECAY), lr=RATE),
        loss=loss,
        rates=[RATE] * steps.STEPS,
        clip=CLIP,
        network_spec={"inputs": INPUTS, "hidden": HIDDEN, "outputs": LABELS, "activation": "gelu"},
        training={
            "loss": {"type": "binaryCrossEntropy"},
            "optimizer": {"type": "adamW", "weightDecay": DECAY},
            "clipNorm": CLIP,
        },
    )


main()
