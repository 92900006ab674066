#!/usr/bin/env python3
"""Writes metrics.json: samples and what scikit-learn says of them, for test/model/metrics.test.ts.

    python3 test/model/reference/make_metrics.py        (scikit-learn 1.5 or later)

Probabilities and predictions are f32 values, as the core gives them. A figure that scikit-learn has not is null.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics

warnings.simplefilter("ignore")
F32_EPSILON = float(np.finfo(np.float32).eps)


def plain(value):
    """Numbers as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def defined(score, *args, **options):
    """A score, or None where scikit-learn refuses it."""
    try:
        return score(*args, **options)
    except ValueError:
        return None


def prf(targets, predicted, **options):
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        targets, predicted, zero_division=0, **options
    )
    scores = {"precision": precision, "recall": recall, "f1": f1}
    if support is None:
        return scores
    columns = [*scores.values(), support]
    return [dict(zip([*scores, "support"], row)) for row in zip(*columns)]


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def classification(name, labels, probabilities):
    classes = probabilities.shape[1]
    every = list(range(classes))
    predicted = probabilities.argmax(axis=1)
    exact = probabilities.astype(np.float64)
    clipped = np.clip(exact, F32_EPSILON, 1 - F32_EPSILON)
    auc = (
        defined(metrics.roc_auc_score, labels, exact[:, 1])
        if classes == 2
        else defined(metrics.roc_auc_score, labels, exact, multi_class="ovr", labels=every)
    )
    tops = range(1, classes) if classes > 2 else []
    return {
        "name": name,
        "classes": classes,
        "labels": labels,
        "probabilities": probabilities.ravel(),
        "expected": {
            "confusion": metrics.confusion_matrix(labels, predicted, labels=every),
            "accuracy": metrics.accuracy_score(labels, predicted),
            "macro": prf(labels, predicted, average="macro"),
            "perClass": prf(labels, predicted, labels=every),
            # In f64 of what is clipped as for f32, and all in f32.
            "logLoss": metrics.log_loss(labels, clipped, labels=every),
            "logLossF32": metrics.log_loss(labels, probabilities, labels=every),
            "rocAuc": auc,
            "topK": [metrics.top_k_accuracy_score(labels, exact, k=k, labels=every) for k in tops],
        },
    }


def multilabel(name, targets, probabilities):
    predicted = (probabilities >= 0.5).astype(int)
    count = targets.shape[1]
    single = {"average": "binary", "pos_label": 1}
    labels = []
    for label in range(count):
        scores = prf(targets[:, label], predicted[:, label], **single)
        auc = defined(metrics.roc_auc_score, targets[:, label], probabilities[:, label].astype(np.float64))
        labels.append({**scores, "support": targets[:, label].sum(), "rocAuc": auc})
    # With one label the averages are over that label alone, where scikit-learn would average over 0 and 1.
    averages = {
        average: prf(targets, predicted, average=average) if count > 1 else prf(targets[:, 0], predicted[:, 0], **single)
        for average in ["micro", "macro"]
    }
    return {
        "name": name,
        "outputs": count,
        "targets": targets.ravel(),
        "probabilities": probabilities.ravel(),
        "expected": {
            "subsetAccuracy": metrics.accuracy_score(targets, predicted),
            "accuracy": 1 - metrics.hamming_loss(targets, predicted),
            **averages,
            "labels": labels,
        },
    }


def regression(name, targets, predictions, weights=None):
    options = {"sample_weight": weights}
    return {
        "name": name,
        "outputs": targets.shape[1],
        "targets": targets.ravel(),
        "predictions": predictions.ravel(),
        "weights": weights,
        "expected": {
            "mae": metrics.mean_absolute_error(targets, predictions, **options),
            "rmse": metrics.root_mean_squared_error(targets, predictions, **options),
            "r2": metrics.r2_score(targets, predictions, **options),
        },
    }


def f32(values):
    return np.asarray(values).astype(np.float32).astype(np.float64)


def main():
    rng = np.random.default_rng(20250301)

    def drawn(name, rows, classes, of=None, sharpness=1.0):
        labels = rng.integers(0, of or classes, rows)
        logits = rng.normal(size=(rows, classes)) + sharpness * np.eye(classes)[labels]
        return classification(name, labels, softmax(logits))

    ties = np.tile(np.float32([[0.25, 0.25, 0.25, 0.25], [0.5, 0.125, 0.25, 0.125]]), (6, 1))
    sure = np.float32([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0.5, 0, 0.5]])
    one = lambda rows: f32(rng.normal(100, 20, size=(rows, 1)))
    three = f32(rng.normal([0, 1000, -3], [1, 100, 0.01], size=(25, 3)))
    constant = np.full((6, 2), 0.75)
    constant[:, 1] = 2
    near = constant.copy()
    near[2, 0] = 1
    labels = (rng.random((30, 4)) < [0.5, 0.2, 0, 1]).astype(int)
    scores = (rng.random((30, 4)) * 0.7 + 0.3 * labels).astype(np.float32)
    # Exactly at the threshold, and equal scores of positives and negatives.
    scores[:6, 0] = 0.5
    single = labels[:, :1]

    target = one(25)
    data = {
        "made by": "test/model/reference/make_metrics.py",
        "classification": [
            drawn("two classes", 30, 2),
            drawn("three classes", 40, 3),
            drawn("twelve classes", 60, 12, sharpness=2.0),
            drawn("a class that never occurs", 20, 4, of=3),
            classification("ties", np.arange(12) % 4, ties),
            classification("probabilities of 0 and 1", np.array([0, 1, 2, 2]), sure),
            classification("always wrong", np.array([1, 0, 1, 0]), np.float32([[0.9, 0.1], [0.2, 0.8]] * 2)),
        ],
        "multilabel": [
            multilabel("four labels, one never and one always given", labels, scores),
            multilabel("one label", single, scores[:, :1]),
            multilabel("nothing predicted", labels[:, :2], np.zeros((30, 2), np.float32)),
        ],
        "regression": [
            regression("one number", target, f32(target + rng.normal(0, 5, size=target.shape))),
            regression("three numbers of different sizes", three, f32(three * 1.01 + 0.1)),
            regression("three numbers, weighted", three, f32(three * 1.01 + 0.1), f32(rng.random(25) * 3)),
            regression("weights of 0", target, f32(target + 1), np.arange(25) % 2.0),
            regression("no better than the mean", target, np.full_like(target, f32(target.mean()))),
            regression("constant targets, hit and missed", constant, near),
        ],
    }
    path = pathlib.Path(__file__).with_name("metrics.json")
    text = json.dumps(plain(data), allow_nan=False)
    path.write_text(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
