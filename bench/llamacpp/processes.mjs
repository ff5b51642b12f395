// Programs that are run and what they print.
import {spawn} from "node:child_process";
import {TimeUpError} from "./session.mjs";

/** Ends a program when the time is up, so that it rejects with TimeUpError. */
function limit(child, timeoutMs, reject, what) {
    return setTimeout(() => {
        child.kill("SIGKILL");
        reject(new TimeUpError(`${what}: expected an end in time, got none`));
    }, Math.max(0, Math.min(timeoutMs, 2 ** 31 - 1)));
}

/** Runs a program to its end and returns its standard output; throws with the last line of its standard error where it fails. */
export function run(command, args, timeoutMs = Infinity) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, {stdio: ["ignore", "pipe", "pipe"]});
        let out = "";
        let err = "";
        const timer = limit(child, timeoutMs, reject, args[0]);
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
export function timeToFirstByte(command, args, timeoutMs = Infinity) {
    return new Promise((resolve, reject) => {
        const start = performance.now();
        const child = spawn(command, args, {stdio: ["ignore", "pipe", "pipe"]});
        let first = null;
        let err = "";
        const timer = limit(child, timeoutMs, reject, args[0]);
        child.stdout.on("data", () => { first ??= performance.now() - start; });
        child.stderr.on("data", (data) => { err = (err + data).slice(-4000); });
        child.on("error", (error) => { clearTimeout(timer); reject(new Error(`${command}: ${error.message}`)); });
        child.on("close", (code, signal) => {
            clearTimeout(timer);
            if (code === 0 && first !== null) return resolve(first);
            reject(new Error(`${command} ${args[0]}: expected output and exit code 0, got ${code ?? signal} (${err.trim().split("\n").pop()})`));
        });
    });
}
