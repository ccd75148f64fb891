"""Makes the golden files in this folder with PyTorch and timm: optimizers, losses, mixing, schedules.

    python3 make.py

Element i of array k of the optimizers' parameters starts at scale * sin(1.7 i + k + 1). The gradient is made of the
weights, so that it does not depend on how they lie: g = w (1 + cos(step) / 2) + 0.3 w^2, step from 0; the rate of a
step is rate * (1 - step / 10).
"""

import json
import pathlib
import platform
from unittest import mock

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.data.mixup import Mixup
from timm.loss import BinaryCrossEntropy
from timm.optim import Lamb, Lars, RMSpropTF
from timm.scheduler import CosineLRScheduler

HERE = pathlib.Path(__file__).parent
PROGRAM = f"torch {torch.__version__}, timm {timm.__version__}, Python {platform.python_version()}"
STEPS = 5


def write(name, content):
    text = json.dumps({"program": PROGRAM, **content}, indent=0).replace("\n", " ")
    (HERE / f"{name}.json").write_text(text + "\n")


def waves(shape, k, scale=1.0):
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    return torch.tensor(scale * np.sin(1.7 * i + k + 1)).reshape(shape)


SHAPES = {"conv.weight": (4, 2, 3, 3), "bn.weight": (4,), "bn.bias": (4,), "fc.weight": (3, 4), "fc.bias": (3,)}


def optimizer_case(name, scale, rate, make):
    parameters = {n: waves(s, k, scale).float().requires_grad_() for k, (n, s) in enumerate(SHAPES.items())}
    decayed = [p for n, p in parameters.items() if p.ndim > 1]
    others = [p for n, p in parameters.items() if p.ndim == 1]
    optimizer = make([{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}])
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / 10)
        for p in parameters.values():
            w = p.detach()
            p.grad = w * (1 + 0.5 * float(np.cos(step))) + 0.3 * w * w
        optimizer.step()
    weights = {n: p.detach().flatten().double().tolist() for n, p in parameters.items()}
    return {"name": name, "scale": scale, "rate": rate, "weights": weights}


def optimizers():
    rms = dict(alpha=0.9, momentum=0.9, eps=0.001)
    cases = [
        ("sgd", 0.5, 0.1, lambda g: torch.optim.SGD(g, lr=1, momentum=0.9, nesterov=True)),
        ("adam", 0.5, 0.01, lambda g: torch.optim.Adam(g, lr=1)),
        ("adamW", 0.5, 0.01, lambda g: torch.optim.AdamW(g, lr=1)),
        # Weights so small that what is left after five steps is the steps.
        ("adam, small weights", 0.005, 0.01, lambda g: torch.optim.Adam(g, lr=1)),
        ("adamW, small weights", 0.005, 0.01, lambda g: torch.optim.AdamW(g, lr=1)),
        ("lamb", 0.5, 0.02, lambda g: Lamb(g, lr=1)),
        ("lamb, not clipped", 0.5, 0.02, lambda g: Lamb(g, lr=1, max_grad_norm=None)),
        ("lamb, small gradients", 0.05, 0.02, lambda g: Lamb(g, lr=1)),
        ("lars", 0.5, 5.0, lambda g: Lars(g, lr=1, momentum=0.9)),
        ("lars, nesterov", 0.5, 5.0, lambda g: Lars(g, lr=1, momentum=0.9, nesterov=True)),
        ("rmsProp", 0.5, 0.01, lambda g: torch.optim.RMSprop(g, lr=1, **rms)),
        ("rmsProp, no momentum", 0.5, 0.01, lambda g: torch.optim.RMSprop(g, lr=1, **{**rms, "momentum": 0})),
        ("rmsPropTF", 0.5, 0.01, lambda g: RMSpropTF(g, lr=1, **rms)),
        ("rmsPropTF, no momentum", 0.5, 0.01, lambda g: RMSpropTF(g, lr=1, **{**rms, "momentum": 0})),
    ]
    write("optimizers", {"steps": STEPS, "cases": [optimizer_case(*c) for c in cases]})


def losses():
    rows, classes = 4, 6
    logits = waves((rows, classes), 0, 3.0).float().double()
    targets = torch.softmax(waves((rows, classes), 1, 2.0), 1).float().double()
    teacher = waves((rows, classes), 2, 3.0).float().double()

    def case(name, loss):
        z = logits.clone().requires_grad_()
        value = loss(z)
        value.backward()
        return {"name": name, "loss": value.item(), "gradient": z.grad.flatten().tolist()}

    def distilled(z, share, temperature, squares):
        p, q = F.softmax(teacher / temperature, 1), F.log_softmax(z / temperature, 1)
        divergence = F.kl_div(q, p, reduction="batchmean") * (temperature**2 if squares else 1)
        return (1 - share) * F.cross_entropy(z, targets) + share * divergence

    cases = [
        case("cross-entropy", lambda z: F.cross_entropy(z, targets)),
        case("binary", lambda z: BinaryCrossEntropy(smoothing=0)(z, targets)),
        case("binary, threshold 0.2", lambda z: BinaryCrossEntropy(smoothing=0, target_threshold=0.2)(z, targets)),
        case("distilled, 0.8 at 1", lambda z: distilled(z, 0.8, 1.0, False)),
        case("distilled, 0.5 at 4, squared", lambda z: distilled(z, 0.5, 4.0, True)),
    ]
    write("losses", {
        "rows": rows, "classes": classes, "logits": logits.flatten().tolist(), "targets": targets.flatten().tolist(),
        "teacher": teacher.flatten().tolist(), "cases": cases,
    })


def mixing():
    """timm's Mixup with what it draws put in its place.

    The boxes have even sides, since timm's of 2021 and of today differ by a pixel where they are odd.
    """
    rows, channels, height, width, classes, smoothing = 4, 2, 8, 4, 5, 0.1
    images, labels = waves((rows, channels, height, width), 0).float(), torch.tensor([0, 3, 3, 1])
    cases = []
    for name, share, center in [
        ("mixup", 0.3, None), ("cutmix inside", 0.75, (3, 2)), ("cutmix at the border", 0.7, (1, 3)),
        ("cutmix of all", 0.0, (3, 2)),
    ]:
        mix = Mixup(mixup_alpha=0.2, cutmix_alpha=1.0, label_smoothing=smoothing, num_classes=classes)
        # rand: below the probability of mixing, then of CutMix.
        draws = {"rand": [0.0, 0.9 if center is None else 0.1], "randint": list(center or ())}
        with mock.patch.object(np.random, "rand", side_effect=draws["rand"]), \
                mock.patch.object(np.random, "beta", return_value=share), \
                mock.patch.object(np.random, "randint", side_effect=draws["randint"]):
            x, y = mix(images.clone(), labels)
        cases.append({
            "name": name, "share": share, "center": center, "images": x.flatten().double().tolist(),
            "targets": y.flatten().double().tolist(),
        })
    write("mixing", {
        "rows": rows, "channels": channels, "height": height, "width": width, "classes": classes,
        "smoothing": smoothing, "labels": labels.tolist(), "cases": cases,
    })


def schedules():
    """timm's cosine of a 600-epoch A1 training with the train script's defaults of 2021."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=5e-3)
    schedule = CosineLRScheduler(optimizer, t_initial=600, lr_min=1e-6, warmup_t=5, warmup_lr_init=1e-4)
    rates = [optimizer.param_groups[0]["lr"]]
    for epoch in range(1, 610):
        schedule.step(epoch)
        rates.append(optimizer.param_groups[0]["lr"])
    epochs = [0, 1, 2, 3, 4, 5, 6, 100, 300, 450, 598, 599, 600, 601, 609]
    write("schedules", {"epochs": epochs, "rates": [rates[e] for e in epochs]})


optimizers()
losses()
mixing()
schedules()
