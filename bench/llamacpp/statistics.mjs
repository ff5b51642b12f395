// Medians, spreads and ratios of paired measurements.

/** {median, min, max, runs} of at least one number. */
export function summarize(values) {
    if (values.length === 0) throw new RangeError("values: expected at least one, got none");
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return {median, min: sorted[0], max: sorted[sorted.length - 1], runs: sorted.length};
}

/**
 * Ours over the peer's: the ratio of the medians, and the smallest and largest ratio within a round. The two measurements of a round follow each
 * other directly, so a machine that is slower for a while slows both.
 */
export function compare(ours, peer) {
    const a = summarize(ours);
    const b = summarize(peer);
    const pairs = ours.slice(0, peer.length).map((value, i) => value / peer[i]);
    const spread = summarize(pairs);
    return {ratio: a.median / b.median, ratio_min: spread.min, ratio_max: spread.max, ours: a, peer: b};
}

/** Numbers of a result, cut to significant digits that a measurement has. */
export function round(value, digits = 4) {
    if (typeof value === "number") return Number.isInteger(value) ? value : Number(value.toPrecision(digits));
    if (Array.isArray(value)) return value.map((v) => round(v, digits));
    if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, round(v, digits)]));
    return value;
}
