"""Trains the shapes of `Puna.Bench -- training` with PyTorch on the CPU and prints a line of JSON: rates of its own 1024-cube product and of whole steps.

Arguments: threads, rounds, rows. The model is written here from its definition, with PyTorch's own fused attention where it has one, and its AdamW.
"""
import json, math, sys, time
import torch
import torch.nn.functional as F

HIDDEN, FFN, LAYERS, HEADS, HEAD, VOCAB, LENGTH = 288, 768, 6, 6, 48, 4096, 512


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.qkv, self.o = linear(HIDDEN, 3 * HIDDEN), linear(HIDDEN, HIDDEN)
        self.gate_up, self.down = linear(HIDDEN, 2 * FFN), linear(FFN, HIDDEN)
        self.n1, self.n2 = torch.nn.Parameter(torch.ones(HIDDEN)), torch.nn.Parameter(torch.ones(HIDDEN))

    def forward(self, x, cos, sin):
        b, s, _ = x.shape
        q, k, v = self.qkv(norm(x, self.n1)).view(b, s, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        y = attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + self.o(y.transpose(1, 2).reshape(b, s, HIDDEN))
        gate, up = self.gate_up(norm(x, self.n2)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = torch.nn.Embedding(VOCAB, HIDDEN), torch.nn.Linear(HIDDEN, VOCAB, bias=False)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(LAYERS))
        self.n = torch.nn.Parameter(torch.ones(HIDDEN))

    def forward(self, ids, cos, sin):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        return self.head(norm(x, self.n))


def attention(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = q @ k.transpose(-2, -1) / math.sqrt(HEAD)                          # before PyTorch 2.0
    return torch.softmax(scores.masked_fill(torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1), -math.inf), -1) @ v


def norm(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * w


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def product():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    best = math.inf
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 1024 ** 3 / best


def main():
    threads, rounds, rows = (int(v) for v in sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1)
    angles = torch.arange(LENGTH)[:, None] * 10000.0 ** (-torch.arange(0, HEAD, 2) / HEAD)
    cos, sin = angles.cos(), angles.sin()
    ids = (torch.arange(LENGTH)[None] * 7919 + torch.arange(rows)[:, None] * 104729) % VOCAB

    def step():
        logits = model(ids, cos, sin)
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, VOCAB), ids[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    step()
    seconds, peaks = [], []
    for _ in range(rounds):
        peaks.append(product())
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"version": torch.__version__, "product": max(peaks), "tokens_per_second": rows * LENGTH / sorted(seconds)[len(seconds) // 2]}))


main()
