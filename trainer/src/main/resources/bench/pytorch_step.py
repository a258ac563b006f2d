"""Times training steps of a GPT-2 in PyTorch: what pacer's StepBenchmark does, written from PyTorch's public API.

    python pytorch_step.py CASE.json --adamw default|fused|foreach|loop    one line of JSON: the result
    python pytorch_step.py CASE.json --probe                               one line of JSON: milliseconds of each kind of AdamW

Eager mode, with what makes it fast on a CPU: scaled_dot_product_attention and gradients set to None. AdamW's default is what
nanoGPT takes on CPUs; a fused one is quicker. Weights and batches are those of pacer's Formula, so that the losses must be equal too.
"""

import json
import math
import os
import platform
import stat
import sys
import threading
import time
import zlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

COMPARED_STEPS = 4
ADAMW = {"default": {}, "fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}


class Attention(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.heads = model["heads"]
        self.dropout = model["dropout"]
        self.c_attn = nn.Linear(model["width"], 3 * model["width"], bias=model["bias"])
        self.c_proj = nn.Linear(model["width"], model["width"], bias=model["bias"])

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, c // self.heads).transpose(1, 2) for y in self.c_attn(x).split(c, dim=2))
        p = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)  # (B, H, T, C/H)
        return F.dropout(self.c_proj(y.transpose(1, 2).reshape(b, t, c)), self.dropout, self.training)


class FeedForward(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.dropout = model["dropout"]
        self.approximate = {"gelu_erf": "none", "gelu_tanh": "tanh"}[model["activation"]]
        self.c_fc = nn.Linear(model["width"], 4 * model["width"], bias=model["bias"])
        self.c_proj = nn.Linear(4 * model["width"], model["width"], bias=model["bias"])

    def forward(self, x):
        y = F.gelu(self.c_fc(x), approximate=self.approximate)
        return F.dropout(self.c_proj(y), self.dropout, self.training)


def norm(model):
    return nn.LayerNorm(model["width"], eps=model["normEpsilon"], bias=model["bias"])


class Block(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.ln_1 = norm(model)
        self.attn = Attention(model)
        self.ln_2 = norm(model)
        self.mlp = FeedForward(model)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.dropout = model["dropout"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(model["vocabulary"], model["width"]),
                "wpe": nn.Embedding(model["sequenceLength"], model["width"]),
                "h": nn.ModuleList(Block(model) for _ in range(model["layers"])),
                "ln_f": norm(model),
            }
        )
        self.lm_head = nn.Linear(model["width"], model["vocabulary"], bias=False)
        if model["tiedHead"]:
            self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, tokens, targets):
        places = torch.arange(tokens.shape[1])
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](places)
        x = F.dropout(x, self.dropout, self.training)
        for block in self.transformer["h"]:
            x = block(x)
        logits = self.lm_head(self.transformer["ln_f"](x))  # (B, T, V)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def mix(x):
    """lowbias32, on an array of uint32."""
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def mixed(number):
    return int(mix(np.array([number & 0xFFFFFFFF], np.uint32))[0])


def counters(key, first, count):
    return np.arange(first, first + count, dtype=np.uint32) + np.uint32(key)


def fill(seed, name, parameter):
    """First values by pacer's Formula, a piece at a time so that they do not count in peak memory."""
    key = mixed(zlib.crc32(name.encode()) ^ mixed(seed))
    scale = np.float32(0.02 * math.sqrt(3) / 2**31)
    gain = parameter.dim() == 1 and name.endswith(".weight")
    flat = parameter.detach().view(-1).numpy()
    for at in range(0, flat.size, 1 << 18):
        piece = flat[at : at + (1 << 18)]
        piece[:] = np.float32(1 if gain else 0) + mix(counters(key, at, piece.size)).view(np.int32).astype(np.float32) * scale


def batch(case, step, micro):
    key = mixed(mixed(mixed(case["seed"]) + step) + micro)
    n = case["sequences"] * case["length"]
    tokens = mix(counters(key, 0, 2 * n)) % np.uint32(case["model"]["vocabulary"])
    both = torch.from_numpy(tokens.astype(np.int64)).view(2, case["sequences"], case["length"])
    return both[0], both[1]


def adamw(model, settings, kind):
    parameters = list(model.parameters())  # a tied head counts once
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings["weightDecay"]},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=settings["learningRate"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        **ADAMW[kind],
    )


def probe(case):
    """Milliseconds of an update by each kind of AdamW that this version has on CPUs: the least, taken in turns."""
    model = Gpt(case["model"])
    for p in model.parameters():
        p.grad = torch.full_like(p, 1e-3)
    optimizers = {}
    for kind in ADAMW:
        try:
            optimizers[kind] = adamw(model, case["optimizer"], kind)
            optimizers[kind].step()
        except (RuntimeError, TypeError):
            optimizers.pop(kind, None)
    least = dict.fromkeys(optimizers, math.inf)
    until = time.perf_counter() + 3.0
    rounds = 0
    while rounds < 5 or time.perf_counter() < until:
        for kind, optimizer in optimizers.items():
            start = time.perf_counter()
            optimizer.step()
            least[kind] = min(least[kind], 1e3 * (time.perf_counter() - start))
        rounds += 1
    return least


class Warmup:
    """pacer's Warmup: over when two windows of steps in a row were no faster than the best before them, within 2 %."""

    def __init__(self, most_seconds):
        self.most = 1e3 * most_seconds
        self.window = []
        self.all = 0.0
        self.best = math.inf
        self.no_better = 0
        self.steps = 0

    def add(self, millis):
        self.steps += 1
        self.all += millis
        self.window.append(millis)
        if len(self.window) >= 3 and sum(self.window) >= 500:
            median = float(np.median(self.window))
            self.no_better = self.no_better + 1 if median >= 0.98 * self.best else 0
            self.best = min(self.best, median)
            self.window = []

    def steady(self):
        return self.no_better >= 2

    def over(self):
        return self.steady() or self.all >= self.most


def measure(case, kind):
    bf16 = case["precision"] == "bf16"
    model = Gpt(case["model"]).train()
    for name, parameter in model.named_parameters():
        fill(case["seed"], name, parameter)
    optimizer = adamw(model, case["optimizer"], kind)
    taken = 0

    def prepare():
        return [batch(case, taken, micro) for micro in range(case["microSteps"])]

    def step(batches):
        total = 0.0
        for tokens, targets in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                loss = model(tokens, targets) / case["microSteps"]
            loss.backward()
            total += loss.item()
        if case["gradientClip"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), case["gradientClip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return total

    losses = []
    first_step = 0.0
    warmup = Warmup(case["warmupSeconds"])
    while warmup.steps < COMPARED_STEPS or not warmup.over():
        batches = prepare()
        start = time.perf_counter()
        loss = step(batches)
        warmup.add(1e3 * (time.perf_counter() - start))
        taken += 1
        if taken == 1:
            first_step = 1e3 * time.time()
        if taken <= COMPARED_STEPS:
            losses.append(loss)
    millis = []
    cpu_before = time.process_time()
    for _ in range(case["steps"]):
        batches = prepare()
        start = time.perf_counter()
        step(batches)
        millis.append(1e3 * (time.perf_counter() - start))
        taken += 1
    cpu = 1e3 * (time.process_time() - cpu_before) / len(millis)
    p10, median, p90 = (float(p) for p in np.percentile(millis, [10, 50, 90]))
    tokens = case["sequences"] * case["length"] * case["microSteps"]
    return {
        "engine": "PyTorch " + torch.__version__,
        "runtime": "Python " + platform.python_version() + ", numpy " + np.__version__,
        "device": "CPU, " + str(torch.get_num_threads()) + " threads, " + torch.backends.cpu.get_cpu_capability(),
        "settings": [
            "eager",
            "autocast to bf16" if bf16 else "fp32",
            "AdamW " + kind,
            "scaled_dot_product_attention",
            "zero_grad(set_to_none=True)",
        ],
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens": tokens,
        "warmupSteps": warmup.steps,
        "steady": warmup.steady(),
        "steps": len(millis),
        "losses": losses,
        "millis": {"median": median, "p10": p10, "p90": p90},
        "cpuMillis": cpu,
        "tokensPerSecond": 1e3 * tokens / median,
        "firstStepEpochMillis": first_step,
        "peakBytes": peak_bytes(),
    }


def peak_bytes():
    """VmHWM; None on systems other than Linux."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except FileNotFoundError:
        return None


def end_with_parent():
    while os.read(0, 1):
        pass
    os._exit(1)


def main():
    # a pipe is held open by the parent, and its end means that the parent is gone
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=end_with_parent, daemon=True).start()
    if len(sys.argv) == 3 and sys.argv[2] == "--probe":
        kind = None
    elif len(sys.argv) == 4 and sys.argv[2] == "--adamw" and sys.argv[3] in ADAMW:
        kind = sys.argv[3]
    else:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        case = json.load(file)
    torch.set_num_threads(case["threads"])
    print(json.dumps(probe(case) if kind is None else measure(case, kind)), flush=True)


main()
