"""Times one peer on one piece of work and prints JSON: the fastest step and the peak of its resident memory."""

import argparse
import json
import os
import resource
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("peer", choices=["eager", "eager-channels-last", "compile", "onnxruntime", "openvino"])
parser.add_argument("work", choices=["train", "infer"])
parser.add_argument("model")
for option in ["batch", "size", "steps", "threads"]:
    parser.add_argument(f"--{option}", type=int, required=True)
parser.add_argument(
    "--precision", choices=["float32", "bf16", "default"], default="float32",
    help="bf16: PyTorch's autocast, OpenVINO's hint; default: what OpenVINO takes by itself")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import numpy  # noqa: E402


def resnet20():
    """He et al. 2015, section 4.2, with the identity shortcut A."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.stride, self.extra = stride, outputs - inputs

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            if self.extra:
                x = x[:, :, :: self.stride, :: self.stride]
                x = nn.functional.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))
            return torch.relu(x + y)

    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    channels = 16
    for stage in [16, 32, 64]:
        for i in range(3):
            layers.append(Block(channels, stage, 2 if i == 0 and stage != 16 else 1))
            channels = stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def network(name):
    import torchvision

    if name == "resnet20":
        return resnet20(), 10
    if name == "mobilenetV1":
        import timm

        return timm.create_model("mobilenetv1_100"), 1000
    if name == "vgg16":
        return torchvision.models.vgg16(dropout=0.5), 1000
    return getattr(torchvision.models, name)(), 1000


def timed(step, warm_up=3):
    for _ in range(warm_up):
        step()
    times = []
    for _ in range(options.steps):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return min(times)


def train():
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    model, classes = network(options.model)
    model.train()
    images = torch.randn(options.batch, 3, options.size, options.size)
    labels = torch.arange(options.batch) % classes
    if options.peer != "eager":
        model, images = (part.to(memory_format=torch.channels_last) for part in (model, images))
    precision = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4)
    forward = torch.compile(model) if options.peer == "compile" else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        with precision:
            loss = torch.nn.functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()

    return timed(step), options.precision


def exported(folder):
    """The model as ONNX, made by a process of its own so that PyTorch's memory is not counted."""
    path = os.path.join(folder, "model.onnx")
    if os.fork() == 0:
        import torch

        model, _ = network(options.model)
        images = torch.randn(options.batch, 3, options.size, options.size)
        torch.onnx.export(model.eval(), (images,), path, input_names=["x"], dynamo=False)
        os._exit(0)
    _, status = os.wait()
    if status != 0:
        sys.exit("the export to ONNX failed")
    return path


def infer():
    images = numpy.random.default_rng(0).standard_normal((options.batch, 3, options.size, options.size), numpy.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = exported(folder)
        if options.peer == "onnxruntime":
            import onnxruntime

            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = options.threads
            settings.inter_op_num_threads = 1
            settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
            session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
            return timed(lambda: session.run(None, {"x": images})), "float32"
        import openvino

        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY"}
        if options.precision != "default":
            settings["INFERENCE_PRECISION_HINT"] = {"float32": "f32", "bf16": "bf16"}[options.precision]
        compiled = core.compile_model(core.read_model(path), "CPU", settings)
        taken = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        request = compiled.create_infer_request()
        tensor = openvino.Tensor(images)
        return timed(lambda: request.infer({0: tensor})), {"f32": "float32"}.get(taken, taken)


seconds, precision = train() if options.work == "train" else infer()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"minimumSeconds": seconds, "peakMemoryBytes": peak, "precision": precision}))
