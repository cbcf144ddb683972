#!/usr/bin/env python3
"""Make the small ONNX files in tests/operators/: single operators, shape arithmetic and scikit-learn's ops.

Usage: as make_frontend_cases.py, whose Net this uses; the same pinned packages give the same bytes.

accept/CASE.json is as in tests/frontend (about, inputs, classes or values), and may have

    output   the output that the answers are of, where the model has several and it must be named
    labels   what the model calls its classes, where these are not 0, 1, 2, ...

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
    model.ir_version = 8
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


# ---------------------------------------------------------------- writing

def net(name, seed, options):
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    return Net(rng, opset=options.get("opset", 17), dtype=options.get("dtype", T.FLOAT))


def candidates(rng, size, options):
    if options.get("grid") == "whole":
        return rng.integers(-8, 9, (200, size)).tolist()
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
        self.session, self.scores = session_of(plain.SerializeToString()), scores

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
        least = 0.05 if options.get("dtype") == T.FLOAT16 else MARGIN
        rows = [(row, *runner.run(row)) for row in candidates(n.rng, int(np.prod(runner.shape)), options)]
        rows = [(row, answer) for row, answer, margin in rows if margin >= least]
        if options.get("value"):
            return model, rows[:ROWS]
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
        more = "".join(f',\n  "{key}": {json.dumps(options[key])}' for key in ("output", "labels") if key in options)
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
