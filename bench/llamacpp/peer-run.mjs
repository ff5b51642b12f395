// One run of llama.cpp through node-llama-cpp: node peer-run.mjs JOB, where JOB is JSON:
// {modules, model, threads, kv, flash, measures: [{prefill, context, decode, batch}]}. Prints one JSON object.
//
// Tokens are given to the library's own batch call, not to the generator of the JavaScript API, and nothing is sampled: the peer is charged for
// evaluating only. Logits are computed for the last token of a prompt and for each decoded token, as on our side.
import fs from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {cpuLibrary} from "./machine.mjs";

const job = JSON.parse(process.argv[2]);
const {getLlama} = await import(pathToFileURL(path.join(job.modules, "node-llama-cpp", "dist", "index.js")).href);
const batchSize = 512;

const llama = await getLlama({gpu: false, build: "never", skipDownload: true, usePrebuiltBinaries: true, progressLogs: false, logLevel: "error", maxThreads: 0});
const library = process.platform === "linux" ? cpuLibrary(fs.readFileSync("/proc/self/maps", "utf8")) : null;
const started = performance.now();
const model = await llama.loadModel({modelPath: job.model, gpuLayers: 0, useMmap: true, ignoreMemorySafetyChecks: true});
const loadMs = performance.now() - started;
const vocabulary = 128000; // of the models that the driver writes, special tokens aside

let seed = 1;
const randomTokens = (n) => Uint32Array.from({length: n}, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % vocabulary;
});

async function measure({prefill, context: before, decode, batch}) {
    const context = await model.createContext({
        contextSize: before + decode, sequences: batch, batchSize: Math.max(batchSize, batch), threads: job.threads, flashAttention: job.flash,
        ignoreMemorySafetyChecks: true, experimentalKvCacheKeyType: job.kv.toUpperCase(), experimentalKvCacheValueType: job.kv.toUpperCase()
    });
    const native = context._ctx;
    if (native.getThreads() !== job.threads) throw new Error(`threads of the peer: expected ${job.threads}, got ${native.getThreads()}`);

    const pass = async (count, at, wantLogits) => {
        native.initBatch(count * batch);
        for (let s = 0; s < batch; s++) native.addToBatch(s, at, randomTokens(count), wantLogits ? Uint32Array.of(count - 1) : new Uint32Array(0));
        await native.decodeBatch();
    };
    const read = async (from, to) => {
        const chunk = Math.max(1, Math.floor(batchSize / batch));
        for (let at = from; at < to; at += chunk) {
            const count = Math.min(chunk, to - at);
            await pass(count, at, at + count === to);
        }
    };
    const run = async (prompt, upTo, steps) => {
        for (let s = 0; s < batch; s++) native.removeTokenCellsFromSequence(s, 0, -1);
        const start = performance.now();
        await read(0, prompt);
        const prefillMs = performance.now() - start;
        await read(prompt, upTo);
        const decodeStart = performance.now();
        for (let i = 0; i < steps; i++) await pass(1, upTo + i, true);
        return {prefill: prompt * batch * 1000 / prefillMs, decode: steps * batch * 1000 / (performance.now() - decodeStart)};
    };

    // The same warm-up as puna bench.
    const warm = Math.min(prefill, 64);
    await run(warm, warm, Math.min(8, decode));
    const result = await run(prefill, before, decode);
    await context.dispose();
    return result;
}

const results = [];
for (const item of job.measures) results.push(await measure(item));
const line = JSON.stringify({library, system_info: llama.systemInfo, release: llama.llamaCppRelease.release, load_ms: loadMs, results});
process.stdout.write(`${line}\n`, () => process.exit(0)); // taking the library down is not measured and takes a while
