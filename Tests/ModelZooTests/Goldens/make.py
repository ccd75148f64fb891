"""Makes the goldens in `numerics/` and `keys/` with PyTorch, torchvision and timm.

    python3 make.py            # all
    python3 make.py resnet18   # one of `numerics/`
    python3 make.py bf16       # `numerics/bf16.json` alone
    python3 make.py new NAME…  # these of `numerics/`, `keys/` and `bf16.json`; all else stays

Every number that a network starts from follows a formula, so that Swift makes the same bits (`FormulaWeights.swift`):
element i of the array called `name` comes from output i of SplitMix64 seeded with the FNV-1a hash of the name; its top
24 bits make u in [-1, 1). Computed in float64, rounded once to float32:

    weights of convolutions and dense layers   sqrt(6 / fan in) u     (fan in: all axes but the first)
    scales of norms and of layers              1 + 0.1 u
    biases, shifts, tokens, running means      0.1 u
    running variances                          1 + 0.5 |u|
    the batch, called `input`                  u
    label n                                    7 n mod classes

Samples of an array of more than 64 elements: place k is output k of SplitMix64 seeded with the hash of `name#samples`,
modulo the count. Smaller arrays are recorded whole.

Errors are relative L2 norms of float32 against float64, in PyTorch's two memory formats: how far a sound
implementation may be off. Those in `bf16.json` are of autocast to bfloat16.
"""

import json
import pathlib
import platform
import sys

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

HERE = pathlib.Path(__file__).parent
PROGRAM = (
    f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, "
    f"Python {platform.python_version()}"
)
SAMPLES = 64


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def words(name, count):
    """The first outputs of SplitMix64 seeded with the hash of a name."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, count):
    return (words(name, count) >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def parameter(name, shape):
    shape = tuple(shape)
    u = uniform(name, int(np.prod(shape)))
    if name.endswith("running_var"):
        values = 1 + 0.5 * np.abs(u)
    elif name.endswith("weight") and len(shape) == 1 or "gamma_" in name:
        values = 1 + 0.1 * u
    elif name.endswith("weight"):
        values = np.sqrt(6 / np.prod(shape[1:])) * u
    else:
        values = 0.1 * u
    return values.astype(np.float32).reshape(shape)


def places(name, count):
    if count <= SAMPLES:
        return np.arange(count)
    return (words(name + "#samples", SAMPLES) % np.uint64(count)).astype(np.int64)


class CIFARBlock(nn.Module):
    """He et al. 2015, section 4.2, with shortcut option A: every second pixel, and zeros as the added channels."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.added = stride, channels - channels_in

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added)))


class CIFARResNet(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for i, width in enumerate([16, 32, 64]):
            blocks = []
            for j in range((depth - 2) // 6):
                blocks.append(CIFARBlock(channels, width, 2 if i > 0 and j == 0 else 1))
                channels = width
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def small_vgg(name, side, classes):
    """torchvision's, whose classifier takes the features as they are instead of pooling them to 7 x 7."""
    model = torchvision.models.get_model(name, num_classes=classes, dropout=0.0, init_weights=False)
    model.avgpool = nn.Identity()
    model.classifier[0] = nn.Linear(512 * (side // 32) ** 2, 4096)
    return model


def torchvision_model(name, classes, **options):
    return torchvision.models.get_model(name, num_classes=classes, **options)


# name: (maker, side, batch, classes)
MODELS = {
    "resnet20": (lambda classes: CIFARResNet(20, classes), 32, 4, 10),
    "resnet18": (lambda classes: torchvision_model("resnet18", classes), 64, 4, 100),
    "resnet50": (lambda classes: torchvision_model("resnet50", classes), 64, 4, 100),
    "resnext50": (lambda classes: torchvision_model("resnext50_32x4d", classes), 64, 4, 100),
    "resnet50D": (lambda classes: timm.create_model("resnet50d", num_classes=classes), 72, 4, 100),
    "mobilenetV1": (lambda classes: timm.create_model("mobilenetv1_100", num_classes=classes), 64, 4, 100),
    "vgg11BN": (lambda classes: small_vgg("vgg11_bn", 64, classes), 64, 4, 100),
    "beitB16": (lambda classes: timm.create_model("beit_base_patch16_224", num_classes=classes), 224, 2, 100),
    "vgg16": (lambda classes: torchvision_model("vgg16", classes, dropout=0.0, init_weights=False), 224, 2, 1000),
}


def fill(model):
    computed = ("num_batches_tracked", "relative_position_index", "k_bias")
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    with torch.no_grad():
        for name, tensor in tensors.items():
            if not name.endswith(computed):
                tensor.copy_(torch.from_numpy(parameter(name, tensor.shape)))


def run(model, x, labels, layout, autocast=False):
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=autocast)
    model, x = model.to(memory_format=layout), x.contiguous(memory_format=layout)
    fill(model)
    with torch.no_grad(), mixed:
        result = {"inference": model.eval()(x).double().numpy()}
    model.train()
    model.zero_grad(set_to_none=True)
    with mixed:
        logits = model(x)
        loss = F.cross_entropy(logits, labels)
    loss.backward()
    result["training"] = logits.detach().double().numpy()
    result["loss"] = loss.item()
    result["gradients"] = {}
    for name, p in model.named_parameters():
        gradient = p.grad.contiguous().flatten()
        result["gradients"][name] = (
            gradient.double().norm().item(),
            gradient[torch.from_numpy(places(name, gradient.numel()))].double().numpy(),
        )
        p.grad = None
    result["statistics"] = {
        name: b.double().flatten().numpy().copy() for name, b in model.named_buffers() if "running" in name
    }
    return result


def distance(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def errors(run, exact):
    gradients = {key: distance(run["gradients"][key][1], exact["gradients"][key][1]) for key in exact["gradients"]}
    every = lambda r: np.concatenate([r["gradients"][key][1] for key in exact["gradients"]])
    return gradients, {
        "inference": distance(run["inference"], exact["inference"]),
        "training": distance(run["training"], exact["training"]),
        "loss": abs(run["loss"] - exact["loss"]) / abs(exact["loss"]),
        "gradients": distance(every(run), every(exact)),
        "medianGradient": float(np.median(list(gradients.values()))),
    }


def runs(name, autocast=False):
    """The model, what it gives in float64, and what it gives rounded in both memory formats."""
    make, side, batch, classes = MODELS[name]
    model = make(classes)
    x = torch.from_numpy(uniform("input", batch * 3 * side * side).astype(np.float32).reshape(batch, 3, side, side))
    labels = torch.tensor([7 * n % classes for n in range(batch)])
    layouts = {"contiguous": torch.contiguous_format, "channelsLast": torch.channels_last}
    exact = run(model.double(), x.double(), labels, torch.contiguous_format)
    model.float()
    return model, exact, {key: run(model, x, labels, layout, autocast) for key, layout in layouts.items()}


def bf16(names=MODELS):
    path = HERE / "numerics" / "bf16.json"
    models = {} if names is MODELS else json.loads(path.read_text())["models"]
    for name in names:
        _, exact, rounded = runs(name, autocast=True)
        models[name] = {key: errors(run, exact)[1] for key, run in rounded.items()}
        print(name, models[name], flush=True)
    write(path, {"program": PROGRAM, "models": models})


def numerics(name):
    _, side, batch, classes = MODELS[name]
    model, exact, rounded = runs(name)
    shapes = {key: list(p.shape) for key, p in model.named_parameters()}
    found = {key: errors(run, exact) for key, run in rounded.items()}
    running = list(exact["statistics"])
    golden = {
        "program": PROGRAM,
        "model": name,
        "input": [3, side, side],
        "batch": batch,
        "classes": classes,
        "inference": exact["inference"].flatten().tolist(),
        "training": exact["training"].flatten().tolist(),
        "loss": exact["loss"],
        "float32": {key: summary for key, (_, summary) in found.items()},
        "gradients": [
            {
                "name": key,
                "shape": shape,
                "norm": exact["gradients"][key][0],
                "samples": exact["gradients"][key][1].tolist(),
                "contiguous": found["contiguous"][0][key],
                "channelsLast": found["channelsLast"][0][key],
            }
            for key, shape in shapes.items()
        ],
        "statistics": [
            {
                "name": key,
                "norm": float(np.linalg.norm(exact["statistics"][key])),
                "samples": exact["statistics"][key][places(key, exact["statistics"][key].size)].tolist(),
                "contiguous": distance(rounded["contiguous"]["statistics"][key], exact["statistics"][key]),
                "channelsLast": distance(rounded["channelsLast"]["statistics"][key], exact["statistics"][key]),
            }
            for key in running[:2] + running[2:][-2:]
        ],
    }
    write(HERE / "numerics" / f"{name}.json", golden)
    print(name, golden["loss"], golden["float32"], flush=True)


def write(path, golden):
    """JSON, a line per entry of the outer object and of its lists of objects."""
    lines = []
    for key, value in golden.items():
        if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
            rows = ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f'"{key}": [\n{rows}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(value, separators=(",", ":"))}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def formula():
    names = [("conv1.weight", (64, 3, 7, 7)), ("bn1.weight", (64,)), ("bn1.running_mean", (64,)),
             ("bn1.running_var", (64,)), ("fc.weight", (1000, 512)), ("fc.bias", (1000,))]
    golden = {
        "program": PROGRAM,
        "arrays": [
            {"name": n, "shape": list(s), "first": [float(v) for v in parameter(n, s).flatten()[:8]],
             "last": float(parameter(n, s).flatten()[-1]), "places": places(n, int(np.prod(s)))[:8].tolist()}
            for n, s in names
        ],
        "input": uniform("input", 8).tolist(),
    }
    write(HERE / "numerics" / "formula.json", golden)


# The files of `keys/` by the entry of the zoo.
KEYS = {
    "resnext50": lambda: torchvision.models.get_model("resnext50_32x4d"),
    "resnet50D": lambda: timm.create_model("resnet50d"),
}


def keys(names=None):
    """Names and shapes in the order of the state dictionary, one a line."""
    if names is None:
        models = {name: torchvision.models.get_model(name, init_weights=False) if "vgg" in name
                  else torchvision.models.get_model(name)
                  for name in "resnet18 resnet34 resnet50 resnet101 resnet152 vgg11 vgg13 vgg16 vgg19 "
                              "vgg11_bn vgg13_bn vgg16_bn vgg19_bn".split()}
        models["resnet20"] = CIFARResNet(20, 10)
        models["mobilenetv1_100"] = timm.create_model("mobilenetv1_100")
        models["mobilenetv1_050"] = timm.models.efficientnet._gen_mobilenet_v1("mobilenetv1_050", 0.5)
        models["beit_base_patch16_224"] = timm.create_model("beit_base_patch16_224")
        models["timm-vgg11_bn"] = timm.create_model("vgg11_bn")
    else:
        models = {}
    models |= {name: make() for name, make in KEYS.items() if names is None or name in names}
    for name, model in models.items():
        lines = [f"# {PROGRAM}"]
        lines += [" ".join([key, *map(str, value.shape)]) for key, value in model.state_dict().items()
                  if not key.endswith("num_batches_tracked")]
        (HERE / "keys" / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    if wanted[:1] == ["new"]:
        wanted = wanted[1:]
        keys(wanted)
        bf16(wanted)
    elif not wanted:
        keys()
        formula()
        bf16()
    for name in wanted or MODELS:
        bf16() if name == "bf16" else numerics(name)
