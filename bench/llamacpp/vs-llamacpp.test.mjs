// node --test bench/llamacpp: the driver with a peer of known speed in place of the programs.
import assert from "node:assert/strict";
import test from "node:test";
import {parseArguments, UsageError} from "./arguments.mjs";
import {cpuFlags, cpuLibrary, hasAmx, hasVnni, peerFeatures} from "./machine.mjs";
import {run, timeToFirstByte} from "./processes.mjs";
import {buildReport, formatReport} from "./report.mjs";
import {chooseSizes, measureAll, rounds, TimeUpError} from "./session.mjs";
import {compare, round, summarize} from "./statistics.mjs";

test("options have defaults and are checked", () => {
    assert.deepEqual(parseArguments(["--quick"]).types, ["q4_0", "q8_0"]);
    assert.deepEqual(parseArguments([]).types, ["q8_0", "q4_0", "q4_k_m", "q6_k", "bf16", "f16"]);
    const given = parseArguments(["--types=BF16,q6_k,bf16", "--threads", "3", "--json", "--kv", "f16", "--rounds", "7"]);
    assert.deepEqual([given.types, given.threads, given.json, given.kv, given.rounds], [["bf16", "q6_k"], 3, true, "f16", 7]);
    for (const bad of [["--type"], ["--types", "q3"], ["--threads", "0"], ["--threads"], ["--threads", "1e2"], ["--json=1"], ["x"], ["--kv", "int8"]]) {
        assert.throws(() => parseArguments(bad), UsageError, bad.join(" "));
    }
});

test("medians, spreads and ratios", () => {
    assert.deepEqual(summarize([3, 1, 2]), {median: 2, min: 1, max: 3, runs: 3});
    assert.equal(summarize([4, 1, 2, 3]).median, 2.5);
    assert.throws(() => summarize([]), RangeError);
    const c = compare([10, 30, 20], [10, 10, 40]);
    assert.deepEqual([c.ratio, c.ratio_min, c.ratio_max], [2, 0.5, 3]);
    assert.deepEqual(round({a: [1234567, 1.234567], b: "x", c: null, d: true}), {a: [1234567, 1.235], b: "x", c: null, d: true});
});

test("what the processor and the peer tell is read", () => {
    const flags = cpuFlags("processor : 0\nflags\t\t: fpu avx2 avx512_vnni amx_tile\nflags : other\n");
    assert.deepEqual([flags.length, hasVnni(flags), hasAmx(flags), hasVnni(cpuFlags("")), hasVnni(["avx_vnni"])], [4, true, true, false, true]);
    assert.deepEqual(peerFeatures("CPU : SSE3 = 1 | AVX2 = 1 | AMX_INT8 = 0 | REPACK = 1 | "), ["SSE3", "AVX2"]);
    const map = (name) => `7f00-7f01 r-xp 00000000 fd:00 1 /a b/${name}\n`;
    assert.equal(cpuLibrary(map("libggml-base.so") + map("libggml-cpu-haswell.so") + map("libggml-cpu-haswell.so")), "libggml-cpu-haswell.so");
    assert.throws(() => cpuLibrary(map("libggml-cuda.so")), /got libggml-cuda.so/);
    assert.equal(cpuLibrary(""), null);
});

test("rounds end when the next would be too late, but one is always run", async () => {
    const count = async (wanted, allowed) => {
        let left = 1000;
        let done = 0;
        await rounds(wanted, {left: () => left}, allowed, async () => { done++; left -= 100; });
        return done;
    };
    assert.deepEqual([await count(3, 1000), await count(5, 250), await count(5, 0)], [3, 2, 1]);
});

test("lengths are those of the contract where there is time, and shorter where there is not", () => {
    const options = {quick: true};
    assert.deepEqual(chooseSizes(options, [{prefill: 50, decode: 10}, {prefill: 50, decode: 10}], 120_000), {prefill: 512, context: 512, decode: 32, batch: 1});
    const slow = chooseSizes(options, [{prefill: 5, decode: 1}, {prefill: 50, decode: 10}], 120_000);
    assert.ok(slow.prefill < 512 && slow.prefill >= 64 && slow.decode >= 8);
});

test("a program that fails or takes too long is an error", async () => {
    assert.equal(await run(process.execPath, ["-e", "console.log(7)"]), "7\n");
    await assert.rejects(run(process.execPath, ["-e", "console.error('why'); process.exit(3)"]), /got 3 \(why\)/);
    await assert.rejects(run(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], 50), TimeUpError);
    await assert.rejects(timeToFirstByte(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], 50), TimeUpError);
    assert.ok(await timeToFirstByte(process.execPath, ["-e", "console.log(1)"]) > 0);
    await assert.rejects(timeToFirstByte("/no/such/program", []), /no such|ENOENT/i);
});

// Ours decodes 12 tokens per second and the peer 8, or 10 without flash attention; prompts 90 and 60.
function fakeEngines({seconds = 1, fail = () => false} = {}) {
    let now = 0;
    const calls = [];
    const spend = (name) => {
        if (fail(name, now)) throw new TimeUpError("late");
        now += seconds;
        calls.push(name);
    };
    const rate = (together, context) => (together > 1 ? 4 : 1) * (context > 1000 ? 0.5 : 1);
    const json = {weight_bytes: 1e9, matrix_flops_per_token: 2e9, peak_rss_bytes: 5, read_bandwidth_bytes_per_second: 24e9, fma_peak_flops_per_second: 360e9, kernels: "avx2"};
    return {
        calls,
        clock: (total) => ({left: () => (total - now) * 1000}),
        modelFile: async (type) => type,
        ours: async ({batch, context}) => { spend("ours"); return {prefill: 90, decode: 12 * rate(batch, context), json}; },
        peer: async ({flash, measures}) => {
            spend(flash ? "flash" : "peer");
            return {
                library: "libggml-cpu-haswell.so", system_info: "CPU : AVX2 = 1 | ", release: "b1",
                results: measures.map(({batch, context}) => ({prefill: 60, decode: (flash ? 8 : 10) * rate(batch, context)}))
            };
        },
        startup: {ours: async (model) => { spend("start"); return model ? 200 : 100; }, peer: async () => { spend("start"); return 400; }}
    };
}

const machine = {processor: "P", vnni: false, flags: ["avx2"], peer_features: ["AVX2"], peer_version: "1.0.0", amx_held_back: false};
const reportOf = (measured, options) => buildReport({measured, machine, options, commit: "abc", command: "bench/vs-llamacpp", seconds: 1});

test("a full run has every section, with the ratios that the speeds give", async () => {
    const engines = fakeEngines();
    const options = {...parseArguments(["--types", "q4_0,q6_k"]), threads: 2, kv: "f32"};
    const report = JSON.parse(JSON.stringify(reportOf(await measureAll(options, engines, engines.clock(3600), () => {}), options)));
    assert.deepEqual(Object.keys(report.types), ["q4_0", "q6_k"]);
    const {q4_0: t} = report.types;
    assert.deepEqual([t.decode_ratio, t.prefill_ratio, t.bandwidth_share, t.fma_share], [1.2, 1.5, 0.5, 0.5]);
    assert.deepEqual([t.peer_bandwidth_share, t.peer_fma_share, t.peer_flash_attention], [0.4167, 0.3333, false]);
    assert.equal(t.decode_tokens_per_second.ours.runs, 5);
    assert.deepEqual([report.vnni, report.startup.tiny.ratio, report.startup.model_1b.ratio], [false, 0.25, 0.5]);
    assert.deepEqual([report.batch.gain, report.batch.peer_gain, report.context.kept, report.context.ratio], [4, 4, 0.5, 1.2]);
    assert.deepEqual([report.not_measured, report.commit, report.kv], [[], "abc", "f32"]);
    const text = formatReport(report);
    assert.match(text, /q4_0 +decode +12\.0 \(12\.0-12\.0\) +10\.0 \(10\.0-10\.0\) +ratio 1\.20 \(1\.20-1\.20\)  shares 50 % \/ 42 %  \[puna avx2 \/ llama\.cpp libggml-cpu-haswell\.so\]/);
    // After the first look (ours, both settings), the sides take turns in being first.
    assert.deepEqual(engines.calls.slice(0, 9), ["ours", "flash", "peer", "ours", "peer", "peer", "ours", "ours", "peer"]);
});

test("a quick run looks at the peer's settings once and stays in its time", async () => {
    const engines = fakeEngines({seconds: 20});
    const options = {...parseArguments(["--quick"]), threads: 2, kv: "f32"};
    const clock = engines.clock(380);
    const report = reportOf(await measureAll(options, engines, clock, () => {}), options);
    assert.deepEqual(Object.keys(report.types), ["q4_0", "q8_0"]);
    assert.equal(engines.calls.filter((name) => name === "flash").length, 1);
    assert.ok(clock.left() > -60_000, `${clock.left()}`);
    assert.equal(report.context, undefined);
});

test("what there was no time for is named, and nothing at all is an error", async () => {
    const options = {...parseArguments(["--quick"]), threads: 2, kv: "f32"};
    const late = fakeEngines({fail: (name) => name === "start"});
    const report = reportOf(await measureAll(options, late, late.clock(380), () => {}), options);
    assert.deepEqual(report.not_measured, ["startup"]);
    assert.match(formatReport(report), /no time for: startup/);
    const never = fakeEngines({fail: () => true});
    await assert.rejects(measureAll(options, never, never.clock(380), () => {}), /expected enough of it for one type/);
});
