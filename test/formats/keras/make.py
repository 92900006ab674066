"""Small models that Keras has saved, each with rows and what Keras says of them, for keras.test.ts. In a folder of its own, once
with Keras 3 (pip install keras jax h5py) and once with Keras 2 (pip install tensorflow-cpu tf_keras), whose files end in -2:

    KERAS_BACKEND=numpy python make.py .
    python make.py . tf_keras
"""
import importlib
import json
import os
import sys

import numpy as np

folder = sys.argv[1]
library = sys.argv[2] if len(sys.argv) > 2 else "keras"
keras = importlib.import_module(library)
layers = keras.layers
is_old = library == "tf_keras"
rng = np.random.default_rng(0)


def table():
    """Statistics, every kind of activation, and a norm before one."""
    normalization = layers.Normalization()
    normalization.adapt(rng.normal(3, 5, (50, 5)).astype("float32"))
    return keras.Sequential(
        [
            layers.Input((5,)),
            normalization,
            layers.Dense(6),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(4, activation="gelu"),
            layers.Dense(4),
            layers.LeakyReLU(0.2) if not is_old else layers.LeakyReLU(alpha=0.2),
            layers.Dense(4, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def images():
    """Bytes, a layer without a bias, a norm behind an activation and without a scale, and one probability."""
    inputs = keras.Input((4, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(6, activation="relu", use_bias=False)(x)
    x = layers.BatchNormalization(scale=False, epsilon=1e-4)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def nested():
    """A model within a model, names of one's own, and numbers for outputs."""
    inner = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5, name="wide"), layers.Activation("swish"), layers.Dense(4)], name="inner"
    )
    inputs = keras.Input((4,))
    x = inner(inputs)
    x = layers.Dense(3, activation="sigmoid", name="narrow")(x)
    return keras.Model(inputs, layers.Dense(2)(x))


expected = {}
for make in (table, images, nested):
    keras.utils.set_random_seed(1)
    model = make()
    for layer in model.layers + [own for part in model.layers for own in getattr(part, "layers", [])]:
        if not isinstance(layer, (layers.Dense, layers.BatchNormalization)):
            continue
        for weight in layer.weights:
            drawn = rng.normal(0, 0.7, weight.shape)
            weight.assign(np.abs(drawn) + 0.3 if "variance" in weight.name else drawn)
    name = f"{make.__name__}-2" if is_old else make.__name__
    if make is images:
        rows = rng.integers(0, 256, (8, 4, 3)).astype("uint8")
    else:
        rows = rng.normal(0, 3, (8, *model.input_shape[1:])).astype("float32")
    outputs = np.asarray(model.predict(rows, verbose=0))
    for end in (".keras", ".h5", ".weights.h5"):
        path = os.path.join(folder, name + end)
        model.save_weights(path) if end == ".weights.h5" else model.save(path)
        expected[name + end] = {"rows": rows.reshape(8, -1).tolist(), "outputs": outputs.tolist()}
with open(os.path.join(folder, f"expected{'-2' if is_old else ''}.json"), "w") as file:
    json.dump(expected, file)

if not is_old:
    import h5py

    # Weights as others may write them by h5py: in the newest layout, with more layers than a folder's header holds, and in chunks.
    for name, options in (("layout", {"libver": "latest"}), ("chunks", {})):
        with h5py.File(os.path.join(folder, f"{name}.h5"), "w", **options) as file:
            for at in range(10 if name == "layout" else 2):
                chunks = {"chunks": (2, 2)} if name == "chunks" else {}
                kernel = np.arange(9).reshape(3, 3) + at
                file.create_dataset(f"dense_{at}/kernel:0", data=kernel, dtype="float64" if at else "float32", **chunks)
                file[f"dense_{at}/bias:0"] = np.full(3, at, "float16")
                file[f"dense_{at}"].attrs["weight_names"] = ["kernel:0", "bias:0"]
    # A folder that holds itself, and compressed numbers.
    with h5py.File(os.path.join(folder, "circle.h5"), "w") as file:
        for name in "abcd":
            file.create_group(f"inner/{name}")
            file[f"inner/{name}/inner"] = file["inner"]
    with h5py.File(os.path.join(folder, "compressed.h5"), "w") as file:
        file.create_dataset("dense/kernel:0", data=np.ones((40, 40), "float32"), compression="gzip")
