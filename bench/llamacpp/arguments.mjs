// The options of bench/vs-llamacpp.

export const usage = `usage: bench/vs-llamacpp [--quick] [--json] [--types q8_0,q4_0,...] [--threads N] [--kv f32|f16|q8_0] [--rounds N] [--peer-amx] [--out FILE]

Measures puna and llama.cpp (npm package node-llama-cpp, its prebuilt library) in turns: the same model files with random weights in the shape
of Llama 3.2 1B, the same threads, the same type of key-value cache. Prints medians, ratios (puna / llama.cpp; above 1 is faster) and their spread.

  --quick      Q4_0 and Q8_0 only and fewer rounds; ends within 8 minutes
  --json       the last line is one JSON object
  --types      which types to measure (default all: q8_0, q4_0, q4_k_m, q6_k, bf16, f16)
  --threads    threads of both (default: the logical cores of this process)
  --kv         type of the key-value cache of both (default: f16 where this build of puna has it, else f32)
  --rounds     rounds per type (default 5, with --quick 3; fewer where time runs out)
  --peer-amx   leave llama.cpp its library that uses AMX tiles, where the processor has them (default: held back)
  --out        where the result is stored (default: artifacts/bench/vs-llamacpp-COMMIT-TIME.json)`;

export const allTypes = ["q8_0", "q4_0", "q4_k_m", "q6_k", "bf16", "f16"];
const quickTypes = ["q4_0", "q8_0"];
const kvTypes = ["f32", "f16", "q8_0"];

export class UsageError extends Error {}

/** Reads the command line; throws UsageError with one line where it is not understood. */
export function parseArguments(args) {
    const options = {quick: false, json: false, help: false, peerAmx: false, types: null, threads: null, kv: null, rounds: null, out: null};
    for (let i = 0; i < args.length; i++) {
        const [name, inline] = args[i].startsWith("--") && args[i].includes("=") ? split(args[i]) : [args[i], undefined];
        const value = () => {
            const given = inline ?? args[++i];
            if (given === undefined || given === "") throw new UsageError(`option ${name}: expected a value, got none`);
            return given;
        };
        const flag = () => {
            if (inline !== undefined) throw new UsageError(`option ${name}: expected no value, got ${inline}`);
            return true;
        };
        switch (name) {
            case "--quick": options.quick = flag(); break;
            case "--json": options.json = flag(); break;
            case "--peer-amx": options.peerAmx = flag(); break;
            case "--help": case "-h": options.help = flag(); break;
            case "--types": options.types = value().toLowerCase().split(",").map((t) => oneOf(name, t, allTypes)); break;
            case "--kv": options.kv = oneOf(name, value().toLowerCase(), kvTypes); break;
            case "--threads": options.threads = count(name, value(), 1024); break;
            case "--rounds": options.rounds = count(name, value(), 100); break;
            case "--out": options.out = value(); break;
            default: throw new UsageError(`argument ${name}: expected an option of bench/vs-llamacpp (--help lists them)`);
        }
    }

    options.types = [...new Set(options.types ?? (options.quick ? quickTypes : allTypes))];
    options.rounds ??= options.quick ? 3 : 5;
    return options;
}

function split(argument) {
    const at = argument.indexOf("=");
    return [argument.slice(0, at), argument.slice(at + 1)];
}

function oneOf(name, value, choices) {
    if (!choices.includes(value)) throw new UsageError(`option ${name}: expected ${choices.join(", ")}, got ${value}`);
    return value;
}

function count(name, text, most) {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
    if (!(value >= 1 && value <= most)) throw new UsageError(`option ${name}: expected a whole number from 1 to ${most}, got ${text}`);
    return value;
}
