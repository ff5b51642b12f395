// Programs that are run and what they print.
import {spawn} from "node:child_process";

/** Runs a program to its end and returns its standard output; throws with the last line of its standard error where it fails. */
export function run(command, args, {timeoutMs = 1_800_000} = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, {stdio: ["ignore", "pipe", "pipe"]});
        let out = "";
        let err = "";
        const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
        child.stdout.on("data", (data) => { out += data; });
        child.stderr.on("data", (data) => { err = (err + data).slice(-4000); });
        child.on("error", (error) => { clearTimeout(timer); reject(new Error(`${command}: ${error.message}`)); });
        child.on("close", (code, signal) => {
            clearTimeout(timer);
            if (code === 0) return resolve(out);
            const last = err.trim().split("\n").pop();
            reject(new Error(`${command} ${args[0]}: expected exit code 0, got ${code ?? signal}${last ? ` (${last})` : ""}`));
        });
    });
}

/** Milliseconds from starting a program to the first byte it prints; waits until it has ended. */
export function timeToFirstByte(command, args) {
    return new Promise((resolve, reject) => {
        const start = performance.now();
        const child = spawn(command, args, {stdio: ["ignore", "pipe", "pipe"]});
        let first = null;
        let err = "";
        child.stdout.on("data", () => { first ??= performance.now() - start; });
        child.stderr.on("data", (data) => { err = (err + data).slice(-4000); });
        child.on("error", (error) => reject(new Error(`${command}: ${error.message}`)));
        child.on("close", (code, signal) => {
            if (code === 0 && first !== null) return resolve(first);
            reject(new Error(`${command} ${args[0]}: expected output and exit code 0, got ${code ?? signal} (${err.trim().split("\n").pop()})`));
        });
    });
}
