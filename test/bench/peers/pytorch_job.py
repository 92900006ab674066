"""What the PyTorch scripts share: the architectures, the data, a training step, and which libraries do the work.

The recipe is treadle's: blocks of Linear -> BatchNorm1d -> ReLU -> Dropout(0.5), then Linear -> cross-entropy; Adam;
u8 pixels kept as bytes and divided by 255 a batch at a time; a last batch of one sample is joined to the one before it.
Adam is PyTorch's fused one, its fastest on a processor. Every script's output names the library that multiplies
matrices: a PyTorch over the reference BLAS is ten times slower.
"""

import gzip
import pathlib
import re

import numpy
import torch
from torch import nn

MODELS = {"large1": [1024, 512, 256, 128], "large2": [512, 256, 128, 64], "small": [128, 64]}
INPUTS, CLASSES = 784, 10


def read_idx(folder, name, header):
    """The bytes of an IDX file after its header, from NAME or NAME.gz."""
    plain = folder / name
    packed = folder / f"{name}.gz"
    raw = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    return numpy.frombuffer(raw, numpy.uint8, offset=header)


def read_samples(folder, part):
    """Images (samples, 784) u8 and labels (samples) of the part `train` or `t10k`."""
    images = read_idx(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, INPUTS)
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte", 8)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(numpy.int64))


def build(hidden):
    layers = []
    for inputs, width in zip([INPUTS, *hidden], hidden):
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], CLASSES))


def batches(order, size):
    """`order` cut into batches; a single sample left over goes to the batch before."""
    cut = list(order.split(size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def optimizer(network, rate):
    return torch.optim.Adam(network.parameters(), lr=rate, fused=True)


def train_step(network, adam, images, labels):
    """Trains on a batch of u8 images (rows, 784) and returns its mean loss."""
    adam.zero_grad()
    loss = nn.functional.cross_entropy(network(images.float() / 255), labels)
    loss.backward()
    adam.step()
    return loss.item()


def engine():
    """The BLAS that PyTorch was built with, the libraries of that name in this process, and the vector level it took.

    MKL is part of PyTorch's own library; another BLAS is one of its own, and may be any through a link.
    """
    config = torch.__config__.show()
    built = re.search(r"BLAS_INFO=(\w+)", config)
    mkl = re.search(r"Math Kernel Library Version (\S+)", config)
    maps = pathlib.Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    paths = {pathlib.Path(line.split()[-1]) for line in lines if "blas" in line}
    loaded = sorted(str(path) for path in paths if not {"numpy.libs", "nvidia"} & set(path.parts))
    return {
        "torch": torch.__version__,
        "blas": f"mkl {mkl.group(1)}" if mkl else built and built.group(1),
        "loaded": loaded,
        "cpuCapability": torch.backends.cpu.get_cpu_capability(),
    }
