// What is measured and in which order. `engines` runs the programs ({ours, peer, startup, modelFile}), so that tests can put in others; `clock` tells
// the milliseconds that are left ({left()}).
import {compare, summarize} from "./statistics.mjs";

export const lengths = {prefill: 512, decode: 64, quickDecode: 32, batch: 8, context: 4096};
const short = 64;

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

/** Which setting of flash attention makes the peer faster over a prompt and a reply. */
export async function chooseFlash(engines, model, decode) {
    const sizes = {prefill: lengths.prefill, context: lengths.prefill, decode: Math.min(decode, 16), batch: 1};
    const tried = {};
    for (const flash of [true, false]) {
        const [result] = (await engines.peer({model, flash, measures: [sizes]})).results;
        tried[flash ? "on" : "off"] = {...result, seconds: lengths.prefill / result.prefill + decode / result.decode};
    }
    return {flash: tried.on.seconds <= tried.off.seconds, tried};
}

/** Prefill and decode of one type on both sides. */
export async function measureType(type, options, engines, clock, allowedMs, flash) {
    const model = await engines.modelFile(type);
    const decode = options.quick ? lengths.quickDecode : lengths.decode;
    const sizes = {prefill: lengths.prefill, context: lengths.prefill, decode, batch: 1};
    const ours = [];
    const peer = [];
    const until = clock.left() - allowedMs;
    const choice = flash ?? await chooseFlash(engines, model, decode);
    await rounds(options.rounds, clock, clock.left() - until, async (i) => {
        const [a, b] = await alternate(i, () => engines.ours({model, ...sizes}), () => engines.peer({model, flash: choice.flash, measures: [sizes]}));
        ours.push(a);
        peer.push({...b, ...b.results[0]});
    });
    const of = (list, name) => list.map((r) => r[name]);
    return {
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
    for (const [k, [name, model]] of parts.entries()) {
        const ours = [];
        const peer = [];
        await rounds(5, clock, allowedMs / parts.length, async (i) => {
            const [a, b] = await alternate(i, () => engines.startup.ours(model), () => engines.startup.peer(model));
            ours.push(a);
            peer.push(b);
        });
        // The first start of each reads files that are not cached yet.
        const skip = ours.length > 1 && k >= 0 ? 1 : 0;
        result[name] = compare(ours.slice(skip), peer.slice(skip));
    }
    return result;
}

/** Everything, within the time that is left. */
export async function measureAll(options, engines, clock, log) {
    const result = {types: {}};
    const extras = options.quick ? 0.3 : 0.45; // part of the time for what follows the types
    let flash = null;
    let left = options.types.length;
    const end = clock.left() * extras;
    for (const type of options.types) {
        log(`${type}: prefill and decode`);
        const allowed = (clock.left() - end) / left--;
        result.types[type] = await measureType(type, options, engines, clock, allowed, options.quick ? flash : null);
        flash = result.types[type].choice;
    }

    const type = options.types.includes("q4_0") ? "q4_0" : options.types[0];
    const setting = result.types[type].choice.flash;
    log("start-up");
    result.startup = await measureStartup(type, options, engines, clock, clock.left() * 0.25);
    const lastRound = roundSeconds(result.types[type]) * 1000;
    if (!options.quick || clock.left() > 3 * lastRound) {
        log(`${type}: ${lengths.batch} sequences together`);
        result.batch = await measureBatch(type, options, engines, clock, clock.left() * (options.quick ? 0.9 : 0.2), setting);
    }
    if (!options.quick) {
        log(`${type}: behind ${lengths.context} tokens`);
        result.context = await measureContext(type, options, engines, clock, clock.left() * 0.9, setting);
    }
    return result;
}

function roundSeconds({prefill, decode}) {
    return ["ours", "peer"].reduce((sum, side) => sum + lengths.prefill / prefill[side].median + lengths.quickDecode / decode[side].median + 5, 0);
}
