#!/usr/bin/env python3
"""Writes trace.json: ten training steps of a small network in PyTorch, for treadle to follow step by step.

    /usr/bin/python3 test/golden/make_trace.py        (Debian: apt-get install python3-torch; or any PyTorch from 1.13)

The network has treadle's structure: blocks of Linear -> BatchNorm1d -> ReLU -> dropout, then Linear -> softmax
cross-entropy, trained by Adam. Parameters, inputs and labels are drawn here from fixed seeds and written out. The
dropout masks are treadle's own, worked out here from the published generator and written out too.

Biases of the hidden Linear layers are frozen at values other than zero. BatchNorm subtracts the batch mean, so the
loss does not depend on them and their exact gradient is zero. PyTorch computes rounding noise there, which Adam,
dividing by the noise's own size, turns into steps of full length; treadle defines that gradient as exactly zero.
Frozen, they still show in the running means.
"""

import json
import pathlib

import torch
from torch import nn

SEED = 20240917
INPUTS, HIDDEN, CLASSES = 12, [16, 8], 5
DROPOUT, LEARNING_RATE = 0.5, 0.01
BATCH, STEPS = 32, 10
STREAM_DROPOUT, WORD = 1, 0xFFFFFFFF


class Network(nn.Module):
    """Hidden blocks and an output layer; the dropout masks are handed in."""

    def __init__(self):
        super().__init__()
        widths = [INPUTS, *HIDDEN, CLASSES]
        self.dense = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        self.norm = nn.ModuleList(nn.BatchNorm1d(width) for width in HIDDEN)
        for layer in self.dense[:-1]:
            layer.bias.requires_grad_(False)

    def forward(self, x, masks=None):
        for index, norm in enumerate(self.norm):
            x = torch.relu(norm(self.dense[index](x)))
            if masks is not None:
                x = x * masks[index].to(x.dtype) / (1 - DROPOUT)
        return self.dense[-1](x)


def initialise(network, generator):
    """He-normal hidden and Glorot-uniform output weights; everything else near its usual start, but not at it."""
    with torch.no_grad():
        for layer in network.dense:
            fan_out, fan_in = layer.weight.shape
            if layer is network.dense[-1]:
                bound = (6 / (fan_in + fan_out)) ** 0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
            else:
                layer.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            layer.bias.uniform_(-0.3, 0.3, generator=generator)
        for norm in network.norm:
            norm.weight.uniform_(0.8, 1.2, generator=generator)
            norm.bias.uniform_(-0.1, 0.1, generator=generator)


def philox(counter, key):
    """One block of Philox4x32-10 (Salmon et al., 2011): four words for a counter of four and a key of two."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(second >> 32) ^ c[1] ^ k[0], second & WORD, (first >> 32) ^ c[3] ^ k[1], first & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


def keep_mask(step, layer, width):
    """treadle's dropout mask of a step (from 1): 16 bits an element, eight features to a block (nn/batchnorm)."""
    mask = torch.zeros(BATCH, width, dtype=torch.int64)
    for row in range(BATCH):
        for block in range((width + 7) // 8):
            words = philox((row, block, step, (STREAM_DROPOUT << 16) | layer), (SEED, 0))
            draws = [word >> shift & 0xFFFF for word in words for shift in (0, 16)]
            for feature in range(block * 8, min(width, block * 8 + 8)):
                mask[row, feature] = draws[feature % 8] < (1 - DROPOUT) * 65536
    return mask


def draw_batches(generator):
    """The STEPS training batches and, last, the one for evaluation, which has no masks."""
    batches = []
    for step in range(STEPS + 1):
        inputs = torch.randint(0, 256, (BATCH, INPUTS), generator=generator)
        labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
        masks = [keep_mask(step + 1, layer, width) for layer, width in enumerate(HIDDEN)]
        batches.append((inputs, labels, masks if step < STEPS else None))
    return batches


def numbers(tensor):
    """A tensor's values in row-major order, each with the nine digits that identify a float32."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def parameters(network):
    """Trained parameters in treadle's layout: weights (in, out)."""
    return {
        "dense": [{"weight": numbers(d.weight.t()), "bias": numbers(d.bias)} for d in network.dense],
        "batchNorm": [{"gamma": numbers(n.weight), "beta": numbers(n.bias)} for n in network.norm],
    }


def gradients(network):
    """The gradients of the last step in the layout of `parameters`; a frozen bias has zeros."""
    return {
        "dense": [
            {"weight": d.weight.grad.t(), "bias": torch.zeros_like(d.bias) if d.bias.grad is None else d.bias.grad}
            for d in network.dense
        ],
        "batchNorm": [{"gamma": n.weight.grad, "beta": n.bias.grad} for n in network.norm],
    }


def each_tensor(tree, function):
    """The same lists and dictionaries with `function` applied to every tensor."""
    if isinstance(tree, list):
        return [each_tensor(item, function) for item in tree]
    if isinstance(tree, dict):
        return {key: each_tensor(item, function) for key, item in tree.items()}
    return function(tree)


def euclidean(tensor):
    """Euclidean norm, summed in float64."""
    return float(f"{tensor.double().norm().item():.9g}")


def train(network, batches):
    """Runs the steps; returns their records, the parameters after step 1 and 10, and the evaluation's logits."""
    dtype = network.dense[0].weight.dtype
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    adam = torch.optim.Adam(trained, lr=LEARNING_RATE)
    records, after = [], {}
    network.train()
    for step, (inputs, labels, masks) in enumerate(batches[:STEPS], start=1):
        adam.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs.to(dtype) / 255, masks), labels)
        loss.backward()
        records.append({"loss": numbers(loss)[0], "gradientNorms": each_tensor(gradients(network), euclidean)})
        if step == 1:
            records[0]["gradients"] = each_tensor(gradients(network), numbers)
        adam.step()
        if step in (1, STEPS):
            after[str(step)] = parameters(network)
    network.eval()
    with torch.no_grad():
        logits = network(batches[STEPS][0].to(dtype) / 255)
    return records, after, numbers(logits)


def flatten(tree):
    """All numbers of a tree of lists and dictionaries."""
    if isinstance(tree, (int, float)):
        return [tree]
    items = tree.values() if isinstance(tree, dict) else tree
    return [number for item in items for number in flatten(item)]


def largest_difference(one, other):
    """The largest absolute difference between two trees of the same form, to two digits."""
    return float(f"{max(abs(a - b) for a, b in zip(flatten(one), flatten(other))):.2g}")


def bits(mask):
    """A mask as one string of 0 and 1 per sample."""
    return ["".join(map(str, row)) for row in mask.tolist()]


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)
    network = Network()
    initialise(network, generator)
    batches = draw_batches(generator)

    exact = Network().double()
    exact.load_state_dict({key: value.clone() for key, value in network.state_dict().items()})
    exact_records, exact_after, exact_logits = train(exact, batches)

    initial = parameters(network)
    records, after, logits = train(network, batches)
    steps = [
        {"inputs": inputs.flatten().tolist(), "labels": labels.tolist(), "masks": [bits(m) for m in masks], **record}
        for (inputs, labels, masks), record in zip(batches, records)
    ]
    trace = {
        "provenance": {
            "script": "test/golden/make_trace.py",
            "torch": torch.__version__,
            "seed": SEED,
            "note": "float32 in nine digits; weights (in, out), inputs and masks (batch, width), all row-major; "
            "hidden biases frozen (the script says why); roundOff is the largest difference to the same run in float64",
        },
        "spec": {"inputs": INPUTS, "hidden": HIDDEN, "classes": CLASSES, "dropout": DROPOUT},
        "learningRate": LEARNING_RATE,
        "batchSize": BATCH,
        "initial": initial,
        "steps": steps,
        "after": after,
        "runningStatistics": [
            {"mean": numbers(n.running_mean), "variance": numbers(n.running_var)} for n in network.norm
        ],
        "evaluation": {"inputs": batches[STEPS][0].flatten().tolist(), "logits": logits},
        "roundOff": {
            "loss": largest_difference([r["loss"] for r in records], [r["loss"] for r in exact_records]),
            "gradientNorms": largest_difference(
                [r["gradientNorms"] for r in records], [r["gradientNorms"] for r in exact_records]
            ),
            "parameters": largest_difference(after[str(STEPS)], exact_after[str(STEPS)]),
            "logits": largest_difference(logits, exact_logits),
        },
    }
    path = pathlib.Path(__file__).with_name("trace.json")
    path.write_text(json.dumps(trace, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, losses {[round(r['loss'], 4) for r in records]}")
    print(f"float32 against float64: {trace['roundOff']}")


main()
