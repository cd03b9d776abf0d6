"""One small network for each form of each operator. See README.md."""

import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper

import fixture

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "operators"
SHAPE = [1, 4, 6, 8]
TYPES = {"B": TensorProto.BOOL, "I": TensorProto.INT64, "F": TensorProto.FLOAT}
random = numpy.random.default_rng(7)
written = set()


def numbers(*shape, least=-1.0, greatest=1.0):
    return random.uniform(least, greatest, shape).astype(numpy.float32)


def whole(*values):
    return numpy.array(values, dtype=numpy.int64)


def scalar(value, kind=numpy.float32):
    return numpy.array(value, dtype=kind)


def case(name, operator, *inputs, opset=17, shape=SHAPE, before=(), after=(), gives="F", least=-2.0,
         greatest=2.0, outputs=("y",), **attributes):
    """Applies an operator to inputs: "x" and other names, or weights. `before` and `after` are more nodes."""
    name = f"{operator}-{name}"
    assert name not in written, name
    written.add(name)
    weights, names = {}, []
    for index, given in enumerate(inputs or ["x"]):
        if isinstance(given, str):
            names.append(given)
        else:
            weights[f"w{index}"] = numpy.asarray(given)
            names.append(f"w{index}")
    nodes = []
    for made in before:
        node, more = made
        nodes.append(node)
        weights.update(more)
    nodes.append(helper.make_node(operator, names, list(outputs), name=operator.lower(), **attributes))
    for made in after:
        node, more = made
        nodes.append(node)
        weights.update(more)
    model = fixture.network(nodes, weights, shape, opset, TYPES[gives])
    picture = numbers(*shape, least=least, greatest=greatest)
    if gives != "F":
        del model.graph.output[0].type.tensor_type.shape.dim[:]
    fixture.write(FOLDER, name, model, picture)


def node(operator, inputs, output, weights=None, **attributes):
    """A node of `before` or `after`."""
    return helper.make_node(operator, inputs, [output], name=f"{operator.lower()}_{output}", **attributes), weights or {}


def activations():
    for name in ["Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "HardSwish", "Erf", "Abs", "Neg", "Ceil",
                 "Floor", "Round", "Sign", "Sin", "Cos", "Exp"]:
        case("plain", name, least=-4.0, greatest=4.0)
    case("plain", "Mish", opset=18)
    for name in ["Log", "Sqrt", "Reciprocal"]:
        case("plain", name, least=0.1, greatest=9.0)
    case("halves", "Round", "h", before=[node("Floor", ["x"], "f"), node("Add", ["f", "half"], "h", {"half": scalar(0.5)})])
    case("none", "Gelu", opset=20)
    case("tanh", "Gelu", opset=20, approximate="tanh")
    case("default", "LeakyRelu")
    case("slope", "LeakyRelu", alpha=0.3)
    case("leaky-yolo", "LeakyRelu", alpha=0.1, opset=9)
    case("default", "HardSigmoid", least=-5.0, greatest=5.0)
    case("sixth", "HardSigmoid", alpha=1 / 6, beta=0.5, least=-5.0, greatest=5.0)
    case("default", "Elu")
    case("alpha", "Elu", alpha=0.5)
    case("default", "Selu")
    case("alpha", "Selu", alpha=1.5, gamma=1.2)
    case("default", "Celu")
    case("alpha", "Celu", alpha=0.7)
    case("default", "ThresholdedRelu")
    case("alpha", "Swish", opset=24, alpha=1.3)
    case("channel", "PRelu", "x", numbers(4, 1, 1))
    case("one", "PRelu", "x", numbers(1))
    case("each", "PRelu", "x", numbers(4, 6, 8))
    case("attributes", "Clip", opset=7, min=-0.5, max=1.0)
    case("attribute-max", "Clip", opset=7, max=1.0)
    case("inputs", "Clip", "x", scalar(0.0), scalar(1.5))
    case("min-only", "Clip", "x", scalar(-0.25))
    case("max-only", "Clip", "x", "", scalar(0.25), opset=13)
    case("constants", "Clip", "x", "low", "high", before=[
        (helper.make_node("Constant", [], ["low"], value=numpy_helper.from_array(scalar(0.0))), {}),
        (helper.make_node("Constant", [], ["high"], value_float=1.0), {})])
    case("neither", "Clip", "x")


def arithmetic():
    other = [node("Mul", ["x", "factor"], "other", {"factor": numbers(1, 4, 1, 8)})]
    positive = [node("Abs", ["x"], "a"), node("Add", ["a", "one"], "p", {"one": scalar(1.0)})]
    for name in ["Add", "Sub", "Mul", "Div"]:
        case("values", name, "x", "other", before=other)
        case("scalar", name, "x", scalar(1.7))
        case("channel", name, numbers(4, 1, 1, least=0.5, greatest=2.0), "x" if name != "Div" else "p",
             before=positive if name == "Div" else ())
    case("opset7", "Add", "x", numbers(4, 1, 1), opset=7)
    case("itself", "Add", "x", "x")
    case("twice", "Mul", "x", "s", before=[node("Sigmoid", ["x"], "s")])
    case("square", "Pow", "x", scalar(2.0))
    case("cube", "Pow", "x", scalar(3.0))
    case("root", "Pow", "p", scalar(0.5), before=positive)
    case("third", "Pow", "p", scalar(0.3), before=positive)
    case("negative", "Pow", "p", scalar(-1.0), before=positive)
    case("tensor", "Pow", "p", numbers(1, 4, 1, 1), before=positive)
    case("whole-exponent", "Pow", "x", scalar(2, numpy.int64), opset=15)
    for name in ["Max", "Min", "Sum", "Mean"]:
        case("two", name, "x", "other", before=other)
        case("three", name, "x", "other", numbers(1, 4, 6, 8), before=other)
        case("broadcast", name, "x", numbers(8), numbers(4, 1, 1))
    case("one", "Max", "x")
    for name in ["Greater", "Less", "Equal"]:
        case("values", name, "r", "o", gives="B", before=[
            node("Round", ["x"], "r"), *other, node("Round", ["other"], "o")])
    case("scalar", "GreaterOrEqual", "x", scalar(0.2), gives="B")
    case("scalar", "LessOrEqual", "x", scalar(0.2), gives="B")
    truth = [node("Greater", ["x", "zero"], "a", {"zero": scalar(0.0)}), node("Less", ["x", "one"], "b", {"one": scalar(1.0)})]
    for name in ["And", "Or", "Xor"]:
        case("values", name, "a", "b", gives="B", before=truth)
    case("value", "Not", "a", gives="B", before=truth[:1])
    case("values", "Where", "a", "x", "other", before=[*truth[:1], *other])
    case("constant", "Where", "a", "x", scalar(-3.0), before=truth[:1])
    case("mask", "Where", random.integers(0, 2, (1, 1, 6, 8)).astype(bool), "x", scalar(0.0))
    case("channel", "Where", "a", numbers(4, 1, 1), "x", before=truth[:1])
    case("floats", "Mod", "x", scalar(0.7), fmod=1)
    case("whole", "Mod", "i", whole(3), gives="I", before=[
        node("Mul", ["x", "ten"], "s", {"ten": scalar(10.0)}), node("Cast", ["s"], "i", to=TensorProto.INT64)])
    case("whole-division", "Div", "i", whole(3), gives="I", before=[
        node("Mul", ["x", "ten"], "s", {"ten": scalar(10.0)}), node("Cast", ["s"], "i", to=TensorProto.INT64)])
    case("to-whole", "Cast", "s", gives="I", to=TensorProto.INT64, before=[node("Mul", ["x", "ten"], "s", {"ten": scalar(10.0)})])
    case("to-truth", "Cast", "r", gives="B", to=TensorProto.BOOL, before=[node("Round", ["x"], "r")])
    case("truth-to-float", "Cast", "a", to=TensorProto.FLOAT, before=truth[:1])
    case("like", "CastLike", "a", scalar(0.0), before=truth[:1])


def convolutions():
    case("plain", "Conv", "x", numbers(5, 4, 3, 3))
    case("bias", "Conv", "x", numbers(5, 4, 3, 3), numbers(5), pads=[1, 1, 1, 1])
    case("point", "Conv", "x", numbers(6, 4, 1, 1), numbers(6))
    case("stride", "Conv", "x", numbers(5, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    case("depthwise", "Conv", "x", numbers(4, 1, 3, 3), numbers(4), group=4, pads=[1, 1, 1, 1])
    case("depthwise-double", "Conv", "x", numbers(8, 1, 3, 3), numbers(8), group=4)
    case("groups", "Conv", "x", numbers(6, 2, 3, 3), numbers(6), group=2, kernel_shape=[3, 3])
    case("dilation", "Conv", "x", numbers(3, 4, 2, 3), dilations=[2, 3])
    case("uneven-pads", "Conv", "x", numbers(3, 4, 3, 3), pads=[0, 1, 2, 3])
    case("rectangle", "Conv", "x", numbers(3, 4, 1, 7), pads=[0, 3, 0, 3], strides=[2, 1])
    case("same-upper", "Conv", "x", numbers(3, 4, 4, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    case("same-lower", "Conv", "x", numbers(3, 4, 4, 3), auto_pad="SAME_LOWER", strides=[1, 2])
    case("valid", "Conv", "x", numbers(3, 4, 3, 3), auto_pad="VALID")
    case("patches", "Conv", "x", numbers(5, 3, 4, 4), numbers(5), strides=[4, 4], shape=[1, 3, 8, 8])
    line = [node("Reshape", ["x", "to"], "l", {"to": whole(0, 0, -1)})]
    case("line", "Conv", "l", numbers(3, 4, 5), numbers(3), before=line, pads=[2, 2], strides=[2])
    case("line-dilation", "Conv", "l", numbers(4, 1, 3), before=line, group=4, dilations=[4], pads=[1, 3])
    case("normalised", "Conv", "x", numbers(5, 4, 3, 3), outputs=["c"], after=[node(
        "BatchNormalization", ["c", "g", "b", "m", "v"], "y",
        {"g": numbers(5), "b": numbers(5), "m": numbers(5), "v": numbers(5, least=0.5)})])
    # Read by another node first: the normalisation must not be folded into the convolution.
    case("read-twice", "Conv", "x", numbers(5, 4, 3, 3), outputs=["c"], after=[
        node("Sigmoid", ["c"], "s"),
        node("BatchNormalization", ["c", "g", "b", "m", "v"], "n",
             {"g": numbers(5), "b": numbers(5), "m": numbers(5), "v": numbers(5, least=0.5)}),
        node("Mul", ["n", "s"], "y")])
    case("plain", "ConvTranspose", "x", numbers(4, 3, 3, 3), numbers(3))
    case("double", "ConvTranspose", "x", numbers(4, 3, 2, 2), numbers(3), strides=[2, 2])
    case("pads", "ConvTranspose", "x", numbers(4, 3, 4, 4), strides=[2, 2], pads=[1, 1, 1, 1])
    case("uneven-pads", "ConvTranspose", "x", numbers(4, 3, 4, 4), strides=[2, 2], pads=[0, 1, 2, 1])
    case("output-padding", "ConvTranspose", "x", numbers(4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    case("groups", "ConvTranspose", "x", numbers(4, 2, 3, 3), group=2)
    case("dilation", "ConvTranspose", "x", numbers(4, 3, 2, 2), dilations=[2, 2])
    case("output-shape", "ConvTranspose", "x", numbers(4, 3, 3, 3), strides=[2, 2], output_shape=[13, 16])
    case("line", "ConvTranspose", "l", numbers(4, 3, 4), before=line, strides=[2], pads=[1, 1])


def pooling():
    for name, more in [("MaxPool", {}), ("AveragePool", {})]:
        case("plain", name, kernel_shape=[2, 2], strides=[2, 2])
        case("overlap", name, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        case("stride1", name, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        case("uneven-pads", name, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
        case("ceil", name, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, opset=11)
        case("ceil-pads", name, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, shape=[1, 2, 7, 8], opset=11)
        case("ceil-drops", name, kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1, shape=[1, 2, 5, 8])
        case("same-upper", name, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER", shape=[1, 2, 7, 5])
        case("same-lower", name, kernel_shape=[2, 2], auto_pad="SAME_LOWER")
        case("line", name, "l", kernel_shape=[3], strides=[2], before=[node("Reshape", ["x", "to"], "l", {"to": whole(0, 0, -1)})])
        case("rectangle", name, kernel_shape=[1, 4], strides=[1, 3])
        case("wide-pads", name, kernel_shape=[5, 5], pads=[2, 2, 2, 2], strides=[1, 1])
    case("dilation", "MaxPool", kernel_shape=[2, 2], dilations=[2, 2])
    case("counted", "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    case("counted-uneven", "AveragePool", kernel_shape=[3, 3], pads=[0, 1, 2, 1], count_include_pad=1)
    case("counted-ceil", "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1,
         ceil_mode=1, shape=[1, 2, 7, 8], opset=19)
    case("inception", "AveragePool", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=1, opset=10)
    for name in ["GlobalAveragePool", "GlobalMaxPool"]:
        case("plane", name)
        case("line", name, "l", before=[node("Reshape", ["x", "to"], "l", {"to": whole(0, 0, -1)})])


def normalisations():
    channel = lambda: (numbers(4), numbers(4))
    case("plain", "BatchNormalization", "x", *channel(), numbers(4), numbers(4, least=0.1))
    case("epsilon", "BatchNormalization", "x", *channel(), numbers(4), numbers(4, least=0.1), epsilon=1e-3, opset=9)
    case("vectors", "BatchNormalization", "v", numbers(192), numbers(192), numbers(192), numbers(192, least=0.1),
         before=[node("Flatten", ["x"], "v")])
    case("plain", "InstanceNormalization", "x", *channel())
    case("epsilon", "InstanceNormalization", "x", *channel(), epsilon=1e-2)
    case("last", "LayerNormalization", "x", numbers(8), numbers(8))
    case("no-shift", "LayerNormalization", "x", numbers(8), epsilon=1e-6)
    case("two-axes", "LayerNormalization", "x", numbers(6, 8), numbers(6, 8), axis=-2)
    case("all", "LayerNormalization", "x", numbers(4, 6, 8), numbers(4, 6, 8), axis=1)
    case("groups", "GroupNormalization", "x", numbers(2), numbers(2), num_groups=2, opset=18)
    case("channels", "GroupNormalization", "x", *channel(), num_groups=2, opset=21)
    case("one", "GroupNormalization", "x", *channel(), num_groups=1, opset=22)
    case("plain", "LRN", size=3)
    case("alexnet", "LRN", size=5, alpha=1e-2, beta=0.6, bias=2.0, shape=[1, 7, 3, 3])
    case("two", "LpNormalization", axis=1)
    case("one", "LpNormalization", axis=-1, p=1)
    for name in ["Softmax", "LogSoftmax"]:
        case("default", name)
        case("channels", name, axis=1)
        case("minus-two", name, axis=-2)
        case("old-default", name, opset=11)
        case("old-axis", name, opset=11, axis=2)
        case("old-last", name, opset=9, axis=3)


def matrices():
    tokens = [node("Reshape", ["x", "to"], "t", {"to": whole(1, 4, 48)})]
    rows = [node("Flatten", ["x"], "r")]
    case("weights", "MatMul", "t", numbers(48, 5), before=tokens)
    case("bias", "MatMul", "t", numbers(48, 5), before=tokens, outputs=["m"], after=[node("Add", ["m", "b"], "y", {"b": numbers(5)})])
    case("bias-first", "MatMul", "t", numbers(48, 5), before=tokens, outputs=["m"], after=[node("Add", ["b", "m"], "y", {"b": numbers(5)})])
    case("bias-one", "MatMul", "t", numbers(48, 5), before=tokens, outputs=["m"], after=[node("Add", ["m", "b"], "y", {"b": numbers(1)})])
    case("read-twice", "MatMul", "t", numbers(48, 5), before=tokens, outputs=["m"], after=[
        node("Sigmoid", ["m"], "s"), node("Add", ["m", "b"], "n", {"b": numbers(5)}), node("Mul", ["n", "s"], "y")])
    case("planes", "MatMul", "x", "turned", before=[node("Transpose", ["x"], "turned", perm=[0, 1, 3, 2])])
    case("broadcast", "MatMul", numbers(3, 6), "x")
    case("weights-planes", "MatMul", "x", numbers(4, 8, 3))
    case("linear", "Gemm", "r", numbers(5, 192), numbers(5), transB=1, before=rows)
    case("explicit", "Gemm", "r", numbers(5, 192), numbers(5), transB=1, alpha=1.0, beta=1.0, transA=0, before=rows)
    case("plain", "Gemm", "r", numbers(192, 5), before=rows)
    case("bias-row", "Gemm", "r", numbers(192, 5), numbers(1, 5), before=rows)
    case("bias-scalar", "Gemm", "r", numbers(192, 5), scalar(0.3), before=rows)
    case("factors", "Gemm", "r", numbers(192, 5), numbers(5), alpha=0.5, beta=2.0, before=rows)
    case("turned", "Gemm", "c", numbers(192, 5), transA=1, before=[*rows, node("Transpose", ["r"], "c")])
    case("opset7", "Gemm", "r", numbers(5, 192), numbers(5), transB=1, opset=7, before=rows)
    windows = [node("Reshape", ["x", "to"], "a", {"to": whole(1, 4, 6, 8)}), node("Mul", ["x", "f"], "b", {"f": numbers(8)})]
    case("scores", "Einsum", "a", "b", equation="bhid,bhjd->bhij", before=windows)
    case("attend", "Einsum", "a", "b", equation="bhid, bhie -> bhde", before=windows)
    case("weights", "Einsum", "a", numbers(8, 5), equation="bhid,de->bhie", before=windows[:1])
    case("letters", "Einsum", "a", "b", equation="BGID,BGJD->BGIJ", before=windows)


def shapes():
    case("minus", "Reshape", "x", whole(1, -1))
    case("zeros", "Reshape", "x", whole(0, 0, -1))
    case("six", "Reshape", "x", whole(1, 2, 2, 3, 2, 8))
    case("allowzero", "Reshape", "x", whole(1, 4, 48), allowzero=1)
    case("computed", "Reshape", "x", "to", before=[
        (helper.make_node("Shape", ["x"], ["s"]), {}),
        (helper.make_node("Gather", ["s", "zero"], ["n"]), {"zero": scalar(0, numpy.int64)}),
        (helper.make_node("Unsqueeze", ["n", "front"], ["nu"]), {"front": whole(0)}),
        (helper.make_node("Concat", ["nu", "rest"], ["to"], axis=0), {"rest": whole(-1)})])
    case("default", "Flatten")
    case("zero", "Flatten", axis=0)
    case("two", "Flatten", axis=2)
    case("minus-one", "Flatten", axis=-1, opset=13)
    case("turn", "Transpose", perm=[0, 2, 3, 1])
    case("reversed", "Transpose")
    case("axes", "Unsqueeze", "x", whole(1, -1))
    case("attribute", "Unsqueeze", axes=[0, 2], opset=11)
    pooled = [node("GlobalAveragePool", ["x"], "p")]
    case("axes", "Squeeze", "p", whole(2, 3), before=pooled)
    case("attribute", "Squeeze", "p", axes=[3, 2], opset=11, before=pooled)
    case("all", "Squeeze", "p", before=pooled)
    case("grow", "Expand", "p", whole(1, 4, 6, 8), before=pooled)
    case("more-axes", "Expand", "x", whole(2, 1, 1, 1, 1))
    case("same", "Expand", "x", whole(1, 1, 1, 1))
    case("repeat", "Tile", "x", whole(1, 2, 1, 3))
    case("channels", "Concat", "x", "n", axis=1, before=[node("Neg", ["x"], "n")])
    case("last", "Concat", "x", "n", "x", axis=-1, before=[node("Neg", ["x"], "n")])
    case("constant", "Concat", numbers(1, 2, 6, 8), "x", axis=1)
    case("class-token", "Concat", "e", "t", axis=1, before=[
        node("Reshape", ["x", "to"], "t", {"to": whole(0, 4, 48)}),
        (helper.make_node("Shape", ["t"], ["s"]), {}),
        (helper.make_node("Gather", ["s", "zero"], ["n"]), {"zero": scalar(0, numpy.int64)}),
        (helper.make_node("Unsqueeze", ["n", "front"], ["nu"]), {"front": whole(0)}),
        (helper.make_node("Concat", ["nu", "rest"], ["want"], axis=0), {"rest": whole(-1, -1)}),
        (helper.make_node("ConstantOfShape", ["rank"], ["ones"], value=numpy_helper.from_array(whole(1))), {"rank": whole(3)}),
        (helper.make_node("Mul", ["ones", "minus"], ["minuses"]), {"minus": scalar(-1, numpy.int64)}),
        (helper.make_node("Equal", ["want", "minuses"], ["keep"]), {}),
        (helper.make_node("Where", ["keep", "ones", "want"], ["shape"]), {}),
        (helper.make_node("Expand", ["token", "shape"], ["e"]), {"token": numbers(1, 1, 48)})])
    case("columns", "DepthToSpace", blocksize=2)
    case("rows", "DepthToSpace", blocksize=2, mode="CRD", opset=11)
    case("two", "SpaceToDepth", blocksize=2)
    case("shuffle", "Transpose", "g", perm=[0, 2, 1, 3, 4], outputs=["t"],
         before=[node("Reshape", ["x", "to"], "g", {"to": whole(0, 2, 2, 6, 8)})],
         after=[node("Reshape", ["t", "back"], "y", {"back": whole(0, -1, 6, 8)})])
    case("plain", "Identity", outputs=["i"], after=[node("Relu", ["i"], "y")])
    case("plain", "Dropout", outputs=["i"], after=[node("Relu", ["i"], "y")])
    case("old", "Dropout", outputs=["i"], opset=7, after=[node("Relu", ["i"], "y")])


def selections():
    case("inputs", "Slice", "x", whole(1), whole(3), whole(1))
    case("negative", "Slice", "x", whole(-3, 0), whole(9223372036854775807, -1), whole(-1, 2))
    case("steps", "Slice", "x", whole(0, 1), whole(100, 100), whole(2, 3), whole(2, 3))
    case("backwards", "Slice", "x", whole(-1), whole(-9223372036854775808), whole(3), whole(-1))
    case("backwards-steps", "Slice", "x", whole(6), whole(0), whole(3), whole(-2))
    case("attributes", "Slice", opset=9, starts=[0, 1], ends=[2, 6], axes=[1, 2])
    case("attributes-no-axes", "Slice", opset=7, starts=[0, 1], ends=[1, 3])
    case("no-axes", "Slice", "x", whole(0, 1, 2), whole(1, 4, 5))
    focus = [(helper.make_node("Slice", ["x", "s0", "e", "a", "two"], ["even"]), {"s0": whole(0), "e": whole(9223372036854775807), "a": whole(2), "two": whole(2)})]
    case("focus", "Slice", "x", whole(1), whole(9223372036854775807), whole(2), whole(2), outputs=["odd"], before=focus,
         after=[(helper.make_node("Concat", ["even", "odd"], ["y"], axis=1), {})])
    joined = lambda *parts: [(helper.make_node("Concat", list(parts), ["y"], axis=1), {})]
    case("halves", "Split", axis=1, outputs=["a", "b"], opset=13, after=joined("b", "a"))
    case("lengths", "Split", "x", whole(1, 3), axis=1, outputs=["a", "b"], after=joined("b", "a"))
    case("attribute", "Split", axis=1, split=[1, 2, 1], outputs=["a", "b", "c"], opset=11, after=joined("c", "a", "b"))
    case("num-outputs", "Split", axis=-1, num_outputs=3, outputs=["a", "b", "c"], opset=18,
         after=[(helper.make_node("Concat", ["c", "b", "a"], ["y"], axis=3), {})])
    case("unread", "Split", "x", whole(1, 2, 1), axis=1, outputs=["a", "b", "c"],
         after=[(helper.make_node("Mul", ["a", "c"], ["y"]), {})])
    case("uneven-reads", "Split", "x", whole(2, 2), axis=1, outputs=["a", "b"], after=[
        node("Relu", ["a"], "r"), node("Sigmoid", ["b"], "s"), node("Add", ["r", "s"], "t"), node("Mul", ["t", "a"], "y")])
    case("scalar", "Gather", "x", scalar(2, numpy.int64), axis=1)
    case("many", "Gather", "x", whole(3, 0, -1), axis=3)
    case("run", "Gather", "x", whole(1, 2), axis=2)
    case("square", "Gather", "x", numpy.array([[0, 5], [2, 2]]), axis=2)
    case("elements", "GatherElements", "x", random.integers(-6, 6, (1, 4, 3, 8)), axis=2)
    case("pairs", "GatherND", "x", numpy.array([[[0, 1], [0, -1]], [[0, 0], [0, 2]]]))
    case("pooling", "GatherND", "t", numpy.array([[[[1, 0]], [[5, 7]]]]), before=[node("Transpose", ["x"], "t", perm=[2, 3, 0, 1])])
    case("rows", "ScatterND", "x", numpy.array([[0, 1], [0, 3]]), numbers(2, 6, 8))
    case("attributes", "Pad", opset=7, pads=[0, 0, 1, 2, 0, 0, 3, 0], value=0.5)
    case("inputs", "Pad", "x", whole(0, 0, 1, 2, 0, 0, 3, 0), scalar(1.5))
    case("channels", "Pad", "x", whole(0, 2, 0, 0, 0, 1, 0, 0))
    case("reflect", "Pad", "x", whole(0, 0, 1, 2, 0, 0, 3, 0), mode="reflect")
    case("edge", "Pad", "x", whole(0, 0, 1, 2, 0, 0, 3, 0), mode="edge")
    case("negative", "Pad", "x", whole(0, 0, -1, 1, 0, 0, 2, -3))
    case("axes", "Pad", "x", whole(1, 2, 3, 0), scalar(0.0), whole(3, 2), opset=18)
    case("axis", "ArgMax", axis=1, gives="I")
    case("no-keep", "ArgMax", axis=-1, keepdims=0, gives="I")
    case("axis", "ArgMin", axis=2, gives="I")
    case("values", "TopK", "x", whole(3), axis=-1, outputs=["y", "i"])
    case("smallest", "TopK", "x", whole(2), axis=1, largest=0, outputs=["y", "i"])
    case("indices", "TopK", "x", whole(2), axis=2, outputs=["v", "i"], gives="F", after=[
        node("Cast", ["i"], "f", to=TensorProto.FLOAT), node("Add", ["f", "v"], "y")])
    case("sum", "CumSum", "x", scalar(3, numpy.int64))


def reductions():
    for name in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
                 "ReduceProd", "ReduceLogSumExp"]:
        case("input-keep", name, "x", whole(2, 3), opset=18)
        case("input", name, "x", whole(-1), keepdims=0, opset=18)
        if name != "ReduceSum":
            case("attribute-keep", name, axes=[2, 3], opset=13)
            case("attribute", name, axes=[-1, 1], keepdims=0, opset=11)
        else:
            case("attribute", name, axes=[1], keepdims=0, opset=11)
        case("all", name, opset=18)
    case("positive", "ReduceLogSum", "a", whole(1), opset=18, before=[node("Exp", ["x"], "a")])
    case("noop", "ReduceSum", "a", opset=18, noop_with_empty_axes=1, before=[node("Exp", ["x"], "a")])


def resizing():
    scales = lambda h, w: numpy.array([1, 1, h, w], dtype=numpy.float32)
    none = numpy.array([], dtype=numpy.float32)
    small = {"shape": [1, 2, 4, 5]}
    case("double", "Resize", "x", "", scales(2, 2), mode="nearest", coordinate_transformation_mode="asymmetric",
         nearest_mode="floor", **small)
    case("roi-empty", "Resize", "x", none, scales(2, 2), mode="nearest", coordinate_transformation_mode="asymmetric",
         nearest_mode="floor", opset=11, **small)
    case("sizes", "Resize", "x", "", "", whole(1, 2, 7, 9), mode="nearest", **small)
    case("half", "Resize", "x", "", scales(0.5, 0.6), mode="nearest", **small)
    for mode in ["round_prefer_ceil", "ceil", "floor", "round_prefer_floor"]:
        case(f"nearest-{mode}", "Resize", "x", "", scales(1.5, 2.5), mode="nearest", nearest_mode=mode, **small)
    for mode in ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]:
        opset = 19 if mode == "half_pixel_symmetric" else 17
        case(f"linear-{mode}", "Resize", "x", "", scales(2, 1.7), mode="linear", coordinate_transformation_mode=mode,
             opset=opset, **small)
        case(f"cubic-{mode}", "Resize", "x", "", scales(2, 1.7), mode="cubic", coordinate_transformation_mode=mode,
             opset=opset, **small)
    case("linear-sizes", "Resize", "x", "", "", whole(1, 2, 8, 10), mode="linear", **small)
    case("linear-down", "Resize", "x", "", "", whole(1, 2, 2, 3), mode="linear", **small)
    case("linear-to-one", "Resize", "x", "", "", whole(1, 2, 1, 1), mode="linear",
         coordinate_transformation_mode="pytorch_half_pixel", **small)
    case("cubic-torch", "Resize", "x", "", scales(2, 2), mode="cubic", cubic_coeff_a=-0.75, **small)
    case("cubic-exclude", "Resize", "x", "", scales(2, 2), mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1, **small)
    case("axes", "Resize", "x", "", "", whole(8, 7), mode="linear", axes=[2, 3], opset=18, **small)
    case("opset10", "Resize", "x", scales(2, 2), mode="nearest", opset=10, **small)
    case("opset10-linear", "Resize", "x", scales(2, 2), mode="linear", opset=10, **small)
    case("computed", "Resize", "x", "", "", "to", mode="nearest", coordinate_transformation_mode="asymmetric",
         nearest_mode="floor", before=[
             (helper.make_node("Shape", ["x"], ["s"]), {}),
             (helper.make_node("Slice", ["s", "two", "four", "zero"], ["plane"]), {"two": whole(2), "four": whole(4), "zero": whole(0)}),
             (helper.make_node("Cast", ["plane"], ["floats"], to=TensorProto.FLOAT), {}),
             (helper.make_node("Mul", ["floats", "twice"], ["doubled"]), {"twice": scalar(2.0)}),
             (helper.make_node("Floor", ["doubled"], ["floor"]), {}),
             (helper.make_node("Cast", ["floor"], ["whole"], to=TensorProto.INT64), {}),
             (helper.make_node("Slice", ["s", "zero", "two", "zero"], ["first"]), {}),
             (helper.make_node("Concat", ["first", "whole"], ["to"], axis=0), {})], **small)
    case("old", "Upsample", opset=7, scales=[1.0, 1.0, 2.0, 2.0], **small)
    case("input", "Upsample", "x", scales(2, 3), opset=9, **small)
    case("linear", "Upsample", "x", scales(2, 2), mode="linear", opset=9, **small)


def creations():
    used = lambda output: [node("Add", ["x", output], "y")]
    whole_used = lambda output: [node("Cast", [output], "f", to=TensorProto.FLOAT), node("Add", ["x", "f"], "y")]
    for name, attributes in {
        "tensor": {"value": numpy_helper.from_array(numbers(4, 1, 1))},
        "half-precision": {"value": numpy_helper.from_array(numbers(4, 1, 1).astype(numpy.float16))},
        "double": {"value": numpy_helper.from_array(numbers(4, 1, 1).astype(numpy.float64))},
        "bytes": {"value": numpy_helper.from_array(random.integers(-9, 9, (4, 1, 1)).astype(numpy.int8))},
        "fields": {"value": helper.make_tensor("v", TensorProto.FLOAT, [4, 1, 1], [1.0, 2.0, 3.0, 4.0])},
        "truths": {"value": helper.make_tensor("v", TensorProto.BOOL, [4, 1, 1], [1, 0, 0, 1])},
        "float": {"value_float": 1.5}, "floats": {"value_floats": [1.0] * 8},
        "int": {"value_int": 3}, "ints": {"value_ints": list(range(8))}}.items():
        graph = [helper.make_node("Constant", [], ["c"], **attributes),
                 helper.make_node("Cast", ["c"], ["f"], to=TensorProto.FLOAT),
                 helper.make_node("Add", ["x", "f"], ["y"])]
        fixture.write(FOLDER, f"Constant-{name}", fixture.network(graph, {}, SHAPE, 17), numbers(*SHAPE))
    case("ones", "ConstantOfShape", whole(6, 8), outputs=["c"], value=numpy_helper.from_array(numpy.array([2.5], numpy.float32)), after=used("c"))
    case("default", "ConstantOfShape", whole(6, 8), outputs=["c"], after=used("c"))
    case("whole", "Range", scalar(1, numpy.int64), scalar(17, numpy.int64), scalar(2, numpy.int64), outputs=["c"], after=whole_used("c"))
    case("floats", "Range", scalar(1.0), scalar(-3.0), scalar(-0.5), outputs=["c"], after=used("c"))
    case("plain", "Shape", outputs=["s"], after=[node("Gather", ["s", "last"], "w", {"last": scalar(-1, numpy.int64)}), *whole_used("w")])
    case("part", "Shape", opset=15, start=-2, end=4, outputs=["s"], after=[node("ReduceProd", ["s"], "w", keepdims=0), *whole_used("w")])
    case("plain", "Size", outputs=["s"], after=whole_used("s"))


def quantisation():
    for kind, name in [(numpy.uint8, "u8"), (numpy.int8, "i8")]:
        info = numpy.iinfo(kind)
        zero = scalar((int(info.min) + int(info.max)) // 2 + 3, kind)
        back = [node("DequantizeLinear", ["q", "w1", "w2"], "y")]
        case(f"{name}", "QuantizeLinear", "x", scalar(0.0123), zero, opset=13, outputs=["q"], after=back, least=-3.0, greatest=3.0)
        case(f"{name}-raw", "QuantizeLinear", "x", scalar(0.0123), zero, opset=13, outputs=["q"], least=-3.0,
             greatest=3.0, after=[node("Cast", ["q"], "y", to=TensorProto.FLOAT)])
    case("default", "QuantizeLinear", "x", scalar(0.02), opset=10, outputs=["q"], after=[node("DequantizeLinear", ["q", "w1"], "y")])
    case("axis", "QuantizeLinear", "x", numbers(4, least=0.01, greatest=0.05), numpy.array([-3, 0, 5, 100], numpy.int8),
         axis=1, opset=13, outputs=["q"], after=[node("DequantizeLinear", ["q", "w1", "w2"], "y", axis=1)])
    case("ties", "QuantizeLinear", "h", scalar(0.5), scalar(0, numpy.int8), opset=13, outputs=["q"],
         before=[node("Mul", ["x", "four"], "m", {"four": scalar(16.0)}), node("Floor", ["m"], "l"), node("Mul", ["l", "quarter"], "h", {"quarter": scalar(0.25)})],
         after=[node("DequantizeLinear", ["q", "w1", "w2"], "y")])
    case("sixteen", "QuantizeLinear", "x", scalar(0.0001), scalar(5, numpy.int16), opset=21, outputs=["q"],
         after=[node("DequantizeLinear", ["q", "w1", "w2"], "y")])
    case("type", "QuantizeLinear", "x", scalar(0.02), opset=21, output_dtype=TensorProto.INT8, outputs=["q"],
         after=[node("DequantizeLinear", ["q", "w1"], "y")])
    weights = random.integers(-127, 128, (5, 4, 3, 3)).astype(numpy.int8)
    case("weights", "DequantizeLinear", weights, numbers(5, least=0.001, greatest=0.02), numpy.zeros(5, numpy.int8), axis=0,
         opset=13, outputs=["w"], after=[node("Conv", ["x", "w"], "y", pads=[1, 1, 1, 1])])
    bias = random.integers(-5000, 5000, 5).astype(numpy.int32)
    qdq = [node("QuantizeLinear", ["x", "sx", "zx"], "q", {"sx": scalar(0.02), "zx": scalar(128, numpy.uint8)}),
           node("DequantizeLinear", ["q", "sx", "zx"], "dx"),
           node("DequantizeLinear", ["wq", "sw", "zw"], "w", {"wq": weights, "sw": scalar(0.01), "zw": scalar(0, numpy.int8)}),
           node("DequantizeLinear", ["bq", "sb", "zb"], "b", {"bq": bias, "sb": scalar(0.0002), "zb": scalar(0, numpy.int32)})]
    case("qdq", "Conv", "dx", "w", "b", opset=13, before=qdq, outputs=["c"], after=[
        node("Relu", ["c"], "r"),
        node("QuantizeLinear", ["r", "sy", "zy"], "yq", {"sy": scalar(0.0473), "zy": scalar(0, numpy.uint8)}),
        node("DequantizeLinear", ["yq", "sy", "zy"], "y")])


if __name__ == "__main__":
    for old in FOLDER.glob("*"):
        old.unlink()
    for family in [activations, arithmetic, convolutions, pooling, normalisations, matrices, shapes, selections,
                   reductions, resizing, creations, quantisation]:
        family()
    files = list(FOLDER.glob("*"))
    print(len(files) // 2, "fixtures,", sum(file.stat().st_size for file in files) // 1024, "KiB")
