// The result as one object and as text.
import {round} from "./statistics.mjs";

/** Puts measurements and machine together; ratios and shares of each type are at its top. */
export function buildReport({measured, machine, options, commit, command, seconds}) {
    const all = Object.values(measured.types);
    const bandwidth = Math.max(...all.flatMap((t) => t.bandwidths));
    const peak = Math.max(...all.flatMap((t) => t.peaks));
    const types = Object.fromEntries(Object.entries(measured.types).map(([name, t]) => [name, {
        decode_ratio: t.decode.ratio,
        prefill_ratio: t.prefill.ratio,
        bandwidth_share: t.decode.ours.median * t.weight_bytes / bandwidth,
        peer_bandwidth_share: t.decode.peer.median * t.weight_bytes / bandwidth,
        fma_share: t.prefill.ours.median * t.flops_per_token / peak,
        peer_fma_share: t.prefill.peer.median * t.flops_per_token / peak,
        instruction_sets: t.kernels,
        peer_instruction_sets: machine.peer_features.join(" "),
        decode_tokens_per_second: t.decode,
        prefill_tokens_per_second: t.prefill,
        prefill_tokens: t.sizes.prefill,
        decode_tokens: t.sizes.decode,
        weight_bytes: t.weight_bytes,
        peak_rss_bytes: t.peak_rss_bytes,
        peer_flash_attention: t.choice.flash,
        peer_flash_attention_tried: t.choice.tried
    }]));
    return round({
        vnni: machine.vnni,
        types,
        ...(measured.startup ? {startup: measured.startup} : {}),
        ...(measured.batch ? {batch: measured.batch} : {}),
        ...(measured.context ? {context: measured.context} : {}),
        read_bandwidth_bytes_per_second: bandwidth,
        fma_peak_flops_per_second: peak,
        threads: options.threads,
        kv: options.kv,
        quick: options.quick,
        not_measured: measured.not_measured,
        machine,
        peer: {package: `node-llama-cpp ${machine.peer_version}`, llama_cpp: all[0].release, library: all[0].library, features: machine.peer_features},
        commit,
        command,
        seconds
    });
}

const f = (value, digits = 2) => value.toFixed(digits);
const percent = (value) => `${Math.round(value * 100)} %`;
const rate = (s) => `${f(s.median, 1)} (${f(s.min, 1)}-${f(s.max, 1)})`;

/** The report as lines of text. */
export function formatReport(report) {
    const lines = [];
    const add = (text = "") => lines.push(text);
    const sets = Object.values(report.types)[0];
    const sides = `puna ${sets.instruction_sets} / llama.cpp ${report.peer.library ?? "?"}`;
    add(`machine      ${report.machine.processor}, ${report.threads} threads; ${report.machine.flags.join(" ")}`);
    add(`limits       ${f(report.read_bandwidth_bytes_per_second / 1e9, 1)} GB/s read, ${f(report.fma_peak_flops_per_second / 1e9, 1)} GFLOP/s float32 multiply-add`);
    add(`puna         ${report.commit}, kernels ${sets.instruction_sets}, key-value cache ${report.kv}`);
    add(`llama.cpp    ${report.peer.package} (llama.cpp ${report.peer.llama_cpp}), ${report.peer.library}: ${report.peer.features.join(" ")}, key-value cache ${report.kv}`);
    if (report.machine.amx_held_back) add("             its library with AMX tiles is held back (--peer-amx)");
    add();
    add("tokens per second, median (least-most); ratio = puna / llama.cpp, above 1 is faster; share of the memory bandwidth (decode) and of the float32 peak (prefill)");
    for (const [name, t] of Object.entries(report.types)) {
        row(name, "decode", t.decode_tokens_per_second, t.bandwidth_share, t.peer_bandwidth_share);
        row(name, "prefill", t.prefill_tokens_per_second, t.fma_share, t.peer_fma_share);
        if (t.prefill_tokens !== 512) add(`        over ${t.prefill_tokens} and ${t.decode_tokens} tokens only: this machine is too slow or too busy for more in the time`);
    }
    if (report.not_measured.length > 0) add(`no time for: ${report.not_measured.join(", ")}`);

    if (report.startup) {
        add();
        add("process start to first token, milliseconds; ratio = puna / llama.cpp, below 1 is faster");
        for (const name of ["tiny", "model_1b"]) row(name === "tiny" ? "tiny" : report.startup.type, "startup", report.startup[name]);
    }
    if (report.batch) {
        add();
        add(`${report.batch.sequences} sequences decoded together (${report.batch.type}): puna ${f(report.batch.gain)} times one, llama.cpp ${f(report.batch.peer_gain)} times`);
        row(report.batch.type, "together", report.batch.together);
    }
    if (report.context) {
        add();
        add(`decode behind ${report.context.tokens} tokens (${report.context.type}): puna keeps ${percent(report.context.kept)} of its short-text rate, llama.cpp ${percent(report.context.peer_kept)}`);
        row(report.context.type, "long", report.context.long);
    }
    return lines.join("\n");

    function row(name, what, c, share, peerShare) {
        const shares = share === undefined ? "" : `  shares ${percent(share)} / ${percent(peerShare)}`;
        add(`${name.padEnd(7)} ${what.padEnd(9)} ${rate(c.ours).padEnd(24)} ${rate(c.peer).padEnd(24)} ratio ${f(c.ratio)} (${f(c.ratio_min)}-${f(c.ratio_max)})${shares}  [${sides}]`);
    }
}
