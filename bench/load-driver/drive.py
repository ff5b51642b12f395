"""Open-loop load on `puna serve` (see bench/load). A request goes out when its time has come, whether earlier ones are answered or not."""
import argparse
import asyncio
import csv
import json
import random
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime

WORDS = "the llama walked down from the cold lake to the village and carried wool salt bread and a letter for the old woman who knew the way home".split()


def arguments():
    p = argparse.ArgumentParser(prog="bench/load")
    p.add_argument("--model")
    p.add_argument("--mix", choices=["chat", "long", "prefix", "json", "trace"], default="chat")
    p.add_argument("--trace", help="CSV with TIMESTAMP,ContextTokens,GeneratedTokens")
    p.add_argument("--rates", default="1,2,4,8", help="arrivals per second, rising")
    p.add_argument("--seconds", type=float, default=20, help="how long each rate is kept up")
    p.add_argument("--parallel", type=int, default=16)
    p.add_argument("--slowdown", help="as of puna serve")
    p.add_argument("--plot")
    a = p.parse_args()
    if a.mix == "trace" and not a.trace:
        p.error("--mix trace: expected --trace F.csv with it")
    a.rates = [float(r) for r in a.rates.split(",")]
    return a


def text(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(max(1, words)))


def requests(a, rate, context, rng):
    """Yields (time of arrival, prompt, most tokens, extra members)."""
    shared = text(random.Random(1), context // 3)
    if a.mix == "trace":
        with open(a.trace, newline="", encoding="utf-8") as f:
            rows = [(datetime.fromisoformat(r["TIMESTAMP"][:26]), int(r["ContextTokens"]), int(r["GeneratedTokens"])) for _, r in zip(range(5000), csv.DictReader(f))]
        # The first minutes of the recordings are nearly empty.
        rows = rows[1000:] or rows
        # Lengths are scaled so that the longest fits the context; gaps so that the mean rate is the one asked for.
        scale = context / 2 / max(c + g for _, c, g in rows)
        span = (rows[-1][0] - rows[0][0]).total_seconds() / (len(rows) - 1)
        for at, prompt, generated in rows:
            when = (at - rows[0][0]).total_seconds() / (span * rate)
            if when > a.seconds:
                return
            yield when, text(rng, int(prompt * scale * 0.7)), max(1, int(generated * scale)), {}
        return
    when = rng.expovariate(rate)
    while when < a.seconds:
        if a.mix == "chat":
            yield when, text(rng, rng.randint(5, 40)), rng.randint(16, 64), {}
        elif a.mix == "long":
            yield when, text(rng, context // 3), rng.randint(8, 32), {}
        elif a.mix == "prefix":
            yield when, shared + " " + text(rng, 10), rng.randint(8, 32), {}
        else:
            yield when, "Give me an object with a name and an age.", 64, {"response_format": {"type": "json_object"}}
        when += rng.expovariate(rate)


async def one(port, model, prompt, most, extra, results):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": most, "stream": True, "ignore_eos": not extra, "temperature": 0.8, **extra}).encode()
    started = time.perf_counter()
    stamps, error = [], None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        status = (await reader.readline()).split()[1]
        done = False
        async for line in reader:
            if line.startswith(b"data: "):
                if line.startswith(b"data: [DONE]"):
                    done = True
                elif b'"error":' in line[:20]:
                    error = "event"
                elif b'"content":"' in line and b'"role"' not in line:
                    stamps.append(time.perf_counter())
        writer.close()
        error = error or (None if status == b"200" and done else status.decode())
    except (OSError, IndexError) as e:
        error = type(e).__name__
    results.append((started, stamps, error))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def idle_gaps(port, model):
    """Times between tokens of one request at a time: what a request sees where there is no other."""
    gaps = []
    for i in range(8):
        results = []
        await one(port, model, "Tell me a story about a llama.", 64, {"seed": i}, results)
        if i > 1:
            gaps += [y - x for _, t, e in results if e is None for x, y in zip(t, t[1:])]
    return gaps


async def shared_prefix(port, model, context):
    """Times to the first token of pairs of requests that begin with the same 1,000 tokens and end differently. Pairs differ from each other in their first words."""
    words = 1000
    firsts, seconds, tokens = [], [], 0
    for pair in range(5):
        prefix = text(random.Random(100 + pair), words)
        if pair == 0:
            tokens = await count(port, prefix)
            words = int(words * 1000 / tokens) + 1
            prefix = text(random.Random(100), words)
            tokens = await count(port, prefix)
            if tokens + 100 > context:
                return f"the context of {context} tokens has no room for a shared prefix of 1,000"
        times = []
        for end in ("How does it end?", "Who was it?"):
            results = []
            await one(port, model, prefix + " " + end, 4, {}, results)
            times += [t[0] - s for s, t, e in results if e is None and t]
        if len(times) == 2:
            firsts.append(times[0])
            seconds.append(times[1])
    if not firsts:
        return "the model did not answer (has it a chat format?)"
    first, second = statistics.median(firsts), statistics.median(seconds)
    return {"prefix_tokens": tokens, "first": first, "second": second, "ratio": first / second}


async def count(port, content):
    body = json.dumps({"content": content}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
    answer = await reader.read()
    writer.close()
    return int(re.search(rb'"count":(\d+)', answer).group(1))


async def drive(a, port, model, context, pid):
    table = []
    gaps = await idle_gaps(port, model)
    idle = {"gap_p50": percentile(gaps, 0.5), "gap_p99": percentile(gaps, 0.99)}
    print(f"idle: {len(gaps)} gaps between tokens, p50 {idle['gap_p50']:.4f} s, p99 {idle['gap_p99']:.4f} s", file=sys.stderr)
    if a.mix == "prefix":
        p = await shared_prefix(port, model, context)
        idle["shared_prefix"] = p if isinstance(p, dict) else None
        if isinstance(p, dict):
            print(f"idle: first token with {p['prefix_tokens']} tokens new {p['first']:.3f} s, seen before {p['second']:.4f} s, {p['ratio']:.1f} times", file=sys.stderr)
        else:
            print(f"idle: {p}", file=sys.stderr)
    print(f"{'rate/s':>7} {'done':>5} {'failed':>6} {'tokens/s':>9} {'first p50':>10} {'first p99':>10} {'gap p50':>8} {'gap p99':>8} {'p99/idle':>8} {'memory':>9}", file=sys.stderr)
    for rate in a.rates:
        results, tasks = [], []
        begin = time.perf_counter()
        for when, prompt, most, extra in requests(a, rate, context, random.Random(7)):
            await asyncio.sleep(max(0, begin + when - time.perf_counter()))
            tasks.append(asyncio.create_task(one(port, model, prompt, most, extra, results)))
        await asyncio.gather(*tasks)
        seconds = time.perf_counter() - begin
        good = [(s, t) for s, t, e in results if e is None and t]
        first = [t[0] - s for s, t in good]
        gaps = [y - x for _, t in good for x, y in zip(t, t[1:])]
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            memory = next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))
        row = {
            "rate": rate, "requests": len(results), "failed": sum(1 for _, _, e in results if e is not None), "tokens_per_second": sum(len(t) for _, t in good) / seconds,
            "first_token_p50": percentile(first, 0.5), "first_token_p99": percentile(first, 0.99), "gap_p50": percentile(gaps, 0.5), "gap_p99": percentile(gaps, 0.99), "gap_p99_over_idle": percentile(gaps, 0.99) / (idle["gap_p99"] or 1), "rss_bytes": memory,
        }
        errors = {}
        for _, _, e in results:
            if e is not None:
                errors[e] = errors.get(e, 0) + 1
        row["errors"] = errors
        table.append(row)
        print(f"{rate:7.1f} {len(good):5d} {row['failed']:6d} {row['tokens_per_second']:9.1f} {row['first_token_p50']:10.3f} {row['first_token_p99']:10.3f} {row['gap_p50']:8.4f} {row['gap_p99']:8.4f} {row['gap_p99_over_idle']:8.2f} {memory / 2**20:6.0f} MB {errors or ''}", file=sys.stderr)
    return idle, table


def plot(path, table):
    """Throughput, the 99th percentile of gaps and memory over the rate, each scaled to its own largest value."""
    width, height, left = 640, 320, 60
    top = max(r["rate"] for r in table)
    lines = []
    for i, (key, label, unit, colour) in enumerate((("tokens_per_second", "tokens per second", 1, "#1f6f8b"), ("gap_p99", "99th percentile of seconds between tokens", 1, "#b5482a"), ("rss_bytes", "resident memory in MB", 2**20, "#5b7f3a"))):
        most = max(r[key] for r in table) or 1
        points = " ".join(f"{left + (width - 2 * left) * r['rate'] / top:.1f},{height - 40 - (height - 110) * r[key] / most:.1f}" for r in table)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        lines.append(f'<text x="{left}" y="{20 + 16 * i}" fill="{colour}">{label} (largest {most / unit:.4g})</text>')
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>{"".join(lines)}'
                f'<text x="{width / 2 - 60}" y="{height - 10}">arrivals per second, up to {top:g}</text></svg>\n')


def main():
    a = arguments()
    command = ["src/Puna.Cli/bin/Release/net10.0/puna", "serve", "--port", "0", "--parallel", str(a.parallel)] + (["--slowdown", a.slowdown] if a.slowdown else []) + (["--model", a.model] if a.model else [])
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if " at http://127.0.0.1:" not in line:
            sys.exit("load: the server did not start")
        port = int(line.rsplit(":", 1)[1])
        import urllib.request
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models") as answer:
            model = json.load(answer)["data"][0]
        idle, table = asyncio.run(drive(a, port, model["id"], model["max_model_len"], server.pid))
    finally:
        server.terminate()
        server.wait(30)
    if a.plot:
        plot(a.plot, table)
    print(json.dumps({"mix": a.mix, "model": a.model or "embedded", "idle": idle, "rates": table}))


main()
