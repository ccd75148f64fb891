"""Makes `quantization.json` in this folder with PyTorch: a small network trained for a few steps in simulated 8 bits.

    python3 quantization.py

Written by the formulas of Krishnamoorthi 2018 (arXiv:1806.08342), sections 2.4 and 3.2.2, rather than with
torch.ao.nn.intrinsic.qat.ConvBn2d, which sends a gradient through the factor of the batch norm too. Rounding itself is
torch.fake_quantize_per_tensor_affine and torch.fake_quantize_per_channel_affine.

    w' = Q(w f) / f      f = gamma / sqrt(running variance + epsilon), a constant for the gradient; dw = dw'
    y = batch norm of conv(x, w'), with the batch's statistics; from step FREEZE on with the running ones
    quantizers: the range moves by 1 - DECAY towards the batch's, then rounds; dx = dy within the outermost levels
"""

import json
import pathlib
import platform

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
STEPS, DELAY, FREEZE = 7, 2, 5
DECAY, MOMENTUM, EPSILON, RATE = 0.9, 0.1, 1e-3, 0.1
BATCH, INPUT, CHANNELS, CLASSES = 6, (2, 7, 7), 8, 4
SHAPES = {
    "conv1.weight": (CHANNELS, 2, 3, 3), "bn1.weight": (CHANNELS,), "bn1.bias": (CHANNELS,),
    "conv2.weight": (CHANNELS, 1, 3, 3), "bn2.weight": (CHANNELS,), "bn2.bias": (CHANNELS,),
    "conv3.weight": (CHANNELS, CHANNELS, 1, 1), "bn3.weight": (CHANNELS,), "bn3.bias": (CHANNELS,),
    "fc.weight": (CLASSES, CHANNELS), "fc.bias": (CLASSES,),
}
QUANTIZERS = ["input", "relu1", "relu2", "bn3", "add", "pool", "fc"]


def waves(shape, k, scale=1.0, offset=0.0):
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    return torch.tensor(offset + scale * np.sin(1.7 * i + k + 1)).float().reshape(shape)


def steps_of(low, high, lowest, highest, symmetric):
    """Scale and zero point, as the package's Quantizer has them."""
    if symmetric:
        scale = np.float32(max(-low, high, 0.0) / highest)
        return (scale if scale > 0 else np.float32(1)), 0
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / (highest - lowest))
    scale = scale if scale > 0 else np.float32(1)
    return scale, int(np.clip(np.rint(lowest - low / float(scale)), lowest, highest))


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero):
        ctx.save_for_backward(x)
        ctx.range = (np.float32(-zero) * scale, np.float32(255 - zero) * scale)
        return torch.fake_quantize_per_tensor_affine(x, float(scale), zero, 0, 255)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * ((x >= float(ctx.range[0])) & (x <= float(ctx.range[1]))), None, None


def trained(name, per_channel, symmetric):
    levels = (-127 if symmetric else -128, 127)
    w = {n: waves(s, k, 0.5, 1.0 if n.startswith("bn") and n.endswith("weight") else 0.0).requires_grad_()
         for k, (n, s) in enumerate(SHAPES.items())}
    state = {}
    for n in ("bn1", "bn2", "bn3"):
        state[f"{n}.running_mean"] = torch.zeros(CHANNELS)
        state[f"{n}.running_var"] = waves((CHANNELS,), 3, 0.4, 1.0)
    for n in QUANTIZERS:
        state[f"{n}.quantized.min"], state[f"{n}.quantized.max"] = torch.tensor([-0.5]), torch.tensor([1.5])

    def quantized(x, n, step):
        low, high = state[f"{n}.quantized.min"], state[f"{n}.quantized.max"]
        rate = np.float32(1) - np.float32(DECAY)
        for end, batch in ((low, min(x.min().item(), 0.0)), (high, max(x.max().item(), 0.0))):
            end += float(rate) * (batch - end)
        if step < DELAY:
            return x
        return Round.apply(x, *steps_of(low.item(), high.item(), 0, 255, False))

    def rounded(v, factors, step):
        if step < DELAY:
            return v
        scaled = (v.detach().double() * factors.reshape(-1, *[1] * (v.ndim - 1))).float()
        if per_channel:
            rows = scaled.reshape(scaled.shape[0], -1)
            found = [steps_of(r.min().item(), r.max().item(), *levels, symmetric) for r in rows]
            r = torch.fake_quantize_per_channel_affine(
                scaled, torch.tensor([float(s) for s, _ in found]),
                torch.tensor([z for _, z in found], dtype=torch.int32), 0, *levels)
        else:
            scale, zero = steps_of(scaled.min().item(), scaled.max().item(), *levels, symmetric)
            r = torch.fake_quantize_per_tensor_affine(scaled, float(scale), zero, *levels)
        r = (r.double() / factors.reshape(-1, *[1] * (v.ndim - 1))).float()
        return v + (r - v).detach()

    def conv_norm(x, i, step, **settings):
        gamma, beta = w[f"bn{i}.weight"], w[f"bn{i}.bias"]
        mean, variance = state[f"bn{i}.running_mean"], state[f"bn{i}.running_var"]
        factors = gamma.detach().double() / (variance.double() + float(np.float32(EPSILON))).sqrt()
        y = F.conv2d(x, rounded(w[f"conv{i}.weight"], factors, step), **settings)
        return F.batch_norm(y, mean, variance, gamma, beta, training=step < FREEZE, momentum=MOMENTUM, eps=EPSILON)

    x0 = waves((BATCH, *INPUT), 20, 1.5)
    labels = torch.arange(BATCH) % CLASSES
    history = []
    for step in range(STEPS):
        x = quantized(x0, "input", step)
        x = quantized(F.relu6(conv_norm(x, 1, step, padding=1)), "relu1", step)
        shortcut = x
        x = quantized(F.relu6(conv_norm(x, 2, step, padding=1, groups=CHANNELS)), "relu2", step)
        x = quantized(conv_norm(x, 3, step), "bn3", step)
        x = quantized(x + shortcut, "add", step)
        x = quantized(x.mean((2, 3)), "pool", step)
        x = F.linear(x, rounded(w["fc.weight"], torch.ones(CLASSES, dtype=torch.float64), step), w["fc.bias"])
        loss = F.cross_entropy(quantized(x, "fc", step), labels)
        for v in w.values():
            v.grad = None
        loss.backward()
        with torch.no_grad():
            for v in w.values():
                v -= RATE * v.grad
        history.append({
            "loss": loss.item(),
            "weights": {n: [float(f"{e:.9g}") for e in v.detach().flatten().tolist()]
                        for n, v in (w | state).items()},
        })
    return {"name": name, "isPerChannel": per_channel, "isSymmetric": symmetric, "steps": history}


content = {
    "program": f"torch {torch.__version__}, Python {platform.python_version()}",
    "delay": DELAY, "freeze": FREEZE, "decay": DECAY, "momentum": MOMENTUM, "epsilon": EPSILON, "rate": RATE,
    "cases": [trained("per tensor, asymmetric", False, False), trained("per channel, symmetric", True, True),
              trained("per channel, asymmetric", True, False)],
}
(HERE / "quantization.json").write_text(json.dumps(content, indent=0).replace("\n", " ") + "\n")
