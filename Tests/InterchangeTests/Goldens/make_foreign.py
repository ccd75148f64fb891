"""Makes ONNX files whose names are not the network's, and what the network answers.

    pip install torch==2.15.0 onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0
    python Tests/InterchangeTests/Goldens/make_foreign.py

torch-eval.onnx is a network in its evaluation mode by PyTorch's older exporter: batch norms are folded, and weights are
called onnx::Conv_22. foreign.onnx is written as converters of TensorFlow's models do: images with channels last, SAME
padding, weights in Constant nodes and in an external file in a folder, in 16-bit floats of both kinds, a dense layer as a
MatMul by a transposed matrix behind a flattened image, biases as sums. For each, foreign.safetensors holds an input and the
answer of ONNX Runtime, channels first.
"""

import pathlib
import shutil

import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
import torch
from onnx import helper, numpy_helper
from torch import nn

HERE = pathlib.Path(__file__).parent


class Net(nn.Module):
    """Two branches of one shape but for a kernel, a depthwise layer, and a dense layer over pixels."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.left = nn.Conv2d(4, 6, 1, bias=False)
        self.left_bn = nn.BatchNorm2d(6)
        self.right = nn.Conv2d(4, 6, 3, padding=1, bias=False)
        self.right_bn = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False)
        self.depthwise_bn = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6 * 3 * 3, 5)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.left_bn(self.left(x)) + self.right_bn(self.right(x)))
        x = torch.relu(self.depthwise_bn(self.depthwise(x)))
        return self.fc(x.flatten(1))


def net():
    generator = torch.Generator().manual_seed(5)
    model = Net().eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            # Few bits, so that floats of 16 bits hold them.
            numbers = torch.randint(-16, 17, tensor.shape, generator=generator) / 32
            tensor.copy_(numbers + (1 if name.endswith("running_var") else 0))
    return model


def foreign(model):
    """Nodes as tf2onnx writes them."""
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    nodes, initializers = [], []

    def constant(name, array):
        nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        return name

    def initializer(name, array):
        initializers.append(numpy_helper.from_array(array, name))
        return name

    def bfloat16(name, array):
        bits = (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        initializers.append(helper.make_tensor(name, onnx.TensorProto.BFLOAT16, array.shape, bits.tobytes(), raw=True))
        nodes.append(helper.make_node("Cast", [name], [name + "/f"], to=onnx.TensorProto.FLOAT))
        return name + "/f"

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def norm(x, ours, theirs):
        arrays = [initializer(f"{theirs}/{k}", state[f"{ours}.{n}"]) for k, n in
                  [("gamma", "weight"), ("beta", "bias"), ("mean", "running_mean"), ("variance", "running_var")]]  # fmt: skip
        return node("BatchNormalization", [x, *arrays], theirs + "/out", epsilon=1e-5)

    x = node("Transpose", ["images"], "nchw", perm=[0, 3, 1, 2])
    x = node("Pad", [x, initializer("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1]))], "padded")
    x = node("Conv", [x, constant("a/kernel", state["conv1.weight"])], "a", strides=[2, 2], auto_pad="VALID")
    x = node("Relu", [norm(x, "bn1", "a_bn")], "a_relu")
    # The other order of branches than the network's.
    half = node("Cast", [initializer("r/kernel", state["right.weight"].astype(np.float16))], "r/f", to=onnx.TensorProto.FLOAT)
    right = norm(node("Conv", [x, half], "r", auto_pad="SAME_UPPER"), "right_bn", "r_bn")
    left = norm(node("Conv", [x, bfloat16("l/kernel", state["left.weight"])], "l"), "left_bn", "l_bn")
    x = node("Relu", [node("Add", [right, left], "sum")], "sum_relu")
    x = node("Conv", [x, initializer("d/kernel", state["depthwise.weight"])], "d", group=6, auto_pad="SAME_UPPER")
    x = node("Relu", [norm(x, "depthwise_bn", "d_bn")], "d_relu")
    x = node("Transpose", [x], "nhwc", perm=[0, 2, 3, 1])
    x = node("Reshape", [x, initializer("shape", np.array([-1, 54]))], "flat")
    matrix = state["fc.weight"].reshape(5, 6, 3, 3).transpose(0, 2, 3, 1).reshape(5, 54)
    matrix = node("Transpose", [initializer("dense/kernel", np.ascontiguousarray(matrix))], "dense/turned", perm=[1, 0])
    x = node("MatMul", [x, matrix], "product")
    node("Add", [x, constant("dense/bias", state["fc.bias"])], "scores")
    graph = helper.make_graph(
        nodes, "foreign",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["n", 6, 6, 2])],
        [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["n", 5])],
        initializers,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    model = net()
    images = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(6))
    torch.onnx.export(model, (images,), str(HERE / "torch-eval.onnx"), dynamo=False, opset_version=17)
    shutil.rmtree(HERE / "weights", ignore_errors=True)
    (HERE / "weights").mkdir()
    made = foreign(model)
    onnx.checker.check_model(made)
    for tensor in made.graph.initializer:
        if tensor.name == "dense/kernel":
            (HERE / "weights" / "foreign.data").write_bytes(bytes(16) + tensor.raw_data)
            onnx.external_data_helper.set_external_data(tensor, "weights/foreign.data", offset=16, length=len(tensor.raw_data))
            tensor.ClearField("raw_data")
    onnx.save(made, HERE / "foreign.onnx")

    def answer(name, batch):
        session = onnxruntime.InferenceSession(str(HERE / name), providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: batch})[0]

    first = answer("torch-eval.onnx", images.numpy())
    last = answer("foreign.onnx", np.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1)))
    assert np.allclose(first, last, atol=1e-5) and np.allclose(first, model(images).numpy(), atol=1e-5)
    tensors = {"images": images.numpy(), "scores": first}
    (HERE / "foreign.safetensors").write_bytes(
        safetensors.numpy.save(tensors | {k: t.numpy() for k, t in model.state_dict().items() if t.is_floating_point()}))


with torch.no_grad():
    main()
