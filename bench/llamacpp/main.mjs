// Driver of bench/vs-llamacpp, which builds puna and installs the peer first: node main.mjs ROOT STARTED OPTIONS..., STARTED in seconds since 1970.
import fs from "node:fs";
import path from "node:path";
import {fileURLToPath} from "node:url";
import {parseArguments, usage, UsageError} from "./arguments.mjs";
import {hasAmx, hasVnni, interestingFlags, peerFeatures, readCpuFlags} from "./machine.mjs";
import {run, timeToFirstByte} from "./processes.mjs";
import {buildReport, formatReport} from "./report.mjs";
import {measureAll} from "./session.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const prompt = "Once upon a time";
// Quick promises 8 minutes; what is left of them after the last measurement is for the report, and for a round that takes longer than the one before.
const limitSeconds = {quick: {planned: 380, hard: 465}, full: {planned: 2 * 3600, hard: 4 * 3600}};

async function main([root, started, ...args]) {
    const options = parseArguments(args);
    if (options.help || started === "check") return options.help ? console.log(usage) : undefined;
    const puna = path.join(root, "src/Puna.Cli/bin/Release/net10.0", process.platform === "win32" ? "puna.exe" : "puna");
    const modules = path.join(root, "artifacts/peer/node_modules");
    const log = (text) => process.stderr.write(`vs-llamacpp: ${text}\n`);
    const limits = options.quick ? limitSeconds.quick : limitSeconds.full;
    const clock = {left: () => (Number(started) + limits.planned) * 1000 - Date.now(), hard: () => (Number(started) + limits.hard) * 1000 - Date.now()};

    const doctor = JSON.parse(await run(puna, ["doctor", "--json"]));
    const flags = readCpuFlags();
    options.threads ??= doctor.logical_cores;
    const kvOfOurs = /--kv\b/.test(await run(puna, ["help", "bench"]));
    options.kv ??= kvOfOurs ? "f16" : "f32";
    if (!kvOfOurs && options.kv !== "f32") throw new UsageError(`option --kv: expected f32, the only cache this build of puna has, got ${options.kv}`);
    const amxHeldBack = holdBackAmx(modules, hasAmx(flags) && !options.peerAmx);

    const engines = makeEngines({root, puna, modules, options, kvOfOurs, log, clock});
    const measured = await measureAll(options, engines, clock, log);
    const machine = {
        processor: doctor.processor, cores: doctor.logical_cores, memory_bytes: doctor.memory_bytes, os: doctor.os, runtime: doctor.runtime, node: process.version,
        vnni: hasVnni(flags), amx: hasAmx(flags), amx_held_back: amxHeldBack, flags: interestingFlags(flags),
        peer_version: JSON.parse(fs.readFileSync(path.join(modules, "node-llama-cpp/package.json"), "utf8")).version,
        peer_features: peerFeatures(Object.values(measured.types)[0].system_info)
    };
    const commit = await commitOf(root);
    const report = buildReport({measured, machine, options, commit, command: ["bench/vs-llamacpp", ...args].join(" "), seconds: Math.round(Date.now() / 1000 - Number(started))});
    const stored = options.out ?? path.join(root, "artifacts/bench", `vs-llamacpp-${commit.replace(/\W+/g, "-")}-${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
    fs.mkdirSync(path.dirname(path.resolve(stored)), {recursive: true});
    fs.writeFileSync(`${stored}.tmp`, `${JSON.stringify(report, null, 2)}\n`);
    fs.renameSync(`${stored}.tmp`, stored);
    console.log(formatReport(report));
    log(`stored in ${path.relative(root, path.resolve(stored))}`);
    if (options.json) console.log(JSON.stringify(report));
}

function makeEngines({root, puna, modules, options, kvOfOurs, log, clock}) {
    const threads = ["--threads", String(options.threads)];
    const kv = kvOfOurs ? ["--kv", options.kv] : [];
    return {
        async modelFile(type) {
            const file = path.join(root, "artifacts/models", `random-llama-3.2-1b-${type}.gguf`);
            if (!fs.existsSync(file)) {
                log(`writing ${path.relative(root, file)}`);
                fs.mkdirSync(path.dirname(file), {recursive: true});
                await run("dotnet", [path.join(root, "tools/Puna.RandomModel/bin/Release/net10.0/random-model.dll"), file, "--type", type]);
            }
            return file;
        },
        async ours({model, prefill, context, decode, batch}) {
            const sizes = ["--prefill", prefill, "--context", context, "--decode", decode, "--batch", batch, "--runs", 1].map(String);
            const json = JSON.parse(await run(puna, ["bench", "--model", model, ...sizes, ...threads, ...kv, "--json"], clock.hard()));
            return {prefill: json.prefill_tokens_per_second, decode: json.decode_tokens_per_second, json};
        },
        async peer({model, flash, measures}) {
            const job = {modules, model, threads: options.threads, kv: options.kv, flash, measures};
            return JSON.parse((await run(process.execPath, [path.join(here, "peer-run.mjs"), JSON.stringify(job)], clock.hard())).trim().split("\n").pop());
        },
        startup: {
            // --json prints when the text is complete, which with one token is when the first token is there.
            ours: (model) => timeToFirstByte(puna, ["run", ...(model ? ["--model", model] : []), ...threads, "--raw", "--temperature", "0", "--max-tokens", "1", "--json", prompt], clock.hard()),
            peer: (model) => timeToFirstByte(process.execPath, [
                path.join(here, "peer-first-token.mjs"), modules, model ?? path.join(root, "src/Puna.DefaultModel/puna-tiny.gguf"), String(options.threads), prompt
            ], clock.hard())
        }
    };
}

/** Takes the library that uses AMX tiles out of the peer's reach, or gives it back; its loader then takes the next best. */
function holdBackAmx(modules, hold) {
    const name = path.join(modules, "@node-llama-cpp/linux-x64/bins/linux-x64/libggml-cpu-sapphirerapids.so");
    const away = `${name}.held`;
    if (hold && fs.existsSync(name)) fs.renameSync(name, away);
    if (!hold && fs.existsSync(away)) fs.renameSync(away, name);
    return hold;
}

async function commitOf(root) {
    try {
        const id = (await run("git", ["-C", root, "rev-parse", "--short=12", "HEAD"])).trim();
        const changed = (await run("git", ["-C", root, "status", "--porcelain", "--untracked-files=no"])).trim() !== "";
        return changed ? `${id} with changes` : id;
    } catch {
        return "unknown";
    }
}

try {
    await main(process.argv.slice(2));
} catch (error) {
    console.error(`vs-llamacpp: ${error.message}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
}
