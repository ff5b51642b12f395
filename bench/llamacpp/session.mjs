// What is measured and in which order. `engines` runs the programs ({ours, peer, startup, modelFile}), so that tests can put in others; `clock` tells
// the milliseconds that are left ({left()}).
import {compare, summarize} from "./statistics.mjs";

const short = 64;
export const lengths = {prefill: 512, decode: 64, quickDecode: 32, batch: 8, context: 4096};

/** Runs rounds until there are enough, or the next would not end in time; the first is always run. */
export async function rounds(wanted, clock, allowedMs, run) {
    const start = clock.left();
    for (let i = 0; i < wanted; i++) {
        const before = clock.left();
        await run(i);
        const took = before - clock.left();
        if (start - clock.left() + took * 1.1 > allowedMs) break;
    }
}

/** Runs both sides, the one that is first in turns. */
async function alternate(i, ours, peer) {
    if (i % 2 === 0) {
        const a = await ours();
        return [a, await peer()];
    }
    const b = await peer();
    return [await ours(), b];
}

/** A first look at both sides: which setting of flash attention makes the peer faster over a prompt and a reply, and how fast each is about. */
export async function calibrate(engines, model, options) {
    const prefill = options.quick ? 128 : lengths.prefill;
    const sizes = {prefill, context: prefill, decode: 8, batch: 1};
    const ours = await engines.ours({model, prefill: 32, context: 32, decode: 4, batch: 1});
    const tried = {};
    // llama.cpp has no attention over block-quantised values but the flash kind.
    for (const flash of options.kv === "q8_0" ? [true] : [true, false]) {
        const [result] = (await engines.peer({model, flash, measures: [sizes]})).results;
        tried[flash ? "on" : "off"] = {...result, seconds: lengths.prefill / result.prefill + lengths.decode / result.decode};
    }
    const flash = !tried.off || tried.on.seconds <= tried.off.seconds;
    return {flash, tried, speeds: [ours, tried[flash ? "on" : "off"]]};
}

/** The lengths for a type: halved until two rounds should end in time, on a machine that is slow or busy. */
export function chooseSizes(options, speeds, allowedMs) {
    const startSeconds = 4; // of a process, its model and its limits
    let prefill = lengths.prefill;
    let decode = options.quick ? lengths.quickDecode : lengths.decode;
    const round = () => speeds.reduce((sum, r) => sum + startSeconds + (prefill + short) / r.prefill + (decode + 8) / r.decode, 0);
    while (2 * round() * 1000 > allowedMs && prefill > short) {
        prefill /= 2;
        decode /= 2;
    }
    return {prefill, context: prefill, decode: Math.max(decode, 8), batch: 1};
}

/** Prefill and decode of one type on both sides. */
export async function measureType(type, options, engines, clock, allowedMs, earlier) {
    const model = await engines.modelFile(type);
    const ours = [];
    const peer = [];
    const until = clock.left() - allowedMs;
    const choice = earlier ?? await calibrate(engines, model, options);
    const sizes = chooseSizes(options, choice.speeds, clock.left() - until);
    await rounds(options.rounds, clock, clock.left() - until, async (i) => {
        const [a, b] = await alternate(i, () => engines.ours({model, ...sizes}), () => engines.peer({model, flash: choice.flash, measures: [sizes]}));
        ours.push(a);
        peer.push({...b, ...b.results[0]});
    });
    const of = (list, name) => list.map((r) => r[name]);
    return {
        sizes,
        prefill: compare(of(ours, "prefill"), of(peer, "prefill")),
        decode: compare(of(ours, "decode"), of(peer, "decode")),
        weight_bytes: ours[0].json.weight_bytes,
        flops_per_token: ours[0].json.matrix_flops_per_token,
        peak_rss_bytes: Math.max(...ours.map((r) => r.json.peak_rss_bytes)),
        bandwidths: ours.map((r) => r.json.read_bandwidth_bytes_per_second),
        peaks: ours.map((r) => r.json.fma_peak_flops_per_second),
        kernels: ours[0].json.kernels, library: peer[0].library, system_info: peer[0].system_info, release: peer[0].release, choice
    };
}

/** Two decoding situations on both sides, and what the second keeps or gains of the first. */
async function measureTwo(first, second, options, engines, clock, allowedMs, model, flash) {
    const lists = {ours: [[], []], peer: [[], []]};
    await rounds(Math.min(options.rounds, 3), clock, allowedMs, async (i) => {
        const [a, b] = await alternate(
            i,
            async () => [await engines.ours({model, ...first}), await engines.ours({model, ...second})],
            async () => (await engines.peer({model, flash, measures: [first, second]})).results);
        for (const k of [0, 1]) {
            lists.ours[k].push(a[k].decode);
            lists.peer[k].push(b[k].decode);
        }
    });
    const factor = (list) => summarize(list[1]).median / summarize(list[0]).median;
    return {first: compare(lists.ours[0], lists.peer[0]), second: compare(lists.ours[1], lists.peer[1]), ours_factor: factor(lists.ours), peer_factor: factor(lists.peer)};
}

/** Eight sequences decoded together against one. */
export async function measureBatch(type, options, engines, clock, allowedMs, flash) {
    const model = await engines.modelFile(type);
    const decode = options.quick ? 16 : 32;
    const one = {prefill: short, context: short, decode, batch: 1};
    const r = await measureTwo(one, {...one, batch: lengths.batch}, options, engines, clock, allowedMs, model, flash);
    return {type, sequences: lengths.batch, one: r.first, together: r.second, gain: r.ours_factor, peer_gain: r.peer_factor, ratio: r.second.ratio};
}

/** Decoding behind a long text against behind a short one. */
export async function measureContext(type, options, engines, clock, allowedMs, flash) {
    const model = await engines.modelFile(type);
    const near = {prefill: short, context: short, decode: 32, batch: 1};
    const r = await measureTwo(near, {...near, context: lengths.context}, options, engines, clock, allowedMs, model, flash);
    return {type, tokens: lengths.context, short: r.first, long: r.second, kept: r.ours_factor, peer_kept: r.peer_factor, ratio: r.second.ratio};
}

/** Milliseconds from process start to the first token. Times, so a ratio below 1 means that ours is faster. */
export async function measureStartup(type, options, engines, clock, allowedMs) {
    const big = await engines.modelFile(type);
    const result = {type};
    const parts = [["tiny", null], ["model_1b", big]];
    for (const [name, model] of parts) {
        const ours = [];
        const peer = [];
        await rounds(5, clock, allowedMs / parts.length, async (i) => {
            const [a, b] = await alternate(i, () => engines.startup.ours(model), () => engines.startup.peer(model));
            ours.push(a);
            peer.push(b);
        });
        // The first start of each reads files that are not cached yet.
        const skip = ours.length > 1 ? 1 : 0;
        result[name] = compare(ours.slice(skip), peer.slice(skip));
    }
    return result;
}

/** A run was ended because the time was up. */
export class TimeUpError extends Error {}

/** Everything, within the time that is left; what it does not suffice for is named in `not_measured`. */
export async function measureAll(options, engines, clock, log) {
    const result = {types: {}, not_measured: []};
    const extrasShare = options.quick ? 0.25 : 0.45; // part of the time for what follows the types
    const end = clock.left() * extrasShare;
    const section = async (name, run) => {
        try {
            log(name);
            return await run();
        } catch (error) {
            if (!(error instanceof TimeUpError)) throw error;
            log(`${name}: no time left`);
            result.not_measured.push(name);
            return undefined;
        }
    };

    let choice = null;
    for (const [i, type] of options.types.entries()) {
        const allowed = (clock.left() - end) / (options.types.length - i);
        const measured = await section(type, () => measureType(type, options, engines, clock, allowed, options.quick ? choice : null));
        if (measured) {
            result.types[type] = measured;
            choice = measured.choice;
        }
    }
    if (!choice) throw new TimeUpError("time: expected enough of it for one type, got none measured (a busy machine?)");

    const type = result.types.q4_0 ? "q4_0" : Object.keys(result.types)[0];
    const {flash} = result.types[type].choice;
    result.startup = await section("startup", () => measureStartup(type, options, engines, clock, clock.left() * (options.quick ? 0.5 : 0.15)));
    if (!options.quick || clock.left() > 1.5 * batchMs(result.types[type])) {
        result.batch = await section("batch", () => measureBatch(type, options, engines, clock, clock.left() * (options.quick ? 0.9 : 0.3), flash));
    } else {
        result.not_measured.push("batch");
    }
    if (!options.quick) result.context = await section("context", () => measureContext(type, options, engines, clock, clock.left() * 0.9, flash));
    return result;
}

/** About how long a round of the batch section takes: prompts of eight and of one sequence, and decoding that is no faster together than one by one. */
function batchMs({prefill, decode}) {
    const of = (side) => 10 + (lengths.batch + 1) * (2 * short / prefill[side].median + 24 / decode[side].median);
    return 1000 * (of("ours") + of("peer"));
}
