#!/usr/bin/env python3
"""Make the small ONNX files in tests/operators/: single operators, shape arithmetic and scikit-learn's ops.

Usage: as make_frontend_cases.py, whose Net this uses; the same pinned packages give the same bytes.

accept/CASE.json is as in tests/frontend (about, inputs, classes or values), and may have

    output   the output that the answers are of, where the model has several and it must be named
    labels   what the model calls its classes, where these are not 0, 1, 2, ...
    tolerance  how far values may be off, as a share of their range, where a function is approximated

Answers are onnxruntime's. A row is kept where the scores that the class is made of (named in the case, and read
from onnxruntime, too) are at least MARGIN apart, and a logit is as far from 0. Rows show every class.

refuse/CASE.json is as in tests/frontend.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import onnx
from make_frontend_cases import NP, ROOT, Net, number, session_of
from onnx import TensorProto as T
from onnx import helper, numpy_helper

MARGIN = 1e-3
ROWS = 12
ML, MS = "ai.onnx.ml", "com.microsoft"
INT = {T.INT64: np.int64, T.INT32: np.int32}
NP[T.FLOAT16] = np.float16

ACCEPT, REFUSE = {}, {}


def accept(about, scores="scores", **options):
    """`scores`: the tensor whose largest element is the class (or, of a single one, its sign)."""
    def register(function):
        ACCEPT[function.__name__] = (function, about, scores, options)
        return function
    return register


def refuse(about, *mentions):
    def register(function):
        REFUSE[function.__name__] = (function, about, mentions)
        return function
    return register


def ml(n, op, inputs, output, name=None, **attrs):
    return n.op(op, inputs, output, name=name, domain=ML, **attrs)


def floats(n, *shape):
    return [float(v) for v in n.values(*shape).reshape(-1)]


def build(n):
    graph = helper.make_graph(n.nodes, "case", n.ins, n.outs, n.inits)
    used = {node.domain for node in n.nodes}
    imports = [helper.make_opsetid("", n.opset)] if "" in used else []
    imports += [helper.make_opsetid(d, v) for d, v in ((ML, 2), (MS, 1)) if d in used]
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = 8 if n.opset < 20 else 10
    return model


# ---------------------------------------------------------------- normalisation

def norm(n, x, out, channels, **attrs):
    s = [n.const(f"{out}_scale", n.rng.uniform(0.5, 2, channels)), n.w(f"{out}_bias", channels),
         n.w(f"{out}_mean", channels), n.const(f"{out}_var", n.rng.uniform(0.1, 3, channels))]
    return n.op("BatchNormalization", [x, *s], out, **attrs)


@accept("BatchNormalization between the layers")
def batch_norm(n):
    h = n.op("Relu", [norm(n, n.dense(n.input("x", ["N", 4]), 4, 5, 1), "bn", 5)], "h")
    n.op("Identity", [n.dense(h, 5, 3, 2)], "scores")
    n.output("scores")


@accept("BatchNormalization of channels of a picture, with an epsilon", scores="z1")
def batch_norm_channels(n):
    x = norm(n, n.input("x", ["N", 2, 3]), "bn", 2, epsilon=0.1)
    n.dense(n.op("Flatten", [x], "flat"), 6, 3, 1)
    n.output("z1")


@accept("BatchNormalization of operator set 9, behind the last layer", opset=9)
def batch_norm_last(n):
    n.op("Identity", [norm(n, n.dense(n.input("x", ["N", 4]), 4, 3, 1), "bn", 3)], "scores")
    n.output("scores")


# ---------------------------------------------------------------- ends

@accept("ArgMin over the last axis", scores="scores", smallest=True)
def argmin(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("ArgMin", ["scores"], "class", axis=-1, keepdims=0)
    n.output("class", ["N"], T.INT64)


@accept("ArgMin behind a Softmax, keepdims 1", scores="scores", smallest=True)
def argmin_softmax(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("ArgMin", [n.op("Softmax", ["scores"], "p")], "class", axis=1)
    n.output("class", ["N", 1], T.INT64)


@accept("TopK with k = 1, its index the output")
def top_k(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("TopK", ["scores", n.const("k", [1], np.int64)], ["best", "index"], axis=-1)
    n.output("index", ["N", 1], T.INT64)


@accept("TopK with k = 1 of the smallest", scores="scores", smallest=True)
def top_k_smallest(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("TopK", ["scores", n.const("k", [1], np.int64)], ["best", "index"], axis=1, largest=0)
    n.output("index", ["N", 1], T.INT64)


@accept("the class and the probabilities: the class is taken")
def class_and_probabilities(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("Softmax", ["scores"], "probabilities")
    n.op("ArgMax", ["probabilities"], "class", axis=1, keepdims=0)
    n.output("probabilities")
    n.output("class", ["N"], T.INT64)


@accept("two outputs of scores, one of them named", output="second", scores="second")
def named_output(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.op("Identity", [n.dense(h, 4, 3, 2)], "first")
    n.op("Identity", [n.dense(h, 4, 3, 3)], "second")
    n.output("first")
    n.output("second")


# ---------------------------------------------------------------- weights on either side

@accept("weights on the left of a column: W @ x")
def matmul_left(n):
    x = n.input("x", [4, 1])
    h = n.op("Relu", [n.op("Add", [n.op("MatMul", [n.w("W1", 5, 4), x], "m1"), n.w("b1", 5, 1)], "a1")], "h")
    n.op("Add", [n.op("MatMul", [n.w("W2", 3, 5), h], "m2"), n.w("b2", 3, 1)], "scores")
    n.op("ArgMax", ["scores"], "class", axis=0, keepdims=0)
    n.output("class", [1], T.INT64)


@accept("weights on the left of a vector")
def matmul_left_vector(n):
    h = n.op("Relu", [n.op("MatMul", [n.w("W1", 4, 6), n.input("x", [6])], "m1")], "h")
    n.op("MatMul", [n.w("W2", 3, 4), h], "scores")
    n.output("scores", [3])


@accept("Gemm with the weights as A, a column as B and C, alpha, beta")
def gemm_left(n):
    x = n.input("x", [4, 1])
    h = n.op("Relu", [n.op("Gemm", [n.w("W1", 5, 4), x, n.w("b1", 5, 1)], "g", alpha=0.5, beta=2.0)], "h")
    n.op("Gemm", [n.w("W2", 5, 3), h, n.w("b2", 1)], "scores", transA=1)
    n.output("scores", [3, 1])


@accept("Gemm with the weights as A and a row as B, transB")
def gemm_left_transb(n):
    n.op("Gemm", [n.w("W", 3, 4), n.input("x", [1, 4]), n.w("b", 3, 1)], "scores", transB=1)
    n.op("ArgMax", ["scores"], "class", axis=0)
    n.output("class", [1, 1], T.INT64)


@accept("a vector of weights: one number", value=True, scores="y")
def matmul_vector(n):
    n.op("MatMul", [n.op("Relu", [n.dense(n.input("x", ["N", 4]), 4, 4, 1)], "h"), n.w("w", 4)], "y")
    n.output("y", ["N"])


@accept("FusedMatMul and FusedGemm, as onnxruntime's optimiser writes them")
def fused(n):
    x = n.input("x", ["N", 4])
    h = n.op("FusedGemm", [x, n.w("W1", 5, 4), n.w("b1", 5)], "h", domain=MS, transB=1, alpha=1.0, beta=1.0, activation="Relu")
    n.op("FusedMatMul", [h, n.w("W2", 3, 5)], "scores", domain=MS, transB=1, alpha=0.5)
    n.output("scores")


@accept("FusedGemm with a Sigmoid, at the end", classes=2)
def fused_sigmoid(n):
    h = n.op("FusedGemm", [n.input("x", ["N", 4]), n.w("W1", 4, 5), n.w("b1", 5)], "h", domain=MS, activation="Relu")
    n.op("FusedGemm", [h, n.w("W2", 5, 1), n.w("b2", 1)], "p", domain=MS, activation="Sigmoid")
    n.op("Gemm", [h, "W2", "b2"], "scores")
    n.output("p", ["N", 1])


@accept("float16 throughout, its weights as bits in int32_data", dtype=T.FLOAT16)
def float16_bits(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    for i, init in enumerate(n.inits):
        array = numpy_helper.to_array(init)
        bits = array.reshape(-1).view(np.uint16).astype(np.int32)
        n.inits[i] = helper.make_tensor(init.name, T.FLOAT16, array.shape, array.reshape(-1).tolist())
        assert list(n.inits[i].int32_data) == bits.tolist()
    n.output("scores")


# ---------------------------------------------------------------- constants that are computed

@accept("a shape that is computed of the input's, as tf2onnx writes it", scores="z1")
def shape_arithmetic(n):
    x = n.input("x", ["N", 2, 3])
    i64 = np.int64
    batch = n.op("Slice", [n.op("Shape", [x], "s"), n.const("zero", [0], i64), n.const("one", [1], i64), n.const("axes", [0], i64)], "b")
    rest = n.op("ReduceProd", [n.op("Shape", [x], "tail", start=1)], "rest")
    shape = n.op("Concat", [n.op("Cast", [n.op("Cast", [batch], "b32", to=T.INT32)], "b64", to=T.INT64), rest], "to", axis=0)
    n.dense(n.op("Reshape", [x, shape], "flat"), 6, 3, 1)
    n.output("z1")


@accept("a shape that is computed of a hidden value's, as torch writes it", scores="z2")
def shape_of_hidden(n):
    i64 = np.int64
    h = n.op("Unsqueeze", [n.dense(n.input("x", ["N", 4]), 4, 6, 1, relu=True), n.const("axes", [1], i64)], "wide")
    batch = n.op("Gather", [n.op("Shape", [h], "s"), n.const("zero", 0, i64)], "b", axis=0)
    size = n.op("Div", [n.op("Size", [h], "all"), batch], "size")
    parts = [n.op("Unsqueeze", [p, "zero_axis"], f"u{i}") for i, p in enumerate([batch, size])]
    n.const("zero_axis", [0], i64)
    n.dense(n.op("Reshape", [h, n.op("Concat", parts, "to", axis=0)], "flat"), 6, 3, 2)
    n.output("z2")


@accept("a shape of Where, Equal, ConstantOfShape and Expand, as torch's expand writes it", scores="scores")
def shape_where(n):
    i64 = np.int64
    x = n.dense(n.input("x", ["N", 4]), 4, 3, 1)
    ones = n.op("ConstantOfShape", [n.const("two", [1], i64)], "ones", value=numpy_helper.from_array(np.array([1], i64)))
    wanted = n.const("wanted", [-1], i64)
    dims = n.op("Where", [n.op("Equal", [wanted, n.op("Mul", [ones, n.const("minus", [-1], i64)], "minus_ones")], "eq"), ones, wanted], "dims")
    shift = n.op("Expand", [n.w("shift", 3), n.op("Concat", [dims, n.const("three", [3], i64)], "to", axis=0)], "shifts")
    n.op("Add", [x, shift], "scores")
    n.output("scores")


@accept("weights that are computed: Transpose, Cast from int8, Mul by a step, Sqrt, Reciprocal, Slice, Concat", scores="z2")
def weights_computed(n):
    stored = n.const("stored", n.rng.integers(-100, 101, (5, 4)), np.int8)
    w = n.op("Mul", [n.op("Cast", [n.op("Transpose", [stored], "turned", perm=[1, 0])], "cast", to=T.FLOAT), n.const("step", 0.015625)], "W")
    h = n.op("Relu", [n.op("MatMul", [n.input("x", ["N", 4]), w], "m")], "h")
    var = n.op("Add", [n.const("var", n.rng.uniform(0.5, 2, 5)), n.const("eps", 0.25)], "var_eps")
    h = n.op("Mul", [h, n.op("Reciprocal", [n.op("Sqrt", [var], "std")], "inv")], "scaled")
    n.dense(h, 5, 3, 2)
    n.output("z2")


@accept("Flatten with a negative axis, Squeeze without axes, Reshape with allowzero", scores="scores")
def shapes_of_all_kinds(n):
    x = n.op("Flatten", [n.input("x", [1, 2, 3])], "f", axis=-1)
    x = n.op("Reshape", [x, n.const("six", [1, 1, 6], np.int64)], "r", allowzero=1)
    n.op("Add", [n.op("MatMul", [n.op("Squeeze", [x], "q"), n.w("W", 6, 3)], "m"), n.w("b", 3)], "scores")
    n.output("scores", [3])


@accept("Constant nodes of one integer and of one float", scores="scores", opset=13)
def constant_scalars(n):
    n.op("Constant", [], "axis", value_int=1)
    n.op("Constant", [], "half", value_float=0.5)
    n.op("Constant", [], "to", value_ints=[1, 4])
    x = n.op("Mul", [n.op("Reshape", [n.input("x", ["N", 4]), "to"], "r"), "half"], "halved")
    n.op("Identity", [n.mlp(x)], "scores")
    n.output("scores")


# ---------------------------------------------------------------- Keras's guard

def guard(n, scores):
    """What Keras 3 writes in front of an ArgMax; onnxruntime knows no Bitcast."""
    zero = n.const("zero", 0.0)
    bits = n.op("BitwiseAnd", [n.op("Bitcast", [scores], "bits", type=T.INT32), n.const("sign_bit", -2**31, np.int32)], "sign")
    less = n.op("Less", [n.op("Cast", [bits], "sign_float", to=T.FLOAT), zero], "less")
    both = n.op("And", [n.op("Equal", [scores, zero], "equal"), less], "both")
    kept = n.op("Mul", [scores, n.op("Cast", [n.op("Not", [both], "neither")], "keep", to=T.FLOAT)], "kept")
    tiny = n.op("Mul", [n.op("Cast", [both], "replace", to=T.FLOAT), n.const("tiny", -1.1754944e-38)], "tiny_or_0")
    return n.op("Add", [tiny, kept], "guarded")


@accept("Keras's guard against negative zeros before an ArgMax", guarded=True)
def keras_guard(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.op("ArgMax", [guard(n, "scores")], "class", axis=1, keepdims=0)
    n.output("class", ["N"], T.INT64)


# ---------------------------------------------------------------- scikit-learn

@accept("Scaler with one offset and scale each", scores="z2")
def scaler(n):
    x = ml(n, "Scaler", [n.input("x", ["N", 4])], "scaled", offset=floats(n, 4), scale=[0.5, 2.0, 1.5, 0.25])
    n.dense(n.dense(x, 4, 4, 1, relu=True), 4, 3, 2)
    n.output("z2")


@accept("Scaler of integers, with one offset and scale for all", scores="z1", grid="whole")
def scaler_integers(n):
    x = ml(n, "Scaler", [n.input("x", ["N", 4], T.INT64)], "scaled", offset=[1.5], scale=[0.5])
    n.dense(x, 4, 3, 1)
    n.output("z1")


@accept("Imputer of NaNs, Scaler, LinearRegressor: no op of ONNX's own", value=True, scores="y")
def pure_ml(n):
    x = ml(n, "Imputer", [n.input("x", ["N", 4])], "whole", imputed_value_floats=[1.0, 2.0, 3.0, 4.0], replaced_value_float=float("nan"))
    x = ml(n, "Scaler", [x], "scaled", offset=floats(n, 4), scale=[0.5, 2.0, 1.5, 0.25])
    ml(n, "LinearRegressor", [x], "y", coefficients=floats(n, 4), intercepts=floats(n, 1), targets=1)
    n.output("y", ["N", 1])


def linear_classifier(n, labels, scores=None, post="NONE", multi=1):
    count = scores or len(labels)
    kind = "classlabels_strings" if isinstance(labels[0], str) else "classlabels_ints"
    coefficients, intercepts = floats(n, count, 4), floats(n, count)
    n.const("C", np.array(coefficients).reshape(count, 4).T)
    n.const("i", np.array(intercepts))
    ml(n, "LinearClassifier", [n.input("x", ["N", 4])], ["label", "p"], coefficients=coefficients, intercepts=intercepts,
       post_transform=post, multi_class=multi, **{kind: labels})
    # The same once more, for the margin; no output needs it.
    n.op("Add", [n.op("MatMul", ["x", "C"], "xC"), "i"], "scores")
    return T.STRING if isinstance(labels[0], str) else T.INT64


def probabilities(n):
    ml(n, "Normalizer", ["p"], "normal", norm="L1")


@accept("LinearClassifier, Normalizer and ZipMap: label and probabilities")
def logistic_regression(n):
    n.output("label", ["N"], linear_classifier(n, [0, 1, 2], post="SOFTMAX"))
    probabilities(n)
    ml(n, "ZipMap", ["normal"], "zipped", classlabels_int64s=[0, 1, 2])
    n.outs.append(helper.make_value_info("zipped", helper.make_sequence_type_proto(
        helper.make_map_type_proto(T.INT64, helper.make_tensor_type_proto(T.FLOAT, None)))))


@accept("LinearClassifier with labels that do not count from 0", labels=[7, -3, 12])
def linear_labels(n):
    n.output("label", ["N"], linear_classifier(n, [7, -3, 12], post="LOGISTIC"))


@accept("LinearClassifier of one score and two labels", labels=[5, 7], classes=2)
def linear_binary(n):
    n.output("label", ["N"], linear_classifier(n, [5, 7], scores=1, post="LOGISTIC", multi=0))


@accept("LinearClassifier with labels of text", labels=["ham", "spam", "jam"])
def linear_strings(n):
    n.output("label", ["N"], linear_classifier(n, ["ham", "spam", "jam"], post="SOFTMAX"))


@accept("the probabilities of a LinearClassifier, named", output="normal")
def linear_probabilities(n):
    kind = linear_classifier(n, [0, 1, 2], post="LOGISTIC")
    probabilities(n)
    n.output("label", ["N"], kind)
    n.output("normal")


def binary_mlp(n, labels):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.op("Identity", [n.dense(h, 4, 1, 2)], "scores")
    p = n.op("Sigmoid", ["scores"], "yes")
    n.op("Concat", [n.op("Sub", [n.const("unity", 1.0), p], "no"), p], "probabilities", axis=1)
    n.op("ArgMax", ["probabilities"], "index", axis=1)
    table = n.const("classes", labels, object if isinstance(labels[0], str) else np.int32)
    extracted = ml(n, "ArrayFeatureExtractor", [table, "index"], "extracted")
    label = n.op("Reshape", [extracted, n.const("flat", [-1], np.int64)], "reshaped")
    n.op("Cast", [label], "label", to=T.STRING if isinstance(labels[0], str) else T.INT64)
    n.output("label", ["N"], T.STRING if isinstance(labels[0], str) else T.INT64)
    n.output("probabilities", ["N", 2])


@accept("MLPClassifier of two classes, as skl2onnx writes it", classes=2)
def mlp_binary(n):
    binary_mlp(n, [0, 1])


@accept("the two probabilities of an MLPClassifier, named", output="probabilities", classes=2)
def mlp_binary_probabilities(n):
    binary_mlp(n, [0, 1])


@accept("MLPClassifier of two classes with other labels", labels=[-1, 1], classes=2)
def mlp_binary_labels(n):
    binary_mlp(n, [-1, 1])


@accept("the scores of an SGDClassifier of two classes: a score and its negative", classes=2)
def negated_score(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.op("Identity", [n.dense(h, 4, 1, 2)], "scores")
    both = n.op("Concat", [n.op("Mul", ["scores", n.const("negate", -1.0)], "no"), "scores"], "both", axis=1)
    n.op("ArgMax", [both], "class", axis=1)
    n.output("class", ["N", 1], T.INT64)


@accept("ArrayFeatureExtractor of text labels behind an ArgMax", labels=["a", "b", "c"])
def mlp_strings(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    index = n.op("ArgMax", [n.op("Softmax", ["scores"], "p")], "index", axis=1)
    ml(n, "ArrayFeatureExtractor", [n.const("classes", ["a", "b", "c"], object), index], "label")
    n.output("label", [1, 1], T.STRING)


@accept("Gather of labels behind an ArgMax", labels=[3, 1, 4])
def gathered_labels(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    index = n.op("ArgMax", ["scores"], "index", axis=1, keepdims=0)
    n.op("Gather", [n.const("classes", [3, 1, 4], np.int64), index], "label")
    n.output("label", ["N"], T.INT64)


@accept("LabelEncoder behind a LinearClassifier", labels=["no", "perhaps", "_Unused"])
def label_encoder(n):
    linear_classifier(n, [0, 1, 2])
    ml(n, "LabelEncoder", ["label"], "word", keys_int64s=[1, 0], values_strings=["perhaps", "no"])
    n.output("word", ["N"], T.STRING)


# ---------------------------------------------------------------- elementwise functions

def elementwise(name, about, make, error=0.0, **options):
    """A layer, what `make` makes of its results (four again, unless `width` says otherwise), and one sum of them.

    `error`: how far the contract's function may be from the true one; the sum is off by as much times its weights.
    """
    width = options.pop("width", 4)

    def build_it(n):
        h = make(n, n.dense(n.input("x", ["N", 4]), 4, 4, 1))
        n.op("MatMul", [h, n.w("W2", width, 1)], "y")
        n.error = error * float(np.abs(numpy_helper.to_array(n.inits[-1])).sum())
        n.output("y", ["N", 1])
    ACCEPT[name] = (build_it, about, "y", {"value": True, **options})


def one(op, **attrs):
    return lambda n, z: n.op(op, [z], "h", **attrs)


def with_constants(op, *constants, **attrs):
    return lambda n, z: n.op(op, [z, *(n.const(f"c{i}", c) for i, c in enumerate(constants))], "h", **attrs)


elementwise("abs", "Abs", one("Abs"))
elementwise("neg", "Neg", one("Neg"))
elementwise("leaky_relu", "LeakyRelu with its own slope", one("LeakyRelu", alpha=0.3))
elementwise("leaky_relu_default", "LeakyRelu with ONNX's slope", one("LeakyRelu"))
elementwise("prelu_one", "PRelu with one slope for all", with_constants("PRelu", [0.25]))
elementwise("prelu_each", "PRelu with a slope each, one negative, one above 1", with_constants("PRelu", [0.25, -0.5, 1.5, 0.1]))
elementwise("clip_attributes", "Clip of operator set 6, bounds as attributes", one("Clip", min=-1.5, max=2.0), opset=9)
elementwise("clip_operands", "Clip with bounds as operands", with_constants("Clip", -1.5, 2.0))
elementwise("clip_low", "Clip with a lower bound only", with_constants("Clip", -1.5))
elementwise("clip_high", "Clip with an upper bound only", lambda n, z: n.op("Clip", [z, "", n.const("high", 2.0)], "h"))
elementwise("clip_low_attribute", "Clip of operator set 6 with a lower bound only", one("Clip", min=0.5), opset=9)
elementwise("hard_sigmoid", "HardSigmoid with ONNX's slope", one("HardSigmoid"))
elementwise("hard_sigmoid_slope", "HardSigmoid with its own slope", one("HardSigmoid", alpha=0.5, beta=0.25))
elementwise("max_vector", "Max with a vector", with_constants("Max", [0.5, -1.0, 0.0, 2.0]))
elementwise("max_several", "Max with a scalar and a vector", with_constants("Max", 0.25, [0.5, -1.0, 0.0, 2.0]))
elementwise("max_constant_first", "Max with the constant first", lambda n, z: n.op("Max", [n.const("c", -1.0), z], "h"))
elementwise("min_scalar", "Min with a scalar", with_constants("Min", 1.5))
elementwise("min_of_max", "Min of a Max: a band", lambda n, z: with_constants("Min", [1.0, 2.0, 0.5, 3.0])(n, n.op("Max", [z, n.const("low", -1.0)], "m")))

ERROR = 1e-4  # what --activation-error is by default where the answer is a number


def smooth(name, about, make, **options):
    elementwise(name, about, make, error=ERROR, spread=2, **options)


def times_constant(n, x, factor, out):
    return n.op("Mul", [x, n.const(f"{out}_factor", factor)], out)


def plus_constant(n, x, addend, out):
    return n.op("Add", [x, n.const(f"{out}_addend", addend)], out)


def between(n, z, low, high):
    return n.op("Clip", [z, n.const("low", low), n.const("high", high)], "clipped")


smooth("max_of_functions", "Max of a number and a multiple of it", lambda n, z: n.op("Max", [z, times_constant(n, z, 0.25, "quarter")], "h"))
smooth("min_of_functions", "Min of a number and its square", lambda n, z: n.op("Min", [between(n, z, -4, 4), n.op("Mul", ["clipped", "clipped"], "square")], "h"))
smooth("hard_swish", "HardSwish", one("HardSwish"))
smooth("sigmoid", "Sigmoid between layers", one("Sigmoid"))
smooth("tanh", "Tanh", one("Tanh"))
smooth("softplus", "Softplus", one("Softplus"))
smooth("softsign", "Softsign", one("Softsign"))
smooth("elu", "Elu with its own alpha", one("Elu", alpha=0.7))
smooth("selu", "Selu", one("Selu"))
smooth("selu_of_its_own", "Selu with its own alpha and gamma", one("Selu", alpha=1.5, gamma=0.8))
smooth("celu", "Celu with its own alpha", one("Celu", alpha=1.7))
smooth("gelu", "Gelu", one("Gelu"), opset=20)
smooth("gelu_tanh", "Gelu by Tanh", one("Gelu", approximate="tanh"), opset=20)
smooth("mish", "Mish", one("Mish"), opset=18)
smooth("erf", "Erf", one("Erf"))
smooth("swish", "Swish as x * Sigmoid(x)", lambda n, z: n.op("Mul", [z, n.op("Sigmoid", [z], "s")], "h"))
smooth("swish_scaled", "Swish with a factor: x * Sigmoid(1.5 x)",
       lambda n, z: n.op("Mul", [n.op("Sigmoid", [times_constant(n, z, 1.5, "scaled")], "s"), z], "h"))
smooth("mish_composed", "Mish as x * Tanh(Softplus(x))",
       lambda n, z: n.op("Mul", [z, n.op("Tanh", [n.op("Softplus", [z], "sp")], "t")], "h"))
smooth("hard_swish_composed", "HardSwish as x * Clip(x + 3, 0, 6) / 6",
       lambda n, z: n.op("Div", [n.op("Mul", [z, between(n, plus_constant(n, z, 3, "shifted"), 0, 6)], "m"), n.const("six", 6)], "h"))
smooth("gelu_by_erf", "Gelu as torch writes it",
       lambda n, z: times_constant(n, n.op("Mul", [z, plus_constant(n, n.op("Erf", [n.op("Div", [z, n.const("root", 1.4142135381698608)], "d")], "e"), 1, "e1")], "m"), 0.5, "h"))
smooth("gelu_by_erf_half_first", "Gelu with the half in front",
       lambda n, z: n.op("Mul", [times_constant(n, z, 0.5, "half"), plus_constant(n, n.op("Erf", [times_constant(n, z, 0.70710677, "d")], "e"), 1, "e1")], "h"))
smooth("gelu_by_pow", "Gelu by Tanh and Pow, as Hugging Face's models have it",
       lambda n, z: n.op("Mul", [times_constant(n, z, 0.5, "half"), plus_constant(n, n.op("Tanh", [times_constant(n, n.op("Add", [z, times_constant(
           n, n.op("Pow", [between(n, z, -30, 30), n.const("three", 3.0)], "cube"), 0.044715, "c")], "inner"), 0.7978845608, "i")], "t"), 1, "t1")], "h"))
smooth("softplus_by_log", "Softplus as Log(1 + Exp(x))",
       lambda n, z: n.op("Log", [plus_constant(n, n.op("Exp", [z], "e"), 1, "e1")], "h"))
smooth("sigmoid_by_exp", "Sigmoid as 1 / (1 + Exp(-x))",
       lambda n, z: n.op("Div", [n.const("unity", 1.0), plus_constant(n, n.op("Exp", [n.op("Neg", [z], "m")], "e"), 1, "e1")], "h"))
smooth("sigmoid_by_reciprocal", "Sigmoid as Reciprocal(1 + Exp(-x))",
       lambda n, z: n.op("Reciprocal", [plus_constant(n, n.op("Exp", [n.op("Neg", [z], "m")], "e"), 1, "e1")], "h"))
smooth("tanh_by_sigmoid", "Tanh as 2 Sigmoid(2x) - 1",
       lambda n, z: plus_constant(n, times_constant(n, n.op("Sigmoid", [times_constant(n, z, 2, "twice")], "s"), 2, "s2"), -1, "h"))
smooth("softsign_composed", "Softsign as x / (1 + Abs(x))",
       lambda n, z: n.op("Div", [z, plus_constant(n, n.op("Abs", [z], "a"), 1, "a1")], "h"))
smooth("tanh_shrink", "x - Tanh(x)", lambda n, z: n.op("Sub", [z, n.op("Tanh", [z], "t")], "h"))
smooth("square", "Pow with the exponent 2", lambda n, z: with_constants("Pow", 2.0)(n, between(n, z, -1.5, 2)))
smooth("power_of_two", "Pow with the base 2", lambda n, z: n.op("Pow", [n.const("two", 2.0), between(n, z, -5, 3)], "h"))
smooth("exp", "Exp between bounds", lambda n, z: n.op("Exp", [between(n, z, -8, 2)], "h"))
smooth("log", "Log between bounds", lambda n, z: n.op("Log", [between(n, z, 0.25, 9)], "h"))
smooth("sqrt", "Sqrt between bounds", lambda n, z: n.op("Sqrt", [between(n, z, 0.125, 9)], "h"))
smooth("reciprocal", "Reciprocal between bounds", lambda n, z: n.op("Reciprocal", [between(n, z, 0.5, 9)], "h"))
smooth("constant_by_number", "a constant divided by numbers between bounds",
       lambda n, z: n.op("Div", [n.const("c", 3.0), between(n, z, 0.5, 9)], "h"))
smooth("where_elu", "Elu as a Where by x > 0", lambda n, z: n.op("Where", [
    n.op("Greater", [z, n.const("zero", 0.0)], "test"), z, plus_constant(n, n.op("Exp", [n.op("Min", [z, "zero"], "low")], "e"), -1, "e1")], "h"))
smooth("where_not_less", "a Where by Not(x < 0)", lambda n, z: n.op("Where", [
    n.op("Not", [n.op("Less", [z, n.const("zero", 0.0)], "test")], "turned"), z, times_constant(n, z, 0.1, "tenth")], "h"))
smooth("where_at_most", "a Where by x <= 1: continuous at 1", lambda n, z: n.op("Where", [
    n.op("LessOrEqual", [z, n.const("unity", 1.0)], "test"), z, plus_constant(n, times_constant(n, z, 0.5, "half"), 0.5, "line")], "h"))
smooth("where_at_least", "a Where by 0 >= x, the constant first", lambda n, z: n.op("Where", [
    n.op("GreaterOrEqual", [n.const("zero", 0.0), z], "test"), times_constant(n, z, -0.5, "half"), z], "h"))
smooth("ms_gelu", "onnxruntime's Gelu", one("Gelu", domain=MS))
smooth("ms_quick_gelu", "onnxruntime's QuickGelu with its own alpha", one("QuickGelu", domain=MS, alpha=1.3))
smooth("ms_fast_gelu", "onnxruntime's FastGelu without a bias", one("FastGelu", domain=MS))
smooth("ms_fast_gelu_bias", "onnxruntime's FastGelu with a bias", with_constants("FastGelu", [0.5, -0.25, 1.0, 0.0], domain=MS))
smooth("ms_bias_gelu", "onnxruntime's BiasGelu", with_constants("BiasGelu", [0.5, -0.25, 1.0, 0.0], domain=MS))


def fused_gemm(activation, **attrs):
    return lambda n, z: n.op("FusedGemm", [z, n.w("W3", 4, 4), n.w("b3", 4)], "h", domain=MS, activation=activation, **attrs)


elementwise("fused_gemm_leaky", "FusedGemm with a LeakyRelu", fused_gemm("LeakyRelu", activation_alpha=0.2))
smooth("fused_gemm_tanh", "FusedGemm with a Tanh", fused_gemm("Tanh"))
smooth("fused_gemm_sigmoid", "FusedGemm with a Sigmoid between layers", fused_gemm("Sigmoid"))
smooth("fused_gemm_elu", "FusedGemm with an Elu", fused_gemm("Elu", activation_alpha=0.5))
smooth("fused_gemm_hard_sigmoid", "FusedGemm with a HardSigmoid",
       fused_gemm("HardSigmoid", activation_alpha=0.3, activation_beta=0.4))


@accept("a Sigmoid that is scaled: a number between -2 and 3", scores="y", value=True, spread=2)
def sigmoid_scaled(n):
    z = n.dense(n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True), 4, 1, 2)
    plus_constant(n, times_constant(n, n.op("Sigmoid", [z], "s"), 5, "s5"), -2, "y")
    n.error = 5 * ERROR
    n.output("y", ["N", 1])


@accept("Tanh between layers, a class", scores="scores", margin=0.05, spread=2)
def tanh_class(n):
    n.op("Identity", [n.dense(n.op("Tanh", [n.dense(n.input("x", ["N", 4]), 4, 5, 1)], "h"), 5, 3, 2)], "scores")
    n.op("ArgMax", [n.op("Softmax", ["scores"], "p")], "class", axis=1, keepdims=0)
    n.output("class", ["N"], T.INT64)


@accept("two layers of Gelu, a class", scores="scores", margin=0.05, spread=2, opset=20)
def gelu_class(n):
    h = n.op("Gelu", [n.dense(n.input("x", ["N", 4]), 4, 4, 1)], "h")
    h = n.op("Gelu", [n.dense(h, 4, 4, 2)], "g")
    n.op("Identity", [n.dense(h, 4, 3, 3)], "scores")
    n.output("scores")


def before_argmax(op, spread=0.5, **options):
    def build_it(n):
        scores = n.op(op, [n.mlp(n.input("x", ["N", 4]))], "increased")
        n.op("ArgMax", [scores], "class", axis=1, keepdims=0)
        n.output("class", ["N"], T.INT64)
    ACCEPT[f"{op.lower()}_before_argmax"] = (build_it, f"{op} before an ArgMax: it keeps the order", "increased", {"spread": spread, **options})


for op in ("Tanh", "Sigmoid", "Softplus", "Exp", "Erf"):
    before_argmax(op)


# ---------------------------------------------------------------- several computed values

@accept("a residual Add of a hidden value", scores="y", value=True)
def residual(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.dense(n.op("Add", [n.dense(h, 4, 4, 2, relu=True), h], "sum"), 4, 1, 3)
    n.output("z3", ["N", 1])
    n.op("Identity", ["z3"], "y")


@accept("a residual Add of the input", scores="z3")
def residual_input(n):
    x = n.input("x", ["N", 4])
    n.dense(n.op("Relu", [n.op("Add", [x, n.dense(n.dense(x, 4, 5, 1, relu=True), 5, 4, 2)], "sum")], "r"), 4, 3, 3)
    n.output("z3")


@accept("a Sub of two hidden values", scores="scores")
def difference(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.op("Sub", [n.dense(h, 4, 3, 2), n.dense(h, 4, 3, 3)], "scores")
    n.output("scores")


@accept("a Sub of the input, which has dimensions of one in front", scores="z2")
def difference_input(n):
    x = n.input("x", ["N", 4])
    wide = n.op("Unsqueeze", [x, n.const("axes", [0], np.int64)], "wide")
    d = n.op("Sub", [n.dense(x, 4, 4, 1, relu=True), wide], "d")
    n.dense(n.op("Reshape", [d, n.const("flat", [-1, 4], np.int64)], "flat_d"), 4, 3, 2)
    n.output("z2")


@accept("a gate: the input times a layer of it", scores="z2", value=True)
def gate(n):
    x = n.input("x", ["N", 4])
    n.dense(n.op("Mul", [x, n.dense(x, 4, 4, 1)], "gated"), 4, 1, 2)
    n.output("z2", ["N", 1])


@accept("a gate between 0 and 1: another layer's results times it", scores="z3", value=True, spread=2)
def hard_gate(n):
    x = n.input("x", ["N", 4])
    opened = n.op("HardSigmoid", [n.dense(x, 4, 4, 1)], "opened", alpha=0.25)
    n.dense(n.op("Mul", [opened, n.dense(x, 4, 4, 2)], "gated"), 4, 1, 3)
    n.output("z3", ["N", 1])


@accept("Concat of two branches", scores="z3")
def concat_branches(n):
    x = n.input("x", ["N", 4])
    both = n.op("Concat", [n.dense(x, 4, 3, 1, relu=True), n.op("LeakyRelu", [n.dense(x, 4, 2, 2)], "l")], "both", axis=1)
    n.dense(both, 5, 3, 3)
    n.output("z3")


@accept("Concat of a constant, a hidden value and the input, along axis -1", scores="z2")
def concat_constant(n):
    x = n.input("x", [1, 4])
    both = n.op("Concat", [n.const("c", [[1.5, -2.0]]), n.dense(x, 4, 3, 1, relu=True), x], "both", axis=-1)
    n.dense(both, 9, 3, 2)
    n.output("z2", [1, 3])


@accept("Concat of scores of three branches, one each", scores="scores")
def concat_scores(n):
    x = n.dense(n.input("x", ["N", 4]), 4, 4, 9, relu=True)
    n.op("Concat", [n.dense(x, 4, 1, i) for i in (1, 2, 3)], "scores", axis=1)
    n.output("scores")


def halves(n, a, b):
    """What is left of two halves of four: their difference."""
    return n.op("Concat", [n.op("Relu", [a], "ra"), n.op("Sub", [b, a], "d")], "h", axis=1)


elementwise("split_equal", "Split in two, without sizes", lambda n, z: halves(n, n.op("Split", [z], ["a", "b"], axis=1), "b"), opset=11)
elementwise("split_attribute", "Split of operator set 11, sizes as an attribute", lambda n, z: n.op("Concat", [
    n.op("Relu", [n.op("Split", [z], ["a", "b"], axis=1, split=[1, 3])], "ra"), "b"], "h", axis=1), opset=11)
elementwise("split_operand", "Split with sizes as an operand, along axis -1", lambda n, z: n.op("Concat", [
    "c", n.op("Relu", [n.op("Split", [z, n.const("sizes", [2, 1, 1], np.int64)], ["a", "b", "c"], axis=-1)], "ra")], "h", axis=1), width=3)


def sliced(starts, ends, axes, steps):
    return lambda n, z: n.op("Slice", [z, *(n.const(f"s{i}", c, np.int64) for i, c in enumerate((starts, ends, axes, steps)))], "h")


elementwise("slice_reversed", "Slice from the last to the first", sliced([-1], [-2**62], [1], [-1]))
elementwise("slice_steps", "Slice of every other element", sliced([1], [2**62], [-1], [2]), width=2)
elementwise("slice_negative", "Slice between bounds from the end", sliced([-3], [-1], [1], [1]), width=2)
elementwise("slice_attributes", "Slice of operator set 9", one("Slice", starts=[1], ends=[3], axes=[1]), opset=9, width=2)
elementwise("gather", "Gather of positions, one from the end, one twice",
            lambda n, z: n.op("Gather", [z, n.const("at", [2, 0, -1, 2], np.int64)], "h", axis=1))
elementwise("columns", "ArrayFeatureExtractor of columns",
            lambda n, z: ml(n, "ArrayFeatureExtractor", [z, n.const("at", [3, 1], np.int64)], "h"), width=2)
elementwise("transpose", "Transpose of a matrix of results", lambda n, z: n.op("Reshape", [n.op("Transpose", [
    n.op("Reshape", [z, n.const("square", [-1, 2, 2], np.int64)], "r")], "t", perm=[0, 2, 1]), n.const("flat", [-1, 4], np.int64)], "h"))
elementwise("expand", "Expand of one number to three", lambda n, z: n.op("Mul", [n.op("Expand", [
    n.op("Slice", [z, n.const("from", [1], np.int64), n.const("to", [2], np.int64), n.const("axis", [1], np.int64)], "s"),
    n.const("shape", [1, 3], np.int64)], "e"), n.const("factors", [[1.0, -2.0, 0.5]])], "h"), width=3)


# ---------------------------------------------------------------- quantised models

def quantise(n, x, out, scale, zero, dtype=np.uint8, op="QuantizeLinear", **attrs):
    """`scale` times the integers of `out`, less their zero point, is `x`. Scales are used under `out`'s name."""
    return n.op(op, [x, n.const(f"{out}_scale", scale), n.const(f"{out}_zero", zero, dtype)], out, **attrs)


def dequantise(n, q, out, of=None, **attrs):
    return n.op("DequantizeLinear", [q, f"{of or q}_scale", f"{of or q}_zero"], out, **attrs)


def stored(n, name, shape, scale, zero, dtype=np.int8, low=-100, high=100):
    """Integers with their scale and zero point."""
    n.const(f"{name}_scale", scale)
    n.const(f"{name}_zero", zero, dtype)
    return n.const(name, n.rng.integers(low, high + 1, shape), dtype)


def of(*names):
    """Operands of onnxruntime's quantised ops: integers, scale, zero point."""
    return [part for name in names for part in (name, f"{name}_scale", f"{name}_zero")]


def quantised(about, **options):
    """Numbers, run without optimisations: as ONNX defines them."""
    return accept(about, scores="y", value=True, plain=True, **options)


def finish(n, q):
    """The numbers that integers stand for, summed up."""
    n.op("MatMul", [dequantise(n, q, "real"), n.w("last", 4, 1)], "y")
    n.output("y", ["N", 1])


def qdq_net(n, w1, w2, dtype=np.uint8, zero=113, step=0.0437, **attrs):
    x = dequantise(n, quantise(n, n.input("x", ["N", 4]), "xq", step, zero, dtype), "xr")
    n.const("b1", n.rng.integers(-300, 300, 4), np.int32)
    n.const("b1_scale", 0.001)
    b1 = n.op("DequantizeLinear", ["b1", "b1_scale"], "b1r")
    h = n.op("Relu", [n.op("Add", [n.op("MatMul", [x, dequantise(n, w1, "w1r", **attrs)], "m1"), b1], "a1")], "h")
    h = dequantise(n, quantise(n, h, "hq", step * 1.37, 0 if dtype == np.uint8 else zero, dtype), "hr")
    n.op("MatMul", [h, dequantise(n, w2, "w2r")], "y")
    n.output("y", ["N", 1])


@quantised("QDQ: bytes by int8 weights, zero points everywhere, an int32 bias, opset 13", opset=13)
def qdq_u8(n):
    qdq_net(n, stored(n, "w1", (4, 4), 0.0123, -7), stored(n, "w2", (4, 1), 0.0234, 3))


@quantised("QDQ: int8 activations, int8 weights with a scale for each channel")
def qdq_per_channel(n):
    qdq_net(n, stored(n, "w1", (4, 4), [0.0123, 0.02, 0.005, 0.031], [0, 0, 0, 0]), stored(n, "w2", (4, 1), 0.0234, 0),
            dtype=np.int8, zero=-11, axis=1)


@quantised("QDQ: weights with a scale and a zero point for each row")
def qdq_per_row(n):
    qdq_net(n, stored(n, "w1", (4, 4), [0.0123, 0.02, 0.005, 0.031], [5, -9, 0, 77]), stored(n, "w2", (4, 1), 0.0234, 0), axis=0)


@quantised("QDQ: int16 activations of operator set 21", opset=21)
def qdq_int16(n):
    qdq_net(n, stored(n, "w1", (4, 4), 0.0123, 0), stored(n, "w2", (4, 1), 0.0234, 0), dtype=np.int16, zero=-311, step=0.000437)


def four_bits(n, name, shape, scale, zero, kind=T.INT4, low=-8, high=7):
    n.const(f"{name}_scale", scale)
    count = int(np.prod(np.shape(zero)))
    n.inits.append(helper.make_tensor(f"{name}_zero", kind, np.shape(zero), np.broadcast_to(zero, count) if np.ndim(zero) < 2 else np.reshape(zero, -1)))
    values = n.rng.integers(low, high + 1, shape)
    n.inits.append(helper.make_tensor(name, kind, shape, values.reshape(-1)))
    return name


@quantised("QDQ: int4 weights of operator set 21", opset=21)
def qdq_int4(n):
    qdq_net(n, four_bits(n, "w1", (4, 4), 0.123, 0), stored(n, "w2", (4, 1), 0.0234, 0))


@quantised("QDQ: uint4 weights with a scale and a zero point for each block of two rows", opset=21)
def qdq_blocks(n):
    scales, zeros = n.rng.integers(5, 30, (2, 4)) / 128, n.rng.integers(3, 12, (2, 4))
    qdq_net(n, four_bits(n, "w1", (4, 4), scales, zeros, T.UINT4, 0, 15), stored(n, "w2", (4, 1), 0.0234, 0), axis=0, block_size=2)


@quantised("halves are rounded to even", grid="halves")
def quantise_ties(n):
    finish(n, quantise(n, n.input("x", ["N", 4]), "q", 0.0625, 0, np.int8))


@quantised("halves are rounded to even before an odd zero point is added", grid="halves")
def quantise_ties_zero(n):
    finish(n, quantise(n, n.input("x", ["N", 4]), "q", 0.0625, 101, np.uint8))


@quantised("integers saturate, at both ends", spread=8)
def quantise_saturates(n):
    finish(n, quantise(n, n.dense(n.input("x", ["N", 4]), 4, 4, 1), "q", 0.0313, 40, np.uint8))


@quantised("QuantizeLinear without a zero point: bytes")
def quantise_no_zero(n):
    n.const("q_scale", 0.0377)
    n.const("q_zero", 0, np.uint8)
    finish(n, n.op("QuantizeLinear", [n.dense(n.input("x", ["N", 4]), 4, 4, 1), "q_scale"], "q"))


@quantised("QuantizeLinear and DequantizeLinear of onnxruntime's domain, int16")
def ms_quantise(n):
    q = quantise(n, n.dense(n.input("x", ["N", 4]), 4, 4, 1), "q", 0.00377, 12, np.int16, domain=MS)
    n.op("MatMul", [dequantise(n, q, "real", domain=MS), n.w("last", 4, 1)], "y")
    n.output("y", ["N", 1])


def between_steps(name, about, make):
    """A function of integers' numbers, quantised again."""
    def build_it(n):
        quantise(n, n.dense(n.input("x", ["N", 4]), 4, 4, 1), "q", 0.0937, 113)
        h = make(n, dequantise(n, "q", "r"))
        finish(n, quantise(n, h, "g", 0.0613, 70))
    ACCEPT[name] = (build_it, about, "y", {"value": True, "plain": True})


between_steps("qdq_leaky_relu", "LeakyRelu between quantised values", one("LeakyRelu", alpha=0.3))
between_steps("qdq_prelu", "PRelu with a slope each between quantised values", with_constants("PRelu", [0.25, -0.5, 1.5, 0.1]))
between_steps("qdq_factors", "a factor each between quantised values", with_constants("Mul", [0.37, -1.13, 0.011, 2.9]))
between_steps("qdq_clip", "Clip between quantised values, its bounds no multiples of a step", with_constants("Clip", -1.234, 2.345))
between_steps("qdq_bias", "a constant each between quantised values", with_constants("Add", [0.37, -1.13, 0.011, 2.9]))


@quantised("QLinearMatMul twice: bytes by int8")
def qlinear_matmul(n):
    quantise(n, n.input("x", ["N", 4]), "q", 0.0437, 113)
    stored(n, "w1", (4, 5), 0.0123, -7)
    stored(n, "w2", (5, 4), 0.0234, 0)
    for name, scale, zero in (("h", 0.1037, 100), ("g", 0.2029, 120)):
        n.const(f"{name}_scale", scale)
        n.const(f"{name}_zero", zero, np.uint8)
    n.op("QLinearMatMul", of("q", "w1") + ["h_scale", "h_zero"], "h")
    n.op("QLinearMatMul", of("h", "w2") + ["g_scale", "g_zero"], "g")
    finish(n, "g")


def result(n, name, scale, zero, dtype=np.uint8):
    return [n.const(f"{name}_scale", scale), n.const(f"{name}_zero", zero, dtype)]


@quantised("QGemm with a bias, transB and a scale for each channel, its result quantised")
def qgemm(n):
    quantise(n, n.input("x", ["N", 4]), "q", 0.0437, 113)
    stored(n, "w1", (4, 4), [0.0123, 0.02, 0.005, 0.031], [0, 0, 0, 0])
    bias = n.const("bias", n.rng.integers(-3000, 3000, 4), np.int32)
    n.op("QGemm", of("q", "w1") + [bias] + result(n, "h", 0.1037, 100), "h", domain=MS, transB=1, alpha=1.0)
    finish(n, "h")


@quantised("QGemm without a scale of its result, which is real then")
def qgemm_real(n):
    quantise(n, n.input("x", ["N", 4]), "q", 0.0437, 113)
    stored(n, "w1", (4, 4), 0.0123, 0)
    n.op("QGemm", of("q", "w1"), "h", domain=MS, alpha=1.0)
    n.op("MatMul", ["h", n.w("last", 4, 1)], "y")
    n.output("y", ["N", 1])


def two_quantised(n):
    x = n.input("x", ["N", 4])
    quantise(n, n.dense(x, 4, 4, 1), "a", 0.0937, 113)
    quantise(n, n.dense(x, 4, 4, 2), "b", 0.1213, 140)


@quantised("QLinearAdd of two values")
def qlinear_add(n):
    two_quantised(n)
    finish(n, n.op("QLinearAdd", of("a", "b") + result(n, "c", 0.1713, 120), "c", domain=MS))


@quantised("QLinearMul of two values", spread=2)
def qlinear_mul(n):
    two_quantised(n)
    finish(n, n.op("QLinearMul", of("a", "b") + result(n, "c", 0.3713, 120), "c", domain=MS))


@quantised("QLinearConcat of two values, along axis 1")
def qlinear_concat(n):
    x = n.input("x", ["N", 4])
    quantise(n, n.dense(x, 4, 3, 1), "a", 0.0937, 113)
    quantise(n, n.dense(x, 4, 1, 2), "b", 0.1213, 140)
    finish(n, n.op("QLinearConcat", result(n, "c", 0.1713, 120) + of("a", "b"), "c", domain=MS, axis=1))


@quantised("QLinearLeakyRelu")
def qlinear_leaky_relu(n):
    two_quantised(n)
    finish(n, n.op("QLinearLeakyRelu", of("a") + result(n, "c", 0.0813, 60), "c", domain=MS, alpha=0.2))


@quantised("QLinearSigmoid between layers: a step off where the function's error crosses a half")
def qlinear_sigmoid(n):
    two_quantised(n)
    finish(n, n.op("QLinearSigmoid", of("a") + result(n, "c", 1 / 256, 0), "c", domain=MS))
    n.error = float(np.abs(numpy_helper.to_array(n.inits[-1])).sum()) / 256


@accept("QLinearMatMul, QLinearSoftmax, ArgMax", scores="z", margin=0.3, plain=True)
def qlinear_softmax(n):
    quantise(n, n.dense(n.input("x", ["N", 4]), 4, 3, 1), "a", 0.0937, 113)
    dequantise(n, "a", "z")
    n.op("QLinearSoftmax", of("a") + result(n, "p", 1 / 256, 0), "p", domain=MS, opset=13, axis=-1)
    n.op("ArgMax", [dequantise(n, "p", "pr")], "class", axis=1, keepdims=0)
    n.output("class", ["N"], T.INT64)


@quantised("MatMulInteger with static zero points, and one for each column")
def matmul_integer(n):
    quantise(n, n.input("x", ["N", 4]), "q", 0.0437, 113)
    stored(n, "w1", (4, 4), 0.0123, [3, -5, 0, 20])
    sums = n.op("MatMulInteger", ["q", "w1", "q_zero", "w1_zero"], "sums")
    real = n.op("Mul", [n.op("Cast", [sums], "float", to=T.FLOAT), n.const("step", 0.0437 * 0.0123)], "h")
    n.op("MatMul", [n.op("Relu", [real], "r"), n.w("last", 4, 1)], "y")
    n.output("y", ["N", 1])


# ---------------------------------------------------------------- what must be refused

def hidden(n, make, out="h"):
    """A layer, what `make` makes of it, and another layer."""
    make(n.dense(n.input("x", ["N", 4]), 4, 4, 1))
    n.output(n.dense(out, 4, 3, 2))
    return n


@refuse("LayerNormalization", "steady", "LayerNormalization", "sample")
def layer_norm(n):
    return hidden(n, lambda z: n.op("LayerNormalization", [z, n.w("s", 4), n.w("b", 4)], "h", name="steady"))


@refuse("BatchNormalization in training mode", "learning", "training")
def batch_norm_training(n):
    stats = [n.w("s", 4), n.w("b", 4), n.w("mean", 4), n.const("var", [1, 1, 1, 1])]
    return hidden(n, lambda z: n.op("BatchNormalization", [z, *stats], ["h", "m2", "v2"], name="learning", training_mode=1))


@refuse("several problems, each in its own node", "3 problems", "Conv", "deep_probs", "wrong_bias")
def several_problems(n):
    x = n.input("x", ["N", 4])
    h = n.op("Add", [n.op("MatMul", [x, n.w("W1", 4, 4)], "m"), n.w("b1", 5)], "a", name="wrong_bias")
    n.op("Relu", [h], "unjudged", name="not_to_blame")
    p = n.op("Mul", [n.op("Softmax", [n.op("MatMul", [x, "W1"], "m2")], "p"), n.w("c", 4)], "scaled", name="deep_probs")
    c = n.op("Conv", [x, n.w("k", 1, 1, 1, 1)], "convolved", name="a_convolution")
    n.output(n.op("Add", [n.op("Add", ["unjudged", p], "s"), c], "out"))
    return n


@refuse("more problems than anybody reads", "25 problems", "and 5 more")
def many_problems(n):
    x = n.input("x", ["N", 4])
    for i in range(25):
        x = n.op("Conv", [x, n.w(f"k{i}", 1, 1, 1, 1)], f"c{i}")
    n.output(x)
    return n


@refuse("TopK with k = 2", "two_best", "ArgMax")
def top_two(n):
    n.op("TopK", [n.mlp(n.input("x", ["N", 4])), n.const("k", [2], np.int64)], ["v", "i"], name="two_best")
    n.output("i", ["N", 2], T.INT64)
    return n


@refuse("TopK for the largest score", "the_best", "index")
def top_value(n):
    n.op("TopK", [n.mlp(n.input("x", ["N", 4])), n.const("k", [1], np.int64)], ["v", "i"], name="the_best")
    n.output("v", ["N", 1])
    return n


@refuse("the bits of a computed number, without its sign", "mask", "BitwiseAnd", "negative zeros")
def bits(n):
    scores = n.mlp(n.input("x", ["N", 4]))
    n.op("BitwiseAnd", [n.op("Bitcast", [scores], "b", type=T.INT32), n.const("m", 2**31 - 1, np.int32)], "y", name="mask")
    n.output("y", None, T.INT32)
    return n


@refuse("a guard that compares with 1 instead of 0", "equal", "Equal")
def guard_of_one(n):
    scores = n.mlp(n.input("x", ["N", 4]))
    n.op("ArgMax", [guard(n, scores)], "class", axis=1)
    n.nodes[[m.output[0] for m in n.nodes].index("equal")].input[1] = n.const("one", 1.0)
    n.output("class", None, T.INT64)
    return n


@refuse("a guard whose tests are of different values", "LogicalAnd", "And")
def guard_of_two(n):
    scores = n.mlp(n.input("x", ["N", 4]))
    n.op("ArgMax", [guard(n, scores)], "class", axis=1)
    n.nodes[[m.output[0] for m in n.nodes].index("equal")].input[0] = n.op("Neg", [n.const("zeros", np.zeros((1, 3)))], "neg")
    n.nodes[[m.output[0] for m in n.nodes].index("both")].name = "LogicalAnd"
    n.output("class", None, T.INT64)
    return n


@refuse("Normalizer in front of a network", "unit_length", "Normalizer")
def normalizer_first(n):
    x = ml(n, "Normalizer", [n.input("x", ["N", 4])], "normal", name="unit_length", norm="L2")
    n.output(n.mlp(x))
    return n


@refuse("Imputer of zeros", "fill", "Imputer", "NaN")
def imputer_of_zeros(n):
    x = ml(n, "Imputer", [n.input("x", ["N", 4])], "full", name="fill", imputed_value_floats=[1.0], replaced_value_float=0.0)
    n.output(n.mlp(x))
    return n


@refuse("a forest", "forest", "TreeEnsembleClassifier", "linear")
def forest(n):
    ml(n, "TreeEnsembleClassifier", [n.input("x", ["N", 4])], ["label", "p"], name="forest", classlabels_int64s=[0, 1])
    n.output("label", ["N"], T.INT64)
    return n


@refuse("LinearRegressor of two numbers", "two_numbers", "one answer")
def regressor_of_two(n):
    ml(n, "LinearRegressor", [n.input("x", ["N", 4])], "y", name="two_numbers", coefficients=floats(n, 8), intercepts=floats(n, 2), targets=2)
    n.output("y", ["N", 2])
    return n


@refuse("LinearClassifier with more labels than scores", "short", "3 labels")
def classifier_of_too_few(n):
    ml(n, "LinearClassifier", [n.input("x", ["N", 4])], ["label", "p"], name="short", coefficients=floats(n, 8),
       intercepts=floats(n, 2), classlabels_ints=[0, 1, 2])
    n.output("label", ["N"], T.INT64)
    return n


@refuse("a FusedGemm with another activation", "fused", "Sinh")
def fused_other(n):
    h = n.op("FusedGemm", [n.input("x", ["N", 4]), n.w("W1", 4, 4)], "h", name="fused", domain=MS, activation="Sinh")
    n.output(n.dense(h, 4, 3, 2))
    return n


@refuse("a label that is computed with", "more", "class")
def label_computed_with(n):
    linear_classifier(n, [1, 2, 3])
    n.op("Add", ["label", n.const("one", 1, np.int64)], "y", name="more")
    n.output("y", ["N"], T.INT64)
    return n


@refuse("ConstantOfShape of 2^36 elements that the output needs", "vast", "elements")
def constant_huge(n):
    vast = n.op("ConstantOfShape", [n.const("size", [2**36], np.int64)], "v", name="vast")
    n.output(n.op("Add", [n.mlp(n.input("x", ["N", 4])), n.op("ReduceProd", [vast], "r")], "y"))
    return n


@refuse("a Range without end", "endless", "elements")
def range_huge(n):
    ends = [n.const(name, value, np.int64) for name, value in (("from", 0), ("to", 2**62), ("by", 1))]
    size = n.op("Cast", [n.op("Range", ends, "r", name="endless")], "f", to=T.FLOAT)
    n.output(n.op("Add", [n.mlp(n.input("x", ["N", 4])), size], "y"))
    return n


@refuse("Expand to 2^40 elements, its shape computed", "wide", "elements")
def expand_huge(n):
    side = n.op("Mul", [n.const("a", [1024], np.int64), n.const("b", [1024 * 1024 * 1024], np.int64)], "side")
    wide = n.op("Expand", [n.w("one", 1), side], "e", name="wide")
    n.output(n.op("Add", [n.mlp(n.input("x", ["N", 4])), wide], "y"))
    return n


@refuse("a file of weights that is cut off", "outside_weight", "weights.bin")
def external_short(n):
    n.output(n.mlp(n.input("x", ["N", 4])))
    model = build(n)
    weight = model.graph.initializer[0]
    weight.name = "outside_weight"
    model.graph.node[0].input[1] = "outside_weight"
    weight.ClearField("raw_data")
    weight.data_location = T.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "8"), ("length", "64")):
        weight.external_data.add(key=key, value=value)
    return model


@refuse("a scale that is computed from the sample", "spread_scale", "QuantizeLinear", "static")
def scale_computed(n):
    def make(z):
        scale = n.op("Max", [n.op("Slice", [z, *(n.const(f"s{i}", [v], np.int64) for i, v in enumerate((0, 1, 1)))], "first"), n.const("tiny", [0.01])], "scale")
        q = n.op("QuantizeLinear", [z, n.op("Reshape", [scale, n.const("flat", [1], np.int64)], "flat_scale")], "q", name="spread_scale")
        return n.op("DequantizeLinear", [q, "flat_scale"], "h", name="back")
    return hidden(n, make)


@refuse("DynamicQuantizeLinear", "dynamic", "DynamicQuantizeLinear", "quantize_static")
def dynamic_quantisation(n):
    def make(z):
        n.op("DynamicQuantizeLinear", [z], ["q", "s", "o"], name="dynamic")
        return n.op("DequantizeLinear", ["q", "s", "o"], "h")
    return hidden(n, make)


@refuse("activations quantised with a scale each", "each_its_own", "several scales", "per tensor")
def scales_of_activations(n):
    def make(z):
        q = n.op("QuantizeLinear", [z, n.const("s", [0.1, 0.2, 0.3, 0.4]), n.const("o", [0, 0, 0, 0], np.int8)], "q", name="each_its_own", axis=1)
        return n.op("DequantizeLinear", [q, "s", "o"], "h", axis=1)
    return hidden(n, make)


@refuse("ThresholdedRelu, which jumps", "jumpy", "ThresholdedRelu", "jumps")
def thresholded_relu(n):
    return hidden(n, lambda z: n.op("ThresholdedRelu", [z], "h", name="jumpy"))


@refuse("Round, which jumps", "steps", "Round", "jumps")
def rounded(n):
    return hidden(n, lambda z: n.op("Round", [z], "h", name="steps"))


@refuse("Sign, which jumps", "signs", "Sign", "jumps")
def signs(n):
    return hidden(n, lambda z: n.op("Sign", [z], "h", name="signs"))


@refuse("Floor of a computed value, which jumps", "floors", "Floor")
def floors(n):
    return hidden(n, lambda z: n.op("Floor", [z], "h", name="floors"))


@refuse("a Where that jumps", "jumping", "Where", "jumps")
def where_jumps(n):
    return hidden(n, lambda z: n.op("Where", [n.op("Greater", [z, n.const("c", 0.5)], "test"), z, n.const("low", 0.0)], "h", name="jumping"))


@refuse("Exp, which overflows over a wide input", "explosion", "Exp", "bends too much", "--input")
def exp_overflows(n):
    return hidden(n, lambda z: n.op("Exp", [z], "h", name="explosion"))


@refuse("Log of what may be negative", "deep", "Log", "not finite")
def log_of_negative(n):
    return hidden(n, lambda z: n.op("Log", [z], "h", name="deep"))


@refuse("a convolution", "conv_one", "Conv", "dense layers")
def convolution(n):
    x = n.op("Conv", [n.input("x", ["N", 1, 4, 4]), n.w("k", 2, 1, 3, 3)], "c", name="conv_one")
    n.output(n.dense(n.op("Flatten", [x], "flat"), 8, 3, 1))
    return n


@refuse("attention: a product with a Softmax in the middle", "attend", "Softmax")
def softmax_gate(n):
    return hidden(n, lambda z: n.op("Mul", [z, n.op("Softmax", [z], "weights", name="attend")], "h", name="attended"))


@refuse("a Max of two values that come from different numbers", "larger_of_two", "Max", "different numbers")
def max_of_two(n):
    return hidden(n, lambda z: n.op("Max", [z, n.dense(z, 4, 4, 7)], "h", name="larger_of_two"))


@refuse("a quotient of two values", "ratio", "Div", "different numbers")
def quotient(n):
    return hidden(n, lambda z: n.op("Div", [z, n.dense(z, 4, 4, 7)], "h", name="ratio"))


@refuse("Clip with a bound that is computed", "bounds", "Clip", "computed")
def clip_computed(n):
    def make(z):
        first = n.op("Slice", [z, *(n.const(f"s{i}", [v], np.int64) for i, v in enumerate((0, 1, 1)))], "first")
        low = n.op("Reshape", [first, n.const("none", np.zeros(0), np.int64)], "low")
        return n.op("Clip", [z, low], "h", name="bounds")
    return hidden(n, make)


@refuse("Split into sizes that do not add up", "uneven", "Split")
def split_uneven(n):
    def make(z):
        n.op("Split", [z, n.const("sizes", [1, 2], np.int64)], ["a", "b"], name="uneven", axis=1)
        return n.op("Concat", ["a", "b"], "h", axis=1)
    return hidden(n, make)


# ---------------------------------------------------------------- writing

def net(name, seed, options):
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    return Net(rng, opset=options.get("opset", 17), dtype=options.get("dtype", T.FLOAT))


def candidates(rng, size, options):
    if options.get("grid") == "whole":
        return rng.integers(-8, 9, (200, size)).tolist()
    if options.get("grid") == "halves":
        return (rng.integers(-192, 193, (200, size)) / 32).tolist()
    if "spread" in options:
        return (rng.integers(-160, 161, (200, size)) * options["spread"] / 160).tolist()
    return (rng.integers(-160, 161, (200, size)) / 20).tolist()


class Runner:
    """onnxruntime's answers, and the margins of what they are made of."""

    def __init__(self, model, scores, options):
        self.options = options
        self.output = options.get("output") or next(
            (o.name for o in model.graph.output if o.type.tensor_type.elem_type in (T.INT64, T.INT32, T.STRING)), model.graph.output[0].name)
        (info,) = [i for i in model.graph.input if i.name == "x"]
        self.shape = [d.dim_value or 1 for d in info.type.tensor_type.shape.dim]
        self.dtype = {**NP, **INT}[info.type.tensor_type.elem_type]
        plain = onnx.ModelProto.FromString(model.SerializeToString())
        if options.get("guarded"):  # without the guard, which onnxruntime does not run
            for node in plain.graph.node:
                node.input[:] = ["scores" if name == "guarded" else name for name in node.input]
            keep = [node for node in plain.graph.node if node.op_type in ("MatMul", "Add", "Relu", "Identity", "ArgMax") and node.output[0] != "guarded"]
            del plain.graph.node[:]
            plain.graph.node.extend(keep)
        if not any(o.name == scores for o in plain.graph.output):
            plain.graph.output.append(helper.make_tensor_value_info(scores, T.FLOAT16 if self.dtype == np.float16 else T.FLOAT, None))
        self.session, self.scores = session_of(plain.SerializeToString(), not options.get("plain")), scores

    def run(self, row):
        """The answer, and by how much it is sure."""
        x = np.asarray(row, dtype=self.dtype).reshape(self.shape)
        out, scores = (np.asarray(o).reshape(-1) for o in self.session.run([self.output, self.scores], {"x": x}))
        scores = scores.astype(np.float64)
        if self.options.get("value"):
            return round(float(out[0]), 6), 1.0
        ordered = np.sort(scores)
        margin = abs(scores[0]) if len(scores) == 1 else (ordered[1] - ordered[0] if self.options.get("smallest") else ordered[-1] - ordered[-2])
        if out.dtype.kind in "iuOUS":
            label = out[0].decode() if isinstance(out[0], bytes) else out[0]
            return (self.options["labels"].index(label) if "labels" in self.options else int(label)), margin
        return (int(out[0] > 0.5) if len(out) == 1 else int(np.argmax(out))), margin


def case(name):
    function, _, scores, options = ACCEPT[name]
    for seed in range(200):
        n = net(name, seed, options)
        function(n)
        model = build(n)
        runner = Runner(model, scores, options)
        least = options.get("margin", 0.05 if options.get("dtype") == T.FLOAT16 else MARGIN)
        rows = [(row, *runner.run(row)) for row in candidates(n.rng, int(np.prod(runner.shape)), options)]
        rows = [(row, answer) for row, answer, margin in rows if margin >= least]
        if options.get("value"):
            rows = rows[:ROWS]
            if getattr(n, "error", 0):
                # What of the numbers' digits is lost by this writing, and by onnxruntime's float32, comes on top.
                values = [answer for _, answer in rows]
                options["tolerance"] = float(f"{n.error / (max(values) - min(values)) + 2e-6:.1e}")
            return model, rows
        classes = sorted({answer for _, answer in rows})
        per_class = [[row for row in rows if row[1] == c][: ROWS // len(classes)] for c in classes]
        if len(classes) == options.get("classes", 3) and all(len(some) >= 3 for some in per_class):
            return model, [row for some in per_class for row in some]
    raise SystemExit(f"{name}: no seed gives a network that shows its classes")


def make(out):
    for sub in ("accept", "refuse"):
        shutil.rmtree(out / sub, ignore_errors=True)
        (out / sub).mkdir(parents=True)
    for name, (_, about, _, options) in ACCEPT.items():
        model, rows = case(name)
        (out / "accept" / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        body = ",\n    ".join("[" + ", ".join(map(number, row)) + "]" for row, _ in rows)
        more = "".join(f',\n  "{key}": {json.dumps(options[key])}' for key in ("output", "labels", "tolerance") if key in options)
        key = "values" if options.get("value") else "classes"
        (out / "accept" / f"{name}.json").write_text(
            f'{{\n  "about": {json.dumps(about)},\n  "inputs": [\n    {body}\n  ],\n  "{key}": {json.dumps([a for _, a in rows])}{more}\n}}\n')
    for name, (function, about, mentions) in REFUSE.items():
        made = function(net(name, 0, {}))
        model = build(made) if isinstance(made, Net) else made
        (out / "refuse" / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        (out / "refuse" / f"{name}.json").write_text(json.dumps({"about": about, "mentions": mentions}, indent=2) + "\n")
    (out / "refuse" / "weights.bin").write_bytes(bytes(70))


def check(out):
    rows = 0
    for path in sorted((out / "accept").glob("*.json")):
        side = json.loads(path.read_text())
        _, _, scores, options = ACCEPT[path.stem]
        runner = Runner(onnx.load(path.with_suffix(".onnx")), scores, options)
        got = [runner.run(row)[0] for row in side["inputs"]]
        rows += len(got)
        if got != side.get("classes", side.get("values")):
            raise SystemExit(f"{path.stem}: onnxruntime says {got}")
    print(f"accept: {len(ACCEPT)} cases, {rows} rows; refuse: {len(REFUSE)} cases")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "operators", metavar="DIR")
    parser.add_argument("--check", action="store_true", help="only check what is there against onnxruntime")
    args = parser.parse_args()
    if not args.check:
        make(args.out)
    check(args.out)


if __name__ == "__main__":
    main()
