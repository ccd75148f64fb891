"""Makes the ONNX files of this folder: a residual network of three channels, by PyTorch's two exporters.

    pip install torch==2.15.0 onnx==1.23.2 onnxscript
    python Tests/InterchangeTests/Goldens/make.py

torch-script.onnx keeps batch norms, as exported for training; torch-dynamo.onnx is the newer exporter's, some of its
numbers in torch-dynamo.onnx.data beside it; types.onnx has numbers of several types, some as lists, and one array under
two names, as the older exporter writes equal ones. Element i of parameter p in the order of `state_dict` is
(7 i + p) mod 32 / 16 - 1, plus 2 for running variances; `num_batches_tracked` is left out of the numbering.
"""

import pathlib

import numpy as np
import onnx
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(3)
        self.layer1 = nn.Sequential(Block(3))
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        x = self.layer1(torch.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def number(parameter, count):
    return (7 * np.arange(count) + parameter) % 32 / 16 - 1


def main():
    model = Small().eval()
    state = {name: array for name, array in model.state_dict().items() if "num_batches" not in name}
    for parameter, (name, array) in enumerate(state.items()):
        values = number(parameter, array.numel()) + (2 if name.endswith("running_var") else 0)
        array.copy_(torch.from_numpy(values.reshape(array.shape)))
    image = torch.zeros(1, 1, 5, 5)
    torch.onnx.export(
        model, (image,), str(HERE / "torch-script.onnx"), dynamo=False, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE, opset_version=17,
    )  # fmt: skip
    torch.onnx.export(
        model, (image,), str(HERE / "torch-dynamo.onnx"), dynamo=True, optimize=False, external_data=True,
    )  # fmt: skip
    # It writes down the places in its own sources and in this file.
    dynamo = onnx.load(HERE / "torch-dynamo.onnx", load_external_data=False)
    for part in [dynamo.graph, *dynamo.graph.node, *dynamo.functions, *(n for f in dynamo.functions for n in f.node)]:
        del part.metadata_props[:]
    onnx.save(dynamo, HERE / "torch-dynamo.onnx")

    half = np.array([0.5, -2, 65504], np.float16)
    tensors = [
        onnx.helper.make_tensor("float_list", 1, [2, 2], [1, 2.5, -3, 0]),
        onnx.helper.make_tensor("half_raw", 10, [3], half.tobytes(), raw=True),
        onnx.helper.make_tensor("half_list", 10, [3], half.tolist()),
        onnx.helper.make_tensor("double_list", 11, [2], [0.1, -1e30]),
        onnx.helper.make_tensor("bfloat16_list", 16, [2], [1, -0.5]),
        onnx.helper.make_tensor("int64_list", 7, [], [-7]),
        onnx.helper.make_tensor("uint8_list", 2, [2], [0, 255]),
    ]
    same = onnx.helper.make_node("Identity", ["float_list"], ["same"])
    graph = onnx.helper.make_graph([same], "types", [], [], tensors)
    onnx.save(onnx.helper.make_model(graph), HERE / "types.onnx")


with torch.no_grad():
    main()
