#!/usr/bin/env python3
"""Make the small ONNX files in tests/frontend/ that exercise the compiler's frontend.

Usage:

    python3 -m venv /tmp/venv-models
    /tmp/venv-models/bin/pip install -r scripts/requirements-models.txt
    /tmp/venv-models/bin/python scripts/make_frontend_cases.py [--out tests/frontend]
    /tmp/venv-models/bin/python scripts/make_frontend_cases.py --check

accept/CASE.onnx must compile; accept/CASE.json says what it must answer:

    about    what the case is about
    inputs   flat rows of input values (within +-8; 0..255 where the input is uint8)
    classes  onnxruntime's class for every row: what an ArgMax in the graph returns, else
             the index of the largest output, the lowest one on ties; of a single output
             behind a Sigmoid 1 where it exceeds one half, else 0
    values   in place of classes: onnxruntime's single output, where there is no Sigmoid

refuse/CASE.onnx must be refused with an error, never a panic or a long wait;
refuse/CASE.json says what a good error is:

    about     what is wrong with it
    mentions  words the message must contain, whatever their case (empty: any error will do)

Every row is safe to compare: in exact arithmetic the best two scores are at least 1e-4
apart or exactly equal (a logit as far from 0), and fixed-point arithmetic with a step of 1e-8 (computed here in
integers, rounded down, towards zero or not at all between layers) gives onnxruntime's class
(a value to within 1e-5).
Rows are picked so that mistakes show: for every weight zeroed, reversed or transposed, every
Relu left out and every Gemm or ArgMax attribute ignored, some row changes its class wherever
one of 300 candidates can tell (--verbose lists the mistakes that no row shows).

The output is deterministic: the same pinned packages give the same bytes. --check
writes nothing and compares onnxruntime with the accept cases already there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
ONE = 10**8
MARGIN = Fraction(1, 10**4)
ROWS = 16
IR_OF_OPSET = {7: 3, 9: 4, 11: 6, 12: 7, 13: 7, 17: 8}
NP = {T.FLOAT: np.float32, T.DOUBLE: np.float64, T.UINT8: np.uint8}


class Net:
    """An ONNX graph under construction. Weights are random multiples of `step` within +-`limit`."""

    def __init__(self, rng, opset=17, step=0.01, limit=1.5, dtype=T.FLOAT, named=True):
        self.rng, self.opset, self.step, self.limit, self.dtype, self.named = rng, opset, step, limit, dtype, named
        self.nodes, self.inits, self.ins, self.outs = [], [], [], []
        self.shape, self.grid = None, None

    def values(self, *shape, limit=None):
        n = round((limit or self.limit) / self.step)
        return self.rng.integers(-n, n + 1, shape) * self.step

    def const(self, name, values, dtype=None):
        array = np.asarray(values, dtype=dtype or NP[self.dtype])
        self.inits.append(numpy_helper.from_array(array, name))
        return name

    def w(self, name, *shape, limit=None):
        return self.const(name, self.values(*shape, limit=limit))

    def op(self, op, inputs, output, name=None, **attrs):
        outputs = [output] if isinstance(output, str) else output
        name = name or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name if self.named else None, **attrs))
        return outputs[0]

    def input(self, name, shape, dtype=None):
        """`shape` as declared: a number, a string (symbolic) or None (unnamed) for each dimension."""
        self.ins.append(helper.make_tensor_value_info(name, dtype or self.dtype, shape))
        self.shape = [d if isinstance(d, int) else 1 for d in shape]
        return name

    def output(self, name, shape=("N", 3), dtype=None):
        self.outs.append(helper.make_tensor_value_info(name, dtype or self.dtype, shape))

    def dense(self, x, n, m, i, relu=False):
        h = self.op("Add", [self.op("MatMul", [x, self.w(f"W{i}", n, m)], f"mm{i}"), self.w(f"b{i}", m, limit=2 * self.limit)], f"z{i}")
        return self.op("Relu", [h], f"h{i}") if relu else h

    def mlp(self, x, widths=(4, 4, 3), first=1):
        for i, (n, m) in enumerate(zip(widths, widths[1:]), first):
            x = self.dense(x, n, m, i, relu=i - first < len(widths) - 2)
        return x

    def argmax(self, x, keepdims=0, out_shape=("N",), **attrs):
        attrs.setdefault("axis", 1)
        if keepdims is not None:
            attrs["keepdims"] = keepdims
        self.op("ArgMax", [x], "class", name="pick", **attrs)
        self.output("class", out_shape, T.INT64)

    def model(self, check=True) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "case", self.ins, self.outs, self.inits)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = IR_OF_OPSET[self.opset]
        if check:
            onnx.checker.check_model(model, full_check=True)
        return model


# ---------------------------------------------------------------- what must compile

ACCEPT = {}


def accept(about, **options):
    def register(function):
        ACCEPT[function.__name__] = (function, about, options)
        return function
    return register


def gemm_net(n, hidden=None, last=None, hidden_shape=(4, 4), c_shape=(4,), c=True, **attrs):
    """Gemm (with the given attributes and C) -> Relu -> Gemm."""
    n.input("x", ["N", 4])
    c_in = [n.w("C", *c_shape)] if c else []
    h = n.op("Relu", [n.op("Gemm", ["x", n.w("B", *hidden_shape)] + c_in, "g", **attrs)], "h")
    n.op("Gemm", [h, n.w("B2", 4, 3), n.w("C2", 3)], "scores")
    n.output("scores")


@accept("Gemm with alpha and beta")
def gemm_alpha_beta(n):
    gemm_net(n, alpha=0.5, beta=2.0)


@accept("Gemm with alpha and beta negative, and a beta of 0 in the last layer")
def gemm_alpha_negative_beta_zero(n):
    n.input("x", ["N", 4])
    h = n.op("Relu", [n.op("Gemm", ["x", n.w("B", 4, 4), n.w("C", 4)], "g", alpha=-1.5, beta=-0.25)], "h")
    n.op("Gemm", [h, n.w("B2", 4, 3), n.const("C2", [100, 0, -100])], "scores", beta=0.0)
    n.output("scores")


@accept("Gemm with transB=1, as PyTorch writes it")
def gemm_transb(n):
    gemm_net(n, hidden_shape=(4, 4), transB=1)


@accept("Gemm with transB=1 and a matrix that is not square")
def gemm_transb_rectangle(n):
    n.input("x", ["N", 6])
    h = n.op("Relu", [n.op("Gemm", ["x", n.w("B", 4, 6), n.w("C", 4)], "g", transB=1)], "h")
    n.op("Gemm", [h, n.w("B2", 3, 4), n.w("C2", 3)], "scores", transB=1)
    n.output("scores")


@accept("Gemm with transA=1 on an input of shape [4, 1]")
def gemm_transa(n):
    n.input("x", [4, 1])
    h = n.op("Relu", [n.op("Gemm", ["x", n.w("B", 4, 5), n.w("C", 5)], "g", transA=1)], "h")
    n.op("Gemm", [h, n.w("B2", 5, 3), n.w("C2", 3)], "scores")
    n.output("scores", [1, 3])


@accept("Gemm without C")
def gemm_without_c(n):
    gemm_net(n, c=False)


@accept("Gemm with a scalar C")
def gemm_scalar_c(n):
    gemm_net(n, c_shape=())


@accept("Gemm with C of shape [1]")
def gemm_c_one(n):
    gemm_net(n, c_shape=(1,))


@accept("Gemm with C of shape [1, m]")
def gemm_c_row(n):
    gemm_net(n, c_shape=(1, 4))


@accept("Add with the bias on the left")
def add_bias_left(n):
    x = n.input("x", ["N", 4])
    m = n.op("MatMul", [x, n.w("W1", 4, 5)], "m1")
    h = n.op("Relu", [n.op("Add", [n.w("b1", 5), m], "a1")], "h")
    m = n.op("MatMul", [h, n.w("W2", 5, 3)], "m2")
    n.op("Add", [n.w("b2", 3), m], "scores")
    n.output("scores")


@accept("Add of a bias of shape [1, m], then of a scalar")
def add_bias_broadcast(n):
    x = n.input("x", ["N", 4])
    m = n.op("MatMul", [x, n.w("W1", 4, 4)], "m1")
    h = n.op("Relu", [n.op("Add", [m, n.w("b1", 1, 4)], "a1")], "h")
    m = n.op("MatMul", [n.op("Add", [h, n.w("shift")], "a2"), n.w("W2", 4, 3)], "m2")
    n.op("Add", [m, n.w("b2", 3)], "scores")
    n.output("scores")


@accept("the bias split over two Adds in a row")
def add_twice(n):
    x = n.input("x", ["N", 4])
    m = n.op("MatMul", [x, n.w("W1", 4, 4)], "m1")
    a = n.op("Add", [n.op("Add", [m, n.w("b1", 4)], "a1"), n.w("b1_more", 4)], "a2")
    m = n.op("MatMul", [n.op("Relu", [a], "h"), n.w("W2", 4, 3)], "m2")
    n.op("Add", [n.w("b2_more", 3), n.op("Add", [m, n.w("b2", 3)], "a3")], "scores")
    n.output("scores")


@accept("ArgMax with keepdims 0")
def argmax_keepdims_0(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])), keepdims=0)


@accept("ArgMax with keepdims 1")
def argmax_keepdims_1(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])), keepdims=1, out_shape=["N", 1])


@accept("ArgMax without a keepdims attribute (so 1)")
def argmax_keepdims_default(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])), keepdims=None, out_shape=["N", 1])


@accept("ArgMax over axis -1")
def argmax_axis_minus_1(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])), axis=-1)


@accept("ArgMax over axis 1")
def argmax_axis_1(n):
    n.argmax(n.mlp(n.input("x", [1, 4])), axis=1, out_shape=[1])


def tied(n):
    """Two classes with the same weights, and biases that make other ties too; all of it dyadic."""
    x = n.input("x", ["N", 4])
    h = n.op("Relu", [n.op("MatMul", [x, n.w("W1", 4, 3)], "m1")], "h")
    w = n.values(3, 4)
    w[:, 2] = w[:, 1]
    w[:, 3] = w[:, 0]
    return n.op("Add", [n.op("MatMul", [h, n.const("W2", w)], "m2"), n.const("b2", [0.25, 0.5, 0.5, 0.25])], "scores")


@accept("ArgMax whose inputs tie: the lowest index wins", step=0.25, ties=8, classes=2)
def argmax_ties(n):
    n.argmax(tied(n))


@accept("ArgMax with select_last_index=1 whose inputs tie: the highest index wins", step=0.25, ties=8, classes=2)
def argmax_select_last_index(n):
    n.argmax(tied(n), select_last_index=1)


@accept("ties in an output of scores: the lowest index is the class", step=0.25, ties=8, classes=2)
def scores_ties(n):
    tied(n)
    n.output("scores", ["N", 4])


@accept("Cast of the class to int32")
def argmax_cast_int32(n):
    n.op("ArgMax", [n.mlp(n.input("x", ["N", 4]))], "c64", axis=1, keepdims=0)
    n.op("Cast", ["c64"], "class", to=T.INT32)
    n.output("class", ["N"], T.INT32)


@accept("Cast of the class to int64, which it is already")
def argmax_cast_int64(n):
    n.op("ArgMax", [n.mlp(n.input("x", ["N", 4]))], "c64", axis=-1, keepdims=1)
    n.op("Cast", ["c64"], "class", to=T.INT64)
    n.output("class", ["N", 1], T.INT64)


@accept("ArgMax with keepdims 1, then Squeeze")
def argmax_squeeze(n):
    n.op("ArgMax", [n.mlp(n.input("x", ["N", 4]))], "c", axis=1, keepdims=1)
    n.op("Squeeze", ["c", n.const("axes", [1], np.int64)], "class")
    n.output("class", ["N"], T.INT64)


@accept("ArgMax, then Reshape to a vector")
def argmax_reshape(n):
    n.op("ArgMax", [n.mlp(n.input("x", ["N", 4]))], "c", axis=1, keepdims=1)
    n.op("Reshape", ["c", n.const("flat", [-1], np.int64)], "class")
    n.output("class", ["N"], T.INT64)


@accept("Softmax at the end")
def softmax_end(n):
    n.op("Softmax", [n.mlp(n.input("x", ["N", 4]))], "probabilities", axis=1)
    n.output("probabilities")


@accept("Softmax without an axis (opset 13: the last)")
def softmax_default_axis(n):
    n.op("Softmax", [n.mlp(n.input("x", ["N", 4]))], "probabilities")
    n.output("probabilities")


@accept("LogSoftmax at the end")
def log_softmax_end(n):
    n.op("LogSoftmax", [n.mlp(n.input("x", ["N", 4]))], "log_probabilities", axis=-1)
    n.output("log_probabilities")


@accept("Softmax over axis -1 before ArgMax")
def softmax_argmax(n):
    n.argmax(n.op("Softmax", [n.mlp(n.input("x", ["N", 4]))], "p", axis=-1))


@accept("Softmax of opset 11 without an axis (so 1) before ArgMax", opset=11)
def softmax_opset11_argmax(n):
    n.argmax(n.op("Softmax", [n.mlp(n.input("x", ["N", 4]))], "p"))


@accept("Flatten with axis 1 of an input [N, 2, 3]")
def flatten_axis_1(n):
    f = n.op("Flatten", [n.input("x", ["N", 2, 3])], "f", axis=1)
    n.mlp(f, (6, 4, 3))
    n.output("z2")


@accept("Flatten without an axis (so 1)")
def flatten_default_axis(n):
    n.mlp(n.op("Flatten", [n.input("x", ["N", 2, 3])], "f"), (6, 4, 3))
    n.output("z2")


@accept("Reshape whose shape is a Constant node")
def reshape_constant_node(n):
    x = n.input("x", ["N", 2, 3])
    shape = n.op("Constant", [], "shape", value=numpy_helper.from_array(np.array([-1, 6], np.int64)))
    n.mlp(n.op("Reshape", [x, shape], "f"), (6, 4, 3))
    n.output("z2")


@accept("Reshape whose shape is a Constant node with value_ints", opset=13)
def reshape_constant_value_ints(n):
    x = n.input("x", ["N", 2, 3])
    n.mlp(n.op("Reshape", [x, n.op("Constant", [], "shape", value_ints=[-1, 6])], "f"), (6, 4, 3))
    n.output("z2")


@accept("Reshape with an initializer [-1, 6]")
def reshape_initializer(n):
    x = n.input("x", ["N", 2, 3])
    n.mlp(n.op("Reshape", [x, n.const("shape", [-1, 6], np.int64)], "f"), (6, 4, 3))
    n.output("z2")


@accept("Reshape with 0 entries, which copy the dimension")
def reshape_zero_entries(n):
    x = n.input("x", ["N", 2, 3])
    r = n.op("Reshape", [x, n.const("same", [0, 0, 3, 1], np.int64)], "r")
    n.mlp(n.op("Reshape", [r, n.const("flat", [0, -1], np.int64)], "f"), (6, 4, 3))
    n.output("z2")


@accept("Reshape of the input from a vector to a row, its shape in int64_data")
def reshape_int64_data(n):
    x = n.input("x", [6])
    n.inits.append(helper.make_tensor("shape", T.INT64, [2], [1, -1]))
    n.mlp(n.op("Reshape", [x, "shape"], "f"), (6, 4, 3))
    n.output("z2", [1, 3])


@accept("Squeeze with its axes as an attribute (opset 11)", opset=11)
def squeeze_opset11(n):
    n.mlp(n.op("Squeeze", [n.input("x", ["N", 1, 4])], "s", axes=[1]))
    n.output("z2")


@accept("Squeeze with its axes as an input (opset 13)", opset=13)
def squeeze_opset13(n):
    n.mlp(n.op("Squeeze", [n.input("x", ["N", 4, 1]), n.const("axes", [-1], np.int64)], "s"))
    n.output("z2")


@accept("Unsqueeze with its axes as an attribute (opset 11)", opset=11)
def unsqueeze_opset11(n):
    n.mlp(n.op("Unsqueeze", [n.input("x", [4])], "u", axes=[0]))
    n.output("z2", [1, 3])


@accept("Unsqueeze with its axes as an input (opset 13), then Flatten", opset=13)
def unsqueeze_opset13(n):
    u = n.op("Unsqueeze", [n.input("x", ["N", 4]), n.const("axes", [1, 3], np.int64)], "u")
    n.mlp(n.op("Flatten", [u], "f", axis=1))
    n.output("z2")


@accept("Identity nodes between the layers")
def identity_between(n):
    x = n.op("Identity", [n.input("x", ["N", 4])], "x1")
    h = n.op("Identity", [n.dense(x, 4, 4, 1, relu=True)], "h1_copy")
    n.argmax(n.op("Identity", [n.dense(h, 4, 3, 2)], "z2_copy"))


@accept("the output is an Identity of the scores, under another name")
def identity_output(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.output("scores")


@accept("an Identity of an initializer as a weight (shared weights, as torch writes them)")
def identity_of_weight(n):
    x = n.input("x", ["N", 3])
    h = n.op("Relu", [n.op("MatMul", [x, n.w("W", 3, 3)], "m1")], "h")
    w = n.op("Identity", ["W"], "W_again")
    n.op("Add", [n.op("MatMul", [h, w], "m2"), n.w("b", 3)], "scores")
    n.output("scores")


@accept("Dropout (opset 13) with ratio and training_mode false as inputs", opset=13)
def dropout_opset13(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    d = n.op("Dropout", [h, n.const("ratio", 0.5), n.const("training", False, np.bool_)], "d")
    n.dense(d, 4, 3, 2)
    n.output("z2")


@accept("Dropout (opset 12) with no optional input", opset=12)
def dropout_opset12_bare(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.dense(n.op("Dropout", [h], "d"), 4, 3, 2)
    n.output("z2")


@accept("Dropout (opset 7) with ratio as an attribute", opset=7, ir=4)
def dropout_opset7(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.dense(n.op("Dropout", [h], "d", ratio=0.25), 4, 3, 2)
    n.output("z2")


@accept("Dropout with its mask output, which nothing reads", opset=13)
def dropout_mask_unused(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.dense(n.op("Dropout", [h, n.const("ratio", 0.3)], ["d", "mask"]), 4, 3, 2)
    n.output("z2")


@accept("uint8 input, Cast to float", step=0.001, limit=0.2, grid="bytes")
def uint8_input(n):
    x = n.op("Cast", [n.input("x", ["N", 4], T.UINT8)], "f", to=T.FLOAT)
    n.argmax(n.mlp(x))


@accept("uint8 input [N, 2, 3], Flatten, then Cast to float", step=0.001, limit=0.2, grid="bytes")
def uint8_image(n):
    f = n.op("Flatten", [n.input("x", ["N", 2, 3], T.UINT8)], "flat", axis=1)
    n.mlp(n.op("Cast", [f], "f", to=T.FLOAT), (6, 4, 3))
    n.output("z2")


@accept("everything in float64", dtype=T.DOUBLE)
def double_model(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])))


@accept("float input, Cast to float64, float64 weights", dtype=T.DOUBLE)
def double_cast(n):
    x = n.op("Cast", [n.input("x", ["N", 4], T.FLOAT)], "d", to=T.DOUBLE)
    n.mlp(x)
    n.output("z2")


@accept("float64 weights in double_data", dtype=T.DOUBLE)
def double_data(n):
    n.mlp(n.input("x", ["N", 4]))
    n.inits = [helper.make_tensor(t.name, T.DOUBLE, t.dims, numpy_helper.to_array(t).flatten().tolist()) for t in n.inits]
    n.output("z2")


@accept("float weights in float_data instead of raw_data")
def float_data(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])))
    n.inits = [helper.make_tensor(t.name, T.FLOAT, t.dims, numpy_helper.to_array(t).flatten().tolist()) for t in n.inits]


@accept("a symbolic batch")
def batch_symbolic(n):
    n.mlp(n.input("x", ["batch_size", 5]), (5, 4, 3))
    n.output("z2", ["batch_size", 3])


@accept("a batch dimension with neither a name nor a number")
def batch_unnamed(n):
    n.mlp(n.input("x", [None, 5]), (5, 4, 3))
    n.output("z2", [None, 3])


@accept("a batch fixed at 1")
def batch_fixed_1(n):
    n.mlp(n.input("x", [1, 5]), (5, 4, 3))
    n.output("z2", [1, 3])


@accept("an output declared without a shape")
def output_without_shape(n):
    n.mlp(n.input("x", ["N", 4]))
    n.output("z2", None)
    return "unchecked"  # onnx's checker wants a shape, onnxruntime does not


@accept("rank-1 input [6] with MatMul")
def rank1_input(n):
    n.mlp(n.input("x", [6]), (6, 4, 3))
    n.output("z2", [3])


@accept("rank-1 input [6], ArgMax over axis 0 to a scalar")
def rank1_argmax_axis_0(n):
    n.argmax(n.mlp(n.input("x", [6]), (6, 4, 3)), axis=0, out_shape=[])


@accept("rank-4 input [N, 1, 2, 3], Flatten")
def rank4_input(n):
    n.mlp(n.op("Flatten", [n.input("x", ["N", 1, 2, 3])], "f", axis=1), (6, 4, 3))
    n.output("z2")


@accept("rank-4 input [1, 1, 2, 3], Reshape")
def rank4_reshape(n):
    x = n.input("x", [1, 1, 2, 3])
    n.mlp(n.op("Reshape", [x, n.const("shape", [1, 6], np.int64)], "f"), (6, 4, 3))
    n.output("z2", [1, 3])


@accept("all weights as Constant nodes")
def constant_nodes(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])))
    constants = [helper.make_node("Constant", [], [t.name], name=f"const_{t.name}", value=t) for t in n.inits]
    n.nodes, n.inits = constants + n.nodes, []


@accept("biases as Constant nodes with value_floats, a scalar as value_float", opset=13)
def constant_value_floats(n):
    x = n.input("x", ["N", 4])
    b1 = n.op("Constant", [], "b1", value_floats=[0.5, -0.25, 1.0])
    s = n.op("Constant", [], "s", value_float=0.125)
    h = n.op("Relu", [n.op("Add", [n.op("MatMul", [x, n.w("W1", 4, 3)], "m1"), b1], "a1")], "h")
    n.op("Add", [n.op("MatMul", [h, n.w("W2", 3, 3)], "m2"), s], "scores")
    n.output("scores")


@accept("IR version 3: every initializer is listed as a graph input too", opset=7)
def initializers_as_inputs(n):
    n.mlp(n.input("x", ["N", 4]))
    listed = [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in n.inits]
    n.ins = listed[:2] + n.ins + listed[2:]  # the true input is not the first
    n.output("z2")


@accept("one layer only")
def one_layer(n):
    n.mlp(n.input("x", ["N", 4]), (4, 3))
    n.output("z1")


@accept("one layer without a bias, then ArgMax")
def one_layer_argmax(n):
    x = n.input("x", ["N", 4])
    n.argmax(n.op("MatMul", [x, n.w("W", 4, 3)], "scores"))


@accept("three layers")
def three_layers(n):
    n.argmax(n.mlp(n.input("x", ["N", 5]), (5, 4, 4, 3)))


@accept("MatMul without a bias")
def matmul_without_bias(n):
    x = n.input("x", ["N", 4])
    h = n.op("Relu", [n.op("MatMul", [x, n.w("W1", 4, 5)], "m1")], "h")
    n.op("MatMul", [h, n.w("W2", 5, 3)], "scores")
    n.output("scores")


@accept("a hidden unit whose weights are all 0, an input nothing uses, and a hidden unit nothing uses")
def zero_row_and_column(n):
    x = n.input("x", ["N", 5])
    w1, w2 = n.values(5, 4), n.values(4, 3)
    w1[:, 2] = 0
    w1[1, :] = 0
    w2[0, :] = 0
    h = n.op("Relu", [n.op("Add", [n.op("MatMul", [x, n.const("W1", w1)], "m1"), n.w("b1", 4)], "a1")], "h")
    n.op("Add", [n.op("MatMul", [h, n.const("W2", w2)], "m2"), n.w("b2", 3)], "scores")
    n.output("scores")


@accept("large weights, up to +-90", step=0.5, limit=90)
def large_weights(n):
    x = n.input("x", ["N", 4])
    w1 = n.values(4, 4)
    w1[0, 0], w1[3, 1] = 90, -90
    h = n.op("Relu", [n.op("Add", [n.op("MatMul", [x, n.const("W1", w1)], "m1"), n.w("b1", 4)], "a1")], "h")
    n.op("Add", [n.op("MatMul", [h, n.w("W2", 4, 3)], "m2"), n.w("b2", 3)], "scores")
    n.output("scores")


@accept("weights of 1e-7 into a hidden unit that weights of +-90 read: it decides between two classes")
def tiny_and_large_weights(n):
    x = n.input("x", ["N", 6])
    w1, w2 = n.values(6, 4), n.values(4, 3)
    w1[:, 0] = 1e-7
    w2[:, 1] = w2[:, 0]
    w2[0] = [-90, 90, 1]
    h = n.op("Relu", [n.op("MatMul", [x, n.const("W1", w1)], "m1")], "h")
    n.op("MatMul", [h, n.const("W2", w2)], "scores")
    n.output("scores")


@accept("no node has a name", named=False)
def unnamed_nodes(n):
    n.argmax(n.op("Softmax", [n.mlp(n.input("x", ["N", 4]))], "p", axis=1))


@accept("two Relus in a row")
def relu_twice(n):
    h = n.op("Relu", [n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)], "h_again")
    n.dense(h, 4, 3, 2)
    n.output("z2")


@accept("the first op is a Relu on the input")
def relu_first(n):
    n.mlp(n.op("Relu", [n.input("x", ["N", 4])], "r"))
    n.output("z2")


@accept("the last op is a Relu, so that scores tie at 0", step=0.25, ties=3)
def relu_last(n):
    n.op("Relu", [n.mlp(n.input("x", ["N", 4]))], "scores")
    n.output("scores")


@accept("two layers without a Relu between them")
def linear_layers(n):
    n.dense(n.dense(n.input("x", ["N", 4]), 4, 4, 1), 4, 3, 2)
    n.output("z2")


@accept("the opset is imported under the name ai.onnx, and nodes name that domain")
def domain_ai_onnx(n):
    n.argmax(n.mlp(n.input("x", ["N", 4])))
    return "ai.onnx"


@accept("the default domain is listed twice, as scikit-learn's exporter does")
def opset_listed_twice(n):
    n.mlp(n.input("x", ["N", 4]))
    n.output("z2")
    return "twice"


@accept("an initializer that nothing reads, and value_info for what is between")
def unused_initializer(n):
    n.w("left_over", 3, 3)
    n.mlp(n.input("x", ["N", 4]))
    n.output("z2")
    return "value_info"


@accept("one output, which is a value", classes=1)
def regression(n):
    n.op("Identity", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "price", name="price_out")
    n.output("price", ["N", 1])


@accept("a value with its last dimension squeezed", classes=1)
def regression_vector(n):
    n.op("Squeeze", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1)), n.const("axes", [1], np.int64)], "price")
    n.output("price", ["N"])


@accept("a value that is never negative, reshaped and cast to double", classes=1)
def regression_relu_cast(n):
    h = n.op("Relu", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "r")
    h = n.op("Reshape", [h, n.const("shape", [-1, 1], np.int64)], "f")
    n.op("Cast", [h], "price", to=T.DOUBLE)
    n.output("price", ["N", 1], T.DOUBLE)


@accept("a value from one Gemm on a fixed batch", classes=1)
def regression_gemm(n):
    n.input("x", [1, 4])
    n.op("Gemm", ["x", n.w("W1", 1, 4), n.w("c", 1)], "price", transB=1, alpha=0.5, beta=2.0)
    n.output("price", [1, 1])


@accept("one output behind a Sigmoid: two classes", classes=2)
def sigmoid_end(n):
    n.op("Sigmoid", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "p")
    n.output("p", ["N", 1])


@accept("Sigmoid, then Reshape to a vector", classes=2)
def sigmoid_reshape(n):
    p = n.op("Sigmoid", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "p")
    n.op("Reshape", [p, n.const("shape", [-1], np.int64)], "flat")
    n.output("flat", ["N"])


@accept("a logit that is 0 or less for most: Sigmoid of exactly one half is class 0", classes=2, step=0.25, ties=2)
def sigmoid_ties(n):
    n.op("Sigmoid", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "p")
    n.output("p", ["N", 1])


@accept("Sigmoid of several scores before ArgMax")
def sigmoid_argmax(n):
    n.argmax(n.op("Sigmoid", [n.mlp(n.input("x", ["N", 4]))], "p"))


def accept_model(name, seed):
    function, _, options = ACCEPT[name]
    keys = ("opset", "step", "limit", "dtype", "named")
    net = Net(np.random.default_rng([zlib.crc32(name.encode()), seed]), **{k: options[k] for k in keys if k in options})
    extra = function(net)
    model = net.model(check=False)
    if "ir" in options:
        model.ir_version = options["ir"]
    if extra == "value_info":
        model = onnx.shape_inference.infer_shapes(model)
    elif extra == "twice":
        model.opset_import.append(helper.make_opsetid("", 17))
    elif extra == "ai.onnx":
        model.opset_import[0].domain = "ai.onnx"
        for node in model.graph.node:
            node.domain = "ai.onnx"
    if extra not in ("twice", "unchecked", "ai.onnx"):  # what the checker refuses and onnxruntime runs
        onnx.checker.check_model(model, full_check=True)
    return model, net.shape, NP[model.graph.input[net.ins.index(next(i for i in net.ins if i.name == "x"))].type.tensor_type.elem_type]


# ---------------------------------------------------------------- what they answer, twice

def run_onnxruntime(session, row, shape, dtype, ends="scores"):
    (out,) = session.run(None, {"x": np.asarray(row, dtype=dtype).reshape(shape)})
    out = np.asarray(out).reshape(-1)
    if np.issubdtype(out.dtype, np.integer):
        return int(out[0])
    return {"scores": lambda: int(np.argmax(out)), "logit": lambda: int(out[0] > 0.5), "value": lambda: round(float(out[0]), 6)}[ends]()


def end_of(model) -> str:
    """What the output is: a value, a logit (behind a Sigmoid), or scores, one a class (or the class of them)."""
    (output,) = model.graph.output
    ops = {node.op_type for node in model.graph.node}
    sizes = [d.dim_value for d in output.type.tensor_type.shape.dim]  # 0: symbolic
    # A single output is [N, 1] or, without an ArgMax, [N].
    single = sizes in ([0], [1]) or (len(sizes) > 1 and sizes[-1] == 1)
    if "ArgMax" in ops or not single:
        return "scores"
    return "logit" if "Sigmoid" in ops else "value"


def session_of(data: bytes, optimise: bool = True):
    options = ort.SessionOptions()
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def objects(values, shape):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def evaluate(model, row, shape, dtype, quantise, between):
    """Class and margin (a value has none) by exact rational arithmetic, over the graph's own nodes.

    `quantise` is applied to every weight and input, `between` to what every MatMul or Gemm makes.
    """
    def exact(array):
        array = np.asarray(array)
        return objects([quantise(Fraction(v)) for v in array.flatten().tolist()], array.shape)

    graph = model.graph
    ints = {}
    env = {"x": exact(np.asarray(row, dtype=dtype).reshape(shape))}

    def constant(name, array):
        array = np.asarray(array)
        if array.dtype.kind == "f":
            env[name] = exact(array)
        else:
            ints[name] = array.flatten().tolist()

    for t in graph.initializer:
        constant(t.name, numpy_helper.to_array(t))
    last = False
    scores = None
    trim = np.frompyfunc(between, 1, 1)
    for node in graph.node:
        at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        get = lambda i: env[node.input[i]]  # noqa: E731
        op = node.op_type
        if op == "Constant":
            (value,) = at.values()
            constant(node.output[0], numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto)
                     else np.asarray(value, dtype=np.float32 if "float" in node.attribute[0].name else np.int64))
            continue
        if op == "MatMul":
            out = trim(np.matmul(get(0), get(1)))
        elif op == "Gemm":
            a = get(0).T if at.get("transA") else get(0)
            b = get(1).T if at.get("transB") else get(1)
            out = np.matmul(a, b * Fraction(at.get("alpha", 1.0)))
            if len(node.input) > 2:
                out = out + get(2) * Fraction(at.get("beta", 1.0))
            out = trim(out)
        elif op == "Add":
            out = get(0) + get(1)
        elif op == "Relu":
            out = np.maximum(get(0), Fraction(0))
        elif op in ("Identity", "Cast", "Dropout", "Softmax", "LogSoftmax", "Sigmoid"):
            out = get(0)
        elif op == "Flatten":
            out = get(0).reshape(1, -1)
        elif op == "Reshape":
            to = ints[node.input[1]]
            out = get(0).reshape([get(0).shape[i] if d == 0 else d for i, d in enumerate(to)])
        elif op in ("Squeeze", "Unsqueeze"):
            axes = tuple(at["axes"] if "axes" in at else ints[node.input[1]])
            out = np.squeeze(get(0), axes) if op == "Squeeze" else np.expand_dims(get(0), axes)
        elif op == "ArgMax":
            scores, last = get(0).flatten().tolist(), bool(at.get("select_last_index"))
            out = get(0)[..., :1]
        else:
            raise SystemExit(f"the check here does not know {op}")
        env[node.output[0]] = out
    if scores is None:
        scores = env[graph.output[0].name].flatten().tolist()
    if (ends := end_of(model)) == "value":
        return float(scores[0]), None
    if ends == "logit":
        scores = [Fraction(0), *scores]
    top = max(scores)
    at_top = [i for i, s in enumerate(scores) if s == top]
    margin = 0 if len(at_top) > 1 else top - max(s for s in scores if s != top)
    return at_top[-1 if last else 0], margin


def nearest(v):
    return Fraction(round(v * ONE), ONE)


def same(v):
    return v


def down(v):
    return Fraction(v * ONE // 1, ONE)


def to_zero(v):
    return Fraction(int(v * ONE), ONE)


def safe(model, row, shape, dtype, want) -> bool:
    """Whether the row's class is beyond doubt (see the docstring at the top)."""
    c, margin = evaluate(model, row, shape, dtype, same, same)
    if margin is None:
        return all(abs(evaluate(model, row, shape, read_as, nearest, between)[0] - want) < 1e-5
                   for read_as in {dtype, np.float64} for between in (same, down, to_zero))
    if c != want or (margin != 0 and margin < MARGIN):
        return False
    for read_as in {dtype, np.float64}:
        for between in (same, down, to_zero):
            c, q = evaluate(model, row, shape, read_as, nearest, between)
            if c != want or (margin == 0) != (q == 0):
                return False
    return True


def candidates(rng, size, options):
    if options.get("grid") == "bytes":
        rows = [[0] * size, [255] * size, [1] * size]
        rows += [[255 * (i == j) for j in range(size)] for i in range(size)]
        return rows + rng.integers(0, 256, (300, size)).tolist()
    rows = [[v] * size for v in (0, 1, -1, 8, -8)]
    rows += [[s * (i == j) for j in range(size)] for i in range(size) for s in (8, -8)]
    step = 4 if options.get("step") == 0.25 else 20
    rows += (rng.integers(-8 * step, 8 * step + 1, (150, size)) / step).tolist()
    rows += (rng.integers(-step, step + 1, (150, size)) / step).tolist()
    return [[float(v) for v in row] for row in rows]


def mutants(model):
    """The network with one mistake in it, for every mistake worth showing."""
    def changed(what, change):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        change(copy.graph)
        return what, copy.SerializeToString()

    tensors = [(t.name, numpy_helper.to_array(t), lambda g, i=i: g.initializer[i]) for i, t in enumerate(model.graph.initializer)]
    for i, node in enumerate(model.graph.node):
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors.append((node.output[0], numpy_helper.to_array(node.attribute[0].t), lambda g, i=i: g.node[i].attribute[0].t))
        if node.op_type == "Relu":
            yield changed(f"{node.output[0]} without Relu", lambda g, i=i: setattr(g.node[i], "op_type", "Identity"))
        for j, attribute in enumerate(node.attribute):
            if attribute.name in ("alpha", "beta", "transA", "transB", "select_last_index"):
                yield changed(f"{node.output[0]} without {attribute.name}", lambda g, i=i, j=j: g.node[i].attribute.pop(j))
    read = {name for node in model.graph.node if node.op_type in ("MatMul", "Gemm", "Add", "Identity") for name in node.input}
    for name, array, where in tensors:
        if name not in read or array.dtype.kind != "f":
            continue
        others = {"zeroed": np.zeros_like(array)}
        if array.size > 1:
            others["reversed"] = array[::-1] if array.shape[0] > 1 else array[:, ::-1]
        if array.ndim == 2 and array.shape[0] == array.shape[1]:
            others["transposed"] = array.T
        for how, other in others.items():
            tensor = numpy_helper.from_array(np.ascontiguousarray(other), name)
            yield changed(f"{name} {how}", lambda g, where=where, tensor=tensor: where(g).CopyFrom(tensor))


def killed(model, rows, answers, shape, dtype):
    """For every mutant, the rows that it answers otherwise."""
    found = {}
    for what, data in mutants(model):
        try:
            session = session_of(data)
            found[what] = {i for i, row in enumerate(rows) if run_onnxruntime(session, row, shape, dtype, end_of(model)) != answers[i]}
        except Exception:  # shapes that no longer fit: such a mistake cannot go unseen
            continue
    return found


def pick_rows(name):
    """The first of the seeds whose network shows all its classes, with rows and onnxruntime's answers."""
    _, _, options = ACCEPT[name]
    for seed in range(200):
        model, shape, dtype = accept_model(name, seed)
        data = model.SerializeToString(deterministic=True)
        session = session_of(data)
        rng = np.random.default_rng([zlib.crc32(name.encode()), seed, 1])
        rows = candidates(rng, int(np.prod(shape)), options)
        answers = [run_onnxruntime(session, row, shape, dtype, end_of(model)) for row in rows]
        # Values have no classes that all must be shown.
        groups = [0] * len(rows) if end_of(model) == "value" else answers
        counts = np.bincount(groups, minlength=3)
        want = options.get("classes", 3)
        if (counts >= 8).sum() < want:
            continue
        unseen = killed(model, rows, answers, shape, dtype)
        edge = len(rows) - 300
        taken, have = [], {}

        def take(i, most):
            if i in taken or len(taken) == ROWS or have.get(groups[i], 0) >= most:
                return
            if safe(model, rows[i], shape, dtype, answers[i]):
                taken.append(i)
                have[groups[i]] = have.get(groups[i], 0) + 1
                for what in [w for w, at in unseen.items() if i in at]:
                    del unseen[what]

        # zeros and two other edge rows, ties where the case is about them, a row for every mistake, then any
        for i in [0, *sorted(rng.permutation(np.arange(1, edge))[:2].tolist())]:
            take(i, ROWS)
        if "ties" in options:
            tied_rows = [i for i in range(1, len(rows)) if evaluate(model, rows[i], shape, dtype, same, same)[1] == 0]
            for i in tied_rows[:options["ties"]]:
                take(i, ROWS)
            if len(tied_rows) < options["ties"]:
                continue
        skip = set()
        while any(at - skip for at in unseen.values()) and len(taken) < ROWS:
            best = max(range(len(rows)), key=lambda i: (i not in skip, sum(i in at for at in unseen.values()), -i))
            skip.add(best)
            take(best, ROWS // 2)
        for i in range(edge, len(rows)):
            take(i, -(-ROWS // want))
        if len(taken) < 8 or len(have) < want:
            continue
        return data, [rows[i] for i in taken], [answers[i] for i in taken]
    raise SystemExit(f"{name}: no seed gives a network that shows its classes")


# ---------------------------------------------------------------- what must be refused

REFUSE = {}


def refuse(about, *mentions):
    def register(function):
        REFUSE[function.__name__] = (function, about, list(mentions))
        return function
    return register


def valid_mlp(n, weight="W1", values=None):
    """x -> hidden (MatMul, Add, Relu) -> scores (MatMul, Add), with names an error can quote."""
    n.input("x", ["N", 4])
    n.op("MatMul", ["x", n.const(weight, n.values(4, 4) if values is None else values)], "m1", name="hidden_matmul")
    n.op("Add", ["m1", n.w("b1", 4)], "a1", name="hidden_bias")
    n.op("Relu", ["a1"], "h", name="hidden_relu")
    n.op("MatMul", ["h", n.w("W2", 4, 3)], "m2", name="score_matmul")
    n.op("Add", ["m2", n.w("b2", 3)], "scores", name="score_bias")
    n.output("scores")
    return n


def hidden_op(n, op, name, **attrs):
    """The valid network with its Relu replaced."""
    valid_mlp(n)
    n.nodes[2] = helper.make_node(op, ["a1"], ["h"], name=name, **attrs)
    return n.model(check=False)


def tensor_of(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


@refuse("a convolution", "conv_1", "Conv")
def conv(n):
    n.input("x", ["N", 1, 3, 3])
    n.op("Conv", ["x", n.w("K", 1, 1, 2, 2)], "c", name="conv_1", kernel_shape=[2, 2])
    n.mlp(n.op("Flatten", ["c"], "f", axis=1))
    n.output("z2")
    return n.model()


@refuse("Softmax in the hidden layer", "inner_probs", "Softmax")
def softmax_hidden(n):
    return hidden_op(n, "Softmax", "inner_probs", axis=1)


@refuse("an LSTM", "memory", "LSTM")
def lstm(n):
    n.input("x", [3, 1, 2])  # sequence, batch, features
    n.op("LSTM", ["x", n.w("W", 1, 8, 2), n.w("R", 1, 8, 2)], ["", "last", ""], name="memory", hidden_size=2)
    n.nodes[-1].output[:] = ["", "last"]
    n.op("Reshape", ["last", n.const("row", [1, 2], np.int64)], "f")
    n.mlp("f", (2, 3))
    n.output("z1", [1, 3])
    return n.model()


@refuse("two inputs, both used", "left", "right")
def two_inputs(n):
    n.input("left", ["N", 4])
    n.input("right", ["N", 4])
    n.mlp(n.op("Add", ["left", "right"], "both", name="join"))
    n.output("z2")
    return n.model()


@refuse("two outputs", "scores", "features")
def two_outputs(n):
    valid_mlp(n)
    n.nodes[2].output[0] = "features"
    n.nodes[3].input[0] = "features"
    n.output("features", ["N", 4])
    return n.model()


@refuse("a MatMul of two computed tensors", "dynamic_matmul", "MatMul")
def dynamic_weights(n):
    n.input("x", [1, 4])
    h = n.op("MatMul", ["x", n.w("W1", 4, 4)], "h", name="hidden_matmul")
    m = n.op("MatMul", ["x", n.w("W2", 4, 12)], "m", name="maker")
    m = n.op("Reshape", [m, n.const("shape", [4, 3], np.int64)], "matrix", name="as_matrix")
    n.op("MatMul", [h, m], "scores", name="dynamic_matmul")
    n.output("scores", [1, 3])
    return n.model()


@refuse("ArgMax over the first axis of a real matrix", "pick_rows", "ArgMax")
def argmax_first_axis(n):
    n.input("x", [1, 4])
    m = n.op("MatMul", ["x", n.w("W1", 4, 6)], "m", name="hidden_matmul")
    m = n.op("Reshape", [m, n.const("shape", [2, 3], np.int64)], "matrix", name="as_matrix")
    n.op("ArgMax", [m], "classes", name="pick_rows", axis=0, keepdims=0)
    n.output("classes", [3], T.INT64)
    return n.model()


@refuse("ArgMax in the middle, its class multiplied by weights", "inner_pick", "ArgMax")
def argmax_middle(n):
    h = n.mlp(n.input("x", ["N", 4]))
    c = n.op("ArgMax", [h], "c", name="inner_pick", axis=1, keepdims=1)
    c = n.op("Cast", [c], "cf", name="as_float", to=T.FLOAT)
    n.op("MatMul", [c, n.w("W3", 1, 3)], "scores", name="after_pick")
    n.output("scores")
    return n.model()


@refuse("Softmax over the batch axis before ArgMax: every score becomes 1", "batch_probs", "Softmax")
def softmax_axis_0(n):
    h = n.mlp(n.input("x", ["N", 4]))
    n.argmax(n.op("Softmax", [h], "p", name="batch_probs", axis=0))
    return n.model()


@refuse("Dropout in training mode", "noisy", "Dropout")
def dropout_training(n):
    h = n.dense(n.input("x", ["N", 4]), 4, 4, 1, relu=True)
    n.op("Dropout", [h, n.const("ratio", 0.5), n.const("training", True, np.bool_)], "d", name="noisy")
    n.dense("d", 4, 3, 2)
    n.output("z2")
    return n.model()


@refuse("a batch fixed at 2", "pixels", "batch")
def batch_fixed_2(n):
    n.mlp(n.input("pixels", [2, 4]))
    n.output("z2", [2, 3])
    return n.model()


@refuse("Softmax over a single output: always 1", "certain", "Softmax", "Sigmoid")
def softmax_single(n):
    n.op("Softmax", [n.mlp(n.input("x", ["N", 4]), (4, 4, 1))], "one", name="certain", axis=1)
    n.output("one", ["N", 1])
    return n.model()


@refuse("Sigmoid over several outputs: several answers", "labels", "Sigmoid", "ArgMax")
def sigmoid_several(n):
    n.op("Sigmoid", [n.mlp(n.input("x", ["N", 4]))], "yes", name="labels")
    n.output("yes")
    return n.model()


@refuse("MatMul of [N, 4] with [5, 4]", "hidden_matmul", "MatMul")
def matmul_mismatch(n):
    return valid_mlp(n, values=n.values(5, 4)).model(check=False)


@refuse("Add of a bias of the wrong length", "hidden_bias", "Add")
def bias_mismatch(n):
    model = valid_mlp(n).model(check=False)
    tensor_of(model, "b1").CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), "b1"))
    return model


@refuse("Reshape of 6 values to [1, 4]", "bad_reshape", "Reshape")
def reshape_wrong_size(n):
    x = n.input("x", [1, 2, 3])
    n.op("Reshape", [x, n.const("shape", [1, 4], np.int64)], "f", name="bad_reshape")
    n.mlp("f")
    n.output("z2", [1, 3])
    return n.model(check=False)


@refuse("If, which holds graphs of its own", "branch", "If")
def if_branches(n):
    x = n.input("x", ["N", 4])
    arms = {}
    for arm, w in (("then", n.w("W1", 4, 4)), ("else", n.w("W2", 4, 4))):
        node = helper.make_node("MatMul", [x, w], [f"{arm}_out"], name=f"{arm}_matmul")
        out = helper.make_tensor_value_info(f"{arm}_out", T.FLOAT, ["N", 4])
        arms[f"{arm}_branch"] = helper.make_graph([node], arm, [], [out])
    n.op("If", [n.const("condition", True, np.bool_)], "h", name="branch", **arms)
    n.mlp("h", (4, 3), first=3)
    n.output("z3")
    return n.model()


@refuse("a NaN among the weights", "spoilt_weight", "NaN")
def weight_nan(n):
    w = n.values(4, 4)
    w[2, 1] = np.nan
    return valid_mlp(n, "spoilt_weight", w).model()


@refuse("an infinity among the weights", "spoilt_weight", "inf")
def weight_inf(n):
    w = n.values(4, 4)
    w[0, 3] = -np.inf
    return valid_mlp(n, "spoilt_weight", w).model()


@refuse("weights of strings", "text_weight")
def weight_strings(n):
    model = valid_mlp(n, "text_weight").model(check=False)
    t = tensor_of(model, "text_weight")
    t.Clear()
    t.name, t.data_type = "text_weight", T.STRING
    t.dims.extend([4, 4])
    t.string_data.extend([b"0.5"] * 16)
    return model


@refuse("weights of a data type that does not exist (200)", "odd_weight")
def weight_unknown_type(n):
    model = valid_mlp(n, "odd_weight").model(check=False)
    tensor_of(model, "odd_weight").data_type = 200
    return model


@refuse("complex weights", "complex_weight")
def weight_complex(n):
    model = valid_mlp(n, "complex_weight").model(check=False)
    tensor_of(model, "complex_weight").CopyFrom(numpy_helper.from_array(n.values(4, 4).astype(np.complex64), "complex_weight"))
    return model


@refuse("about 1 KB that claims an initializer of 2^40 elements", "huge_weight")
def weight_huge(n):
    model = valid_mlp(n, "huge_weight").model(check=False)
    t = tensor_of(model, "huge_weight")
    t.dims[:] = [2**20, 2**20]
    t.raw_data = bytes(600)
    return model


@refuse("dimensions whose product does not fit 64 bits", "overflowing_weight")
def weight_dims_overflow(n):
    model = valid_mlp(n, "overflowing_weight").model(check=False)
    tensor_of(model, "overflowing_weight").dims[:] = [2**33, 2**33]
    return model


@refuse("raw_data shorter than the dimensions say", "short_weight")
def weight_short(n):
    model = valid_mlp(n, "short_weight").model(check=False)
    t = tensor_of(model, "short_weight")
    t.raw_data = t.raw_data[:-6]
    return model


@refuse("raw_data longer than the dimensions say", "long_weight")
def weight_long(n):
    model = valid_mlp(n, "long_weight").model(check=False)
    t = tensor_of(model, "long_weight")
    t.raw_data = t.raw_data + bytes(8)
    return model


@refuse("float_data shorter than the dimensions say", "short_floats")
def weight_short_floats(n):
    model = valid_mlp(n, "short_floats").model(check=False)
    t = tensor_of(model, "short_floats")
    values = numpy_helper.to_array(t).flatten().tolist()
    t.ClearField("raw_data")
    t.float_data.extend(values[:-1])
    return model


@refuse("no data at all for a weight", "absent_weight")
def weight_without_data(n):
    model = valid_mlp(n, "absent_weight").model(check=False)
    tensor_of(model, "absent_weight").ClearField("raw_data")
    return model


@refuse("negative dimensions", "negative_weight")
def weight_negative_dims(n):
    model = valid_mlp(n, "negative_weight").model(check=False)
    tensor_of(model, "negative_weight").dims[:] = [-4, -4]
    return model


def external(n, name, location):
    model = valid_mlp(n, name).model(check=False)
    t = tensor_of(model, name)
    t.ClearField("raw_data")
    t.data_location = T.EXTERNAL
    t.external_data.add(key="location", value=location)
    return model


@refuse("external data in a file that is not there", "outside_weight", "no_such_file.bin")
def external_data_missing(n):
    return external(n, "outside_weight", "no_such_file.bin")


@refuse("external data outside the model's folder", "outside_weight")
def external_data_escapes(n):
    return external(n, "outside_weight", "../../../../../../../../etc/passwd")


@refuse("a node reads a name that nothing makes", "hidden_bias", "lost_bias")
def dangling_input(n):
    model = valid_mlp(n).model(check=False)
    model.graph.node[1].input[1] = "lost_bias"
    return model


@refuse("an op of a custom domain", "fancy_1", "FancyDense")
def custom_domain(n):
    valid_mlp(n)
    n.nodes[2] = helper.make_node("FancyDense", ["a1"], ["h"], name="fancy_1", domain="com.acme")
    model = n.model(check=False)
    model.opset_import.append(helper.make_opsetid("com.acme", 1))
    return model


@refuse("a Relu of a custom domain is not ONNX's Relu", "their_relu", "com.acme")
def custom_relu(n):
    valid_mlp(n)
    n.nodes[2] = helper.make_node("Relu", ["a1"], ["h"], name="their_relu", domain="com.acme")
    model = n.model(check=False)
    model.opset_import.append(helper.make_opsetid("com.acme", 1))
    return model


@refuse("two nodes that read each other", "loop_")
def cycle(n):
    valid_mlp(n)
    n.nodes[1:3] = [
        helper.make_node("Add", ["m1", "h"], ["a1"], name="loop_add"),
        helper.make_node("Relu", ["a1"], ["h"], name="loop_relu"),
    ]
    return n.model(check=False)


@refuse("a node that reads its own output", "self_add")
def self_loop(n):
    valid_mlp(n)
    n.nodes[1] = helper.make_node("Add", ["m1", "a1"], ["a1"], name="self_add")
    return n.model(check=False)


@refuse("a graph without nodes", "scores")
def empty_graph(n):
    n.input("x", ["N", 3])
    n.output("scores")
    return n.model(check=False)


@refuse("a model without a graph", "graph")
def no_graph(n):
    model = valid_mlp(n).model(check=False)
    model.ClearField("graph")
    return model


@refuse("a graph without an output", "output")
def no_output(n):
    model = valid_mlp(n).model(check=False)
    del model.graph.output[:]
    return model


@refuse("a graph without an input", "input")
def no_input(n):
    valid_mlp(n)
    n.ins = []
    n.nodes[0].input[0] = n.const("fixed", np.ones((1, 4)))
    return n.model(check=False)


@refuse("an output that no node makes", "ghost_scores")
def output_not_made(n):
    model = valid_mlp(n).model(check=False)
    model.graph.output[0].name = "ghost_scores"
    return model


@refuse("two nodes that make the same output", "made_twice")
def duplicate_output(n):
    model = valid_mlp(n).model(check=False)
    model.graph.node[0].output[0] = "made_twice"
    model.graph.node[1].input[0] = "made_twice"
    model.graph.node[1].output[0] = "made_twice"
    model.graph.node[2].input[0] = "made_twice"
    return model


@refuse("a node that makes the name of an initializer", "taken_name")
def output_shadows_initializer(n):
    model = valid_mlp(n, "taken_name").model(check=False)
    model.graph.node[1].output[0] = "taken_name"
    model.graph.node[2].input[0] = "taken_name"
    return model


@refuse("two initializers of the same name", "named_twice")
def duplicate_initializer(n):
    model = valid_mlp(n, "named_twice").model(check=False)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((4, 4), np.float32), "named_twice"))
    return model


@refuse("MatMul with one input", "lonely_matmul", "MatMul")
def missing_operand(n):
    model = valid_mlp(n).model(check=False)
    model.graph.node[3].name = "lonely_matmul"
    del model.graph.node[3].input[1:]
    return model


@refuse("opset 99", "opset", "99")
def opset_99(n):
    model = valid_mlp(n).model(check=False)
    model.opset_import[0].version = 99
    return model


@refuse("no opset import", "opset")
def no_opset(n):
    model = valid_mlp(n).model(check=False)
    del model.opset_import[:]
    return model


@refuse("an int64 input that is multiplied by float weights without a Cast", "int64")
def mixed_types(n):
    valid_mlp(n)
    n.ins[0].type.tensor_type.elem_type = T.INT64
    return n.model(check=False)


@refuse("a protobuf cut in the middle of its weights")
def truncated(n):
    data = valid_mlp(n).model().SerializeToString(deterministic=True)
    return data[: len(data) * 2 // 3]


@refuse("random bytes")
def random_bytes(n):
    return n.rng.bytes(512)


@refuse("an empty file", "empty")
def empty_file(n):
    return b""


@refuse("a text file")
def text_file(n):
    return b"<!DOCTYPE html><html><body>404: Not Found</body></html>\n"


@refuse("a length prefix that claims 2^60 bytes")
def huge_length_prefix(n):
    data = valid_mlp(n).model().SerializeToString(deterministic=True)
    return data + b"\x3a" + b"\x80" * 8 + b"\x10"  # field 7 (graph), its length 2^60


@refuse("600 messages inside each other")
def deeply_nested(n):
    def field(number, body):
        length, prefix = len(body), b""
        while length > 127:
            prefix, length = prefix + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + prefix + bytes([length]) + body

    graph = b""
    for _ in range(200):  # a graph in an attribute of a node of a graph
        graph = field(1, field(5, field(6, graph)))
    return b"\x08\x08" + field(7, graph) + field(8, b"\x10\x11")


# ---------------------------------------------------------------- writing

def number(v):
    return repr(int(v)) if float(v).is_integer() and abs(v) < 1e15 else repr(float(v))


def make(out: Path) -> None:
    for sub in ("accept", "refuse"):
        shutil.rmtree(out / sub, ignore_errors=True)
        (out / sub).mkdir(parents=True)
    for name, (_, about, _) in ACCEPT.items():
        data, rows, answers = pick_rows(name)
        key = "values" if isinstance(answers[0], float) else "classes"
        (out / "accept" / f"{name}.onnx").write_bytes(data)
        body = ",\n    ".join("[" + ", ".join(map(number, row)) + "]" for row in rows)
        (out / "accept" / f"{name}.json").write_text(
            f'{{\n  "about": {json.dumps(about)},\n  "inputs": [\n    {body}\n  ],\n  "{key}": {json.dumps(answers)}\n}}\n')
    for name, (function, about, mentions) in REFUSE.items():
        made = function(Net(np.random.default_rng(zlib.crc32(name.encode()))))
        data = made if isinstance(made, bytes) else made.SerializeToString(deterministic=True)
        if isinstance(made, bytes) and made and name not in ("deeply_nested",):
            try:
                onnx.ModelProto.FromString(made)
            except Exception:
                pass
            else:
                raise SystemExit(f"{name}: these bytes are a protobuf after all")
        (out / "refuse" / f"{name}.onnx").write_bytes(data)
        (out / "refuse" / f"{name}.json").write_text(json.dumps({"about": about, "mentions": mentions}, indent=2) + "\n")


def check(out: Path, verbose: bool) -> None:
    rows = ties = bad = 0
    sizes = []
    for path in sorted((out / "accept").glob("*.json")):
        side = json.loads(path.read_text())
        data = path.with_suffix(".onnx").read_bytes()
        model = onnx.ModelProto.FromString(data)
        (inp,) = [i for i in model.graph.input if i.name == "x"]
        shape = [d.dim_value if d.HasField("dim_value") else 1 for d in inp.type.tensor_type.shape.dim]
        dtype = NP[inp.type.tensor_type.elem_type]
        session = session_of(data)
        got = [run_onnxruntime(session, row, shape, dtype, end_of(model)) for row in side["inputs"]]
        margins = [evaluate(model, row, shape, dtype, same, same)[1] for row in side["inputs"]]
        ok = got == side.get("classes", side.get("values")) and all(safe(model, r, shape, dtype, c) for r, c in zip(side["inputs"], got))
        limit = 255 if dtype == np.uint8 else 8
        ok = ok and all(len(r) == int(np.prod(shape)) and max(map(abs, r)) <= limit for r in side["inputs"])
        bad += not ok
        rows += len(got)
        ties += sum(m == 0 for m in margins)
        sizes.append(len(data))
        missed = [w for w, at in killed(model, side["inputs"], got, shape, dtype).items() if not at] if verbose else []
        if verbose or not ok:
            least = min([float(m) for m in margins if m] or [0])
            shown = f"values {min(got)} to {max(got)}" if "values" in side else f"classes {np.bincount(got).tolist()}"
            print(f"accept {path.stem:32} {len(data):5} bytes  {len(got):2} rows  {shown}"
                  f"  ties {sum(m == 0 for m in margins)}  least margin {least:.4g}"
                  f"{'  unseen: ' + ', '.join(missed) if missed else ''}{'' if ok else '  WRONG'}")
    print(f"accept: {len(sizes)} cases, {rows} rows ({ties} exact ties), {min(sizes)} to {max(sizes)} bytes; {bad} wrong")
    sizes, refused = [], 0
    for path in sorted((out / "refuse").glob("*.json")):
        data = path.with_suffix(".onnx").read_bytes()
        sizes.append(len(data))
        try:
            session_of(data)
            said = "loads"
        except Exception as e:
            said, refused = "refuses: " + " ".join(str(e).split())[:110], refused + 1
        if verbose:
            print(f"refuse {path.stem:32} {len(data):5} bytes  mentions {json.loads(path.read_text())['mentions']}  onnxruntime {said}")
    print(f"refuse: {len(sizes)} cases, {min(sizes)} to {max(sizes)} bytes; onnxruntime itself refuses {refused} of them")
    if bad:
        raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "frontend", metavar="DIR", help="where to write (default: tests/frontend)")
    parser.add_argument("--check", action="store_true", help="only check what is there against onnxruntime")
    parser.add_argument("--verbose", action="store_true", help="print a line for every case")
    args = parser.parse_args()
    if not args.check:
        make(args.out)
    check(args.out, args.verbose)


if __name__ == "__main__":
    main()
