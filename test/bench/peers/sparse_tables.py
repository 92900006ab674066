"""One epoch on 20,000 documents x 30,000 TF-IDF columns, 0.3 % of them set, 64 hidden units, 20 classes, batch 256, one
thread: scikit-learn's MLPClassifier on the CSR matrix and PyTorch on dense batches of it. Writes the matrix for sparse.js.

    OMP_NUM_THREADS=1 python sparse_tables.py FOLDER
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse
import torch
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.neural_network import MLPClassifier

DOCUMENTS, COLUMNS, CLASSES, WORDS, BATCH = 20_000, 30_000, 20, 58, 256


def matrix() -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """Documents of about 90 different words in all: three in four by Zipf's law, the others from their class's own."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, DOCUMENTS)
    common = np.minimum(rng.zipf(1.3, (DOCUMENTS, 3 * WORDS)) - 1, COLUMNS - 1)
    own = (labels[:, None] * 997 + rng.integers(0, 1500, (DOCUMENTS, WORDS // 2)) * 7) % COLUMNS
    counts = scipy.sparse.lil_matrix((DOCUMENTS, COLUMNS), dtype=np.float32)
    for row in range(DOCUMENTS):
        words, times = np.unique(np.concatenate([common[row], own[row]]), return_counts=True)
        counts.rows[row] = words.tolist()
        counts.data[row] = times.astype(np.float32).tolist()
    return TfidfTransformer().fit_transform(counts.tocsr()).astype(np.float32).tocsr(), labels


def sklearn_epoch(x: scipy.sparse.csr_matrix, y: np.ndarray) -> float:
    model = MLPClassifier(hidden_layer_sizes=(64,), batch_size=BATCH, max_iter=1, random_state=0)
    started = time.perf_counter()
    model.fit(x, y)
    return time.perf_counter() - started


def torch_epoch(x: scipy.sparse.csr_matrix, y: np.ndarray) -> float:
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, CLASSES))
    adam = torch.optim.Adam(model.parameters(), fused=True)
    targets = torch.from_numpy(y)
    order = np.random.default_rng(1).permutation(DOCUMENTS)
    started = time.perf_counter()
    for first in range(0, DOCUMENTS, BATCH):
        rows = order[first : first + BATCH]
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x[rows].toarray())), targets[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return time.perf_counter() - started


def main() -> None:
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    x, y = matrix()
    x.indptr.astype(np.uint32).tofile(folder / "indptr")
    x.indices.astype(np.uint32).tofile(folder / "indices")
    x.data.tofile(folder / "values")
    y.astype(np.uint32).tofile(folder / "labels")
    figures = {
        "density": x.nnz / (DOCUMENTS * COLUMNS),
        "sklearn": [sklearn_epoch(x, y) for _ in range(3)],
        "pytorch": [torch_epoch(x, y) for _ in range(3)],
    }
    (folder / "figures.json").write_text(json.dumps(figures))
    print(figures)


main()
