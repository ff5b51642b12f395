// The least program that makes text with node-llama-cpp: node peer-first-token.mjs MODULES MODEL THREADS PROMPT. Prints one token, the most likely one.
import path from "node:path";
import {pathToFileURL} from "node:url";

const [modules, modelPath, threads, prompt] = process.argv.slice(2);
const {getLlama} = await import(pathToFileURL(path.join(modules, "node-llama-cpp", "dist", "index.js")).href);
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: "error", maxThreads: 0});
const model = await llama.loadModel({modelPath, gpuLayers: 0});
const context = await model.createContext({contextSize: 512, threads: Number(threads)});
for await (const token of context.getSequence().evaluate(model.tokenize(prompt), {temperature: 0})) {
    process.stdout.write(`token ${token} ${JSON.stringify(model.detokenize([token]))}\n`, () => process.exit(0));
    break;
}
