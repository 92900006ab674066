"""scikit-learn's MLPClassifier and MLPRegressor, with their defaults, on small tables: makes the tables and five splits of
each, fits and scores, and writes all of it as JSON for tables.js. One thread.

    OMP_NUM_THREADS=1 python sklearn_tables.py FOLDER [--sparse]
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SPLITS = 5
warnings.filterwarnings("ignore")


def housing(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """20,640 x 8 in the likeness of California housing: skewed columns, interactions, a target cut off at 5."""
    n = 20_640
    income = rng.lognormal(1.2, 0.5, n)
    age = rng.integers(1, 53, n)
    rooms = rng.lognormal(1.6, 0.3, n)
    bedrooms = 1 + rng.lognormal(-2.5, 0.8, n)
    population = rng.lognormal(7, 0.7, n)
    occupancy = 1 + rng.lognormal(0.6, 0.4, n)
    south = rng.random(n) < 0.55
    latitude = np.where(south, 34 + rng.normal(0, 0.6, n), 37.7 + rng.normal(0, 0.7, n))
    longitude = -119.5 - (latitude - 36) * 0.85 + rng.normal(0, 0.6, n)
    coast = np.exp(-(((longitude + 122) + (latitude - 34) * 0.9) ** 2) / 0.5)
    y = 0.45 * income + 0.012 * age * coast + 1.1 * coast + 0.15 * np.log(rooms / occupancy)
    y += 0.4 * np.sin(3 * latitude) * np.cos(2 * longitude) + rng.normal(0, 0.35, n)
    columns = [income, age, rooms, bedrooms, population, occupancy, latitude, longitude]
    return np.stack(columns, 1), np.clip(y, 0.15, 5)


def embeddings(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """200 x 512 in the likeness of frozen embeddings of five classes."""
    centres = rng.normal(0, 1, (5, 512))
    y = rng.integers(0, 5, 200)
    return centres[y] * 0.12 + rng.normal(0, 1, (200, 512)), y


def tables() -> dict[str, tuple[np.ndarray, np.ndarray, bool]]:
    rng = np.random.default_rng(0)
    loaders = {"iris": datasets.load_iris, "wine": datasets.load_wine, "digits": datasets.load_digits}
    found = {name: (*load(return_X_y=True), False) for name, load in loaders.items()}
    found["embeddings"] = (*embeddings(rng), False)
    found["diabetes"] = (*datasets.load_diabetes(return_X_y=True), True)
    found["housing-like"] = (*housing(rng), True)
    return found


def measure(model, split, y) -> tuple[float, float]:
    x_train, x_test, y_train, y_test = split
    started = time.perf_counter()
    model.fit(x_train, y_train)
    return time.perf_counter() - started, model.score(x_test, y_test)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (x, y, regression) in tables().items():
        kind = MLPRegressor if regression else MLPClassifier
        stratify = None if regression else y
        indices = np.arange(len(y))
        record = {"name": name, "regression": regression, "x": x.tolist(), "y": y.tolist(), "splits": []}
        for seed in range(SPLITS):
            train, test = train_test_split(indices, test_size=0.2, random_state=seed, stratify=stratify)
            split = (x[train], x[test], y[train], y[test])
            seconds, score = measure(kind(random_state=seed), split, y)
            scaled = make_pipeline(StandardScaler(), kind(random_state=seed))
            scaled_seconds, scaled_score = measure(scaled, split, y)
            record["splits"].append(
                {
                    "train": train.tolist(),
                    "test": test.tolist(),
                    "sklearn": {"seconds": seconds, "score": score},
                    "scaled": {"seconds": scaled_seconds, "score": scaled_score},
                }
            )
        (folder / f"{name}.json").write_text(json.dumps(record))
        print(name, flush=True)


main()
