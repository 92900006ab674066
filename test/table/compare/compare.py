"""One command of treadle beside a pipeline of scikit-learn, on the tables of tables.mjs: test score and wall time.

    node test/table/compare/tables.mjs build/tables && python test/table/compare/compare.py build/tables
"""
import json
import os
import subprocess
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

folder = sys.argv[1]
cli = os.path.join(os.path.dirname(__file__), "../../../dist/cli.js")
SEEDS = range(3)


def of_treadle(name, target, seed):
    began = time.perf_counter()
    out = os.path.join(folder, f"{name}.safetensors")
    line = ["node", cli, "fit", f"{folder}/{name}-train.csv", "--test", f"{folder}/{name}-test.csv", "--target", target]
    found = subprocess.run([*line, "--seed", str(seed), "--out", out, "--json"], check=True, capture_output=True, text=True)
    record = json.loads(found.stdout)
    scores = record["scores"]
    shown = {"R2": scores["r2"]} if "r2" in scores else {"accuracy": scores["accuracy"], "macro-F1": scores["macro"]["f1"]}
    return {**shown, "epochs": record["epochs"], "seconds": time.perf_counter() - began}


def of_sklearn(name, target, seed):
    """In a process of its own, as a user's script."""
    began = time.perf_counter()
    found = subprocess.run([sys.executable, __file__, folder, name, target, str(seed)], check=True, capture_output=True, text=True)
    return {**json.loads(found.stdout), "seconds": time.perf_counter() - began}


def fit(name, target, seed):
    train, test = (pd.read_csv(f"{folder}/{name}-{part}.csv", na_values="?") for part in ("train", "test"))
    x, y = train.drop(columns=target), train[target]
    words = x.select_dtypes(exclude="number").columns
    numbers = x.columns.difference(words)
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
            ("words", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2), words),
        ]
    )
    kind = MLPRegressor if name == "houses" else MLPClassifier
    network = kind(hidden_layer_sizes=(64, 32), early_stopping=True, n_iter_no_change=20, validation_fraction=0.15, random_state=seed)
    model = make_pipeline(columns, network)
    if kind is MLPRegressor:  # As scikit-learn's own guide has it: targets are standardised too.
        from sklearn.compose import TransformedTargetRegressor

        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    model.fit(x, y)
    said = model.predict(test.drop(columns=target))
    network = (model.regressor_ if kind is MLPRegressor else model)[-1]
    if kind is MLPRegressor:
        from sklearn.metrics import r2_score

        scores = {"R2": r2_score(test[target], said)}
    else:
        scores = {"accuracy": (said == test[target]).mean(), "macro-F1": f1_score(test[target], said, average="macro")}
    print(json.dumps({**scores, "epochs": network.n_iter_}))


if len(sys.argv) == 5:
    fit(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    for name, target in (("houses", "price"), ("people", "income")):
        for who in (of_treadle, of_sklearn):
            for seed in SEEDS:
                found = who(name, target, seed)
                print(name, who.__name__[3:], *(f"{key} {value:.4f}" for key, value in found.items()), flush=True)
