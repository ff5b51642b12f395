// What the processor has, and what each side uses of it.
import fs from "node:fs";

/** The flags of the first processor in the text of /proc/cpuinfo. */
export function cpuFlags(cpuinfo) {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo);
    return line ? line[1].trim().split(/\s+/) : [];
}

export function readCpuFlags() {
    try {
        return cpuFlags(fs.readFileSync("/proc/cpuinfo", "utf8"));
    } catch {
        return [];
    }
}

const interesting = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimddp", "i8mm", "sve"];

export const hasVnni = (flags) => flags.includes("avx512_vnni") || flags.includes("avx_vnni");
export const hasAmx = (flags) => flags.includes("amx_tile");
export const interestingFlags = (flags) => interesting.filter((name) => flags.includes(name));

/** The features that llama.cpp's system information line says are used: "CPU : AVX2 = 1 | FMA = 1 | ..." */
export function peerFeatures(systemInfo) {
    return [...systemInfo.matchAll(/(\w+) = 1/g)].map((m) => m[1]).filter((name) => !["REPACK", "LLAMAFILE", "OPENMP"].includes(name));
}

/** The name of the processor library among the libraries that a process has mapped, and an error where one for a GPU is among them. */
export function cpuLibrary(maps) {
    const files = [...new Set(maps.split("\n").map((line) => line.split(/\s+/).slice(5).join(" ")).filter((name) => /libggml[^/]*\.(so|dylib)/.test(name)))];
    const names = files.map((name) => name.slice(name.lastIndexOf("/") + 1));
    const gpu = names.find((name) => /cuda|vulkan|metal|hip|sycl/.test(name));
    if (gpu) throw new Error(`peer: expected a library for the processor, got ${gpu}`);
    return names.find((name) => name.startsWith("libggml-cpu")) ?? null;
}
