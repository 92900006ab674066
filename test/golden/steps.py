"""What the make_*.py here share: networks as torch.nn.Sequential, and ten steps of them written as JSON.

A trace holds the initial parameters, the batches, the loss, rate and gradient norm of every step, the first gradients,
the parameters after step 1 and 10, and outputs of the last batch in evaluation mode. Keys of tensors are PyTorch's
(`0.weight`), their layout treadle's: weights (in, out), row-major.
"""

import copy
import json
import pathlib

import torch
from torch import nn

BATCH, STEPS = 24, 10
STREAM_DROPOUT, WORD = 1, 0xFFFFFFFF


def begin(seed):
    """One thread, and a generator of its own."""
    torch.set_num_threads(1)
    return torch.Generator().manual_seed(seed)


class Mask(nn.Module):
    """Dropout by a mask that is handed in; nothing in evaluation mode."""

    def __init__(self, rate):
        super().__init__()
        self.rate, self.mask = rate, None

    def forward(self, x):
        return x * self.mask.to(x.dtype) / (1 - self.rate) if self.training else x


def sequential(inputs, hidden, outputs, activation, generator, norm=False, dropout=None):
    """Hidden blocks and an output layer, all values drawn; biases before BatchNorm are frozen."""
    layers, before = [], inputs
    for width in hidden:
        layers += [nn.Linear(before, width)]
        layers += [nn.BatchNorm1d(width)] if norm else []
        layers += [activation()]
        layers += [] if dropout is None else [Mask(dropout)]
        before = width
    network = nn.Sequential(*layers, nn.Linear(before, outputs))
    with torch.no_grad():
        for index, layer in enumerate(network):
            if isinstance(layer, nn.Linear):
                bound = (6 / sum(layer.weight.shape)) ** 0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-0.3, 0.3, generator=generator)
                layer.bias.requires_grad_(not (norm and index < len(network) - 1))
            elif isinstance(layer, nn.BatchNorm1d):
                layer.weight.uniform_(0.8, 1.2, generator=generator)
                layer.bias.uniform_(-0.1, 0.1, generator=generator)
    return network


def decay_groups(network):
    """Names of the parameters that decay, weights of Linear layers, and of the others."""
    names = [name for name, _ in network.named_parameters()]
    return [n for n in names if n.endswith("weight")], [n for n in names if not n.endswith("weight")]


def groups(network, decayed, others, decay):
    """Parameter groups of an optimiser, of which the first decays."""
    of = dict(network.named_parameters())
    return [
        {"params": [of[n] for n in decayed], "weight_decay": decay},
        {"params": [of[n] for n in others], "weight_decay": 0},
    ]


def philox(counter, key):
    """One block of Philox4x32-10 (Salmon et al., 2011): four words for a counter of four and a key of two."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(second >> 32) ^ c[1] ^ k[0], second & WORD, (first >> 32) ^ c[3] ^ k[1], first & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


def keep_mask(seed, step, layer, width, dropout):
    """treadle's dropout mask of a step (from 1): 16 bits an element, eight features to a block."""
    mask = torch.zeros(BATCH, width, dtype=torch.int64)
    for row in range(BATCH):
        for block in range((width + 7) // 8):
            words = philox((row, block, step, (STREAM_DROPOUT << 16) | layer), (seed, 0))
            draws = [word >> shift & 0xFFFF for word in words for shift in (0, 16)]
            for feature in range(block * 8, min(width, block * 8 + 8)):
                mask[row, feature] = draws[feature % 8] < (1 - dropout) * 65536
    return mask


def numbers(tensor):
    """A tensor's values in row-major order, each with the nine digits that identify a float32."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def tensors(network, of=lambda parameter: parameter):
    """Parameters, or what `of` makes of them, by PyTorch's names in treadle's layout."""
    found = {name: of(parameter) for name, parameter in network.named_parameters()}
    return {name: numbers(value.t() if value.dim() == 2 else value) for name, value in found.items()}


def gradient(parameter):
    """A parameter's gradient; zeros where it is frozen."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def run(network, batches, optimizer, loss, rates, clip):
    """Trains; returns the steps' records, the parameters after steps 1 and 10, and outputs in evaluation mode."""
    dtype = next(network.parameters()).dtype
    optimizer = optimizer(network)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def forward(batch):
        for mask, layer in zip(batch.get("masks", []), [m for m in network if isinstance(m, Mask)]):
            layer.mask = mask
        return network(batch["inputs"].to(dtype))

    records, after = [], {}
    network.train()
    for step, (batch, rate) in enumerate(zip(batches[:STEPS], rates), start=1):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        value = loss(forward(batch), batch)
        value.backward()
        if step == 1:
            first = tensors(network, gradient)
        norm = nn.utils.clip_grad_norm_(trained, float("inf") if clip is None else clip)
        records.append({"loss": numbers(value)[0], "rate": rate, "gradientNorm": numbers(norm)[0]})
        optimizer.step()
        if step in (1, STEPS):
            after[str(step)] = tensors(network)
    network.eval()
    with torch.no_grad():
        outputs = forward(batches[STEPS])
        ended = {"outputs": numbers(outputs), "loss": numbers(loss(outputs, batches[STEPS]))[0]}
    return records, first, after, ended


def plain(value):
    """A batch's tensors as lists."""
    if isinstance(value, list):
        return [["".join(map(str, row)) for row in mask.tolist()] for mask in value]
    return numbers(value) if value.is_floating_point() else value.flatten().tolist()


def difference(one, other):
    """The largest absolute difference between two trees of the same form, to two digits."""

    def flat(tree):
        if isinstance(tree, (int, float)):
            return [tree]
        return [n for item in (tree.values() if isinstance(tree, dict) else tree) for n in flat(item)]

    return float(f"{max(abs(a - b) for a, b in zip(flat(one), flat(other))):.2g}")


def write(name, network, batches, optimizer, loss, rates, network_spec, training, clip=None):
    """Runs the steps in float32 and, for the size of its round-off, in float64; writes <name>.json."""
    exact = run(copy.deepcopy(network).double(), batches, optimizer, loss, rates, clip)
    initial = tensors(network)
    records, first, after, evaluation = run(network, batches, optimizer, loss, rates, clip)
    running = {
        f"{index}.{key}": numbers(value)
        for index, layer in enumerate(network)
        if isinstance(layer, nn.BatchNorm1d)
        for key, value in (("running_mean", layer.running_mean), ("running_var", layer.running_var))
    }
    found = [{key: plain(value) for key, value in batch.items()} for batch in batches]
    trace = {
        "provenance": {
            "script": f"test/golden/make_{name}.py",
            "torch": torch.__version__,
            "note": "float32 in nine digits; weights (in, out), batches (batch, width), all row-major; "
            "roundOff is the largest difference to the same run in float64",
        },
        "model": network_spec,
        "training": training,
        "batchSize": BATCH,
        "initial": initial,
        "steps": [{**batch, **record} for batch, record in zip(found, records)],
        "gradients": first,
        "after": after,
        "running": running,
        "evaluation": {**found[STEPS], **evaluation},
        "roundOff": {
            "loss": difference([r["loss"] for r in records], [r["loss"] for r in exact[0]]),
            "parameters": difference(after[str(STEPS)], exact[2][str(STEPS)]),
            "outputs": difference(evaluation["outputs"], exact[3]["outputs"]),
        },
    }
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps(trace, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, losses {[round(r['loss'], 4) for r in records]}")
    print(f"gradient norms {[round(r['gradientNorm'], 3) for r in records]}, round-off {trace['roundOff']}")
