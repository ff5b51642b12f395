// The npm peers of bench/tokenizers: tiktoken (Rust compiled to WebAssembly) and gpt-tokenizer (JavaScript), with the ranks of Llama 3 or 4.
//   node tokenizers.mjs measure NODE_MODULES NAME RANKS TEXTS RUNS   one JSON object a line, as Puna's report
//   node tokenizers.mjs compare FILE...                              the table of ratios from all lines
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const contractions = "'[sS\\u017F]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]', lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]', spaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const patterns = {
  llama3: `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${spaces}`,
  llama4: `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+(?:${contractions})?|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*(?:${contractions})?|\\p{N}{1,3}`
    + `| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`,
};

async function peers(modules, name, ranks) {
  const require = createRequire(path.join(modules, 'x.js'));
  const { Tiktoken } = require('tiktoken');
  const { BytePairEncodingCore } = await import(pathToFileURL(path.join(modules, 'gpt-tokenizer/esm/BytePairEncodingCore.js')));
  const lines = fs.readFileSync(ranks, 'latin1').split('\n').filter(line => line.length > 0).map(line => line.split(' '));
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const openTiktoken = () => new Tiktoken(`! 0 ${lines.map(([token]) => token).join(' ')}`, {}, patterns[name]);
  const openGpt = (cache) => new BytePairEncodingCore({
    bytePairRankDecoder: lines.map(([token]) => {
      const bytes = Buffer.from(token, 'base64');
      try {
        return strict.decode(bytes);
      } catch {
        return [...bytes];
      }
    }),
    tokenSplitRegex: new RegExp(patterns[name], 'gu'),
    mergeCacheSize: cache,
  });
  const encodeWith = core => text => core.encodeNative(text);
  return {
    tiktoken: [openTiktoken, wasm => text => wasm.encode_ordinary(text), wasm => wasm.free()],
    'gpt-tokenizer': [() => openGpt(0), encodeWith, () => {}],
    'gpt-tokenizer+cache': [() => openGpt(100000), encodeWith, () => {}],
  };
}

function hash(ids) {
  let value = 2166136261;
  for (const id of ids) {
    value = Math.imul(value ^ id, 16777619);
  }

  return value >>> 0;
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function measured(runs, action) {
  const times = [];
  let least = Infinity;
  for (let start = performance.now(), i = 0; i < 2 || (i < 50 && performance.now() - start < 300); i++) {
    action();
  }

  for (let i = 0; i < runs; i++) {
    const used = cpu(), start = performance.now();
    action();
    times.push((performance.now() - start) / 1e3);
    least = Math.min(least, cpu() - used);
  }

  times.sort((a, b) => a - b);
  return { seconds: times[runs >> 1], cpu: least };
}

// Texts on which a peer needs more than this once are measured once and no longer one is tried. A megabyte of one letter or of spaces takes the peers minutes, or ends in a WebAssembly
// trap (tiktoken), so these are left out.
const patience = 5;
const measurable = /^(prose|code|scripts|digits-1MB)\.txt$/;

async function measure(modules, name, ranks, texts, runs) {
  for (const [peer, [open, encoder, free]] of Object.entries(await peers(modules, name, ranks))) {
    const print = line => console.log(JSON.stringify({ tokenizer: peer, of: name, ...line }));
    const core = open();
    print({ text: 'open', bytes: fs.statSync(ranks).size, tokens: 0, hash: 0, ...measured(3, () => free(open())) });
    const encode = encoder(core);
    let slow = null;
    for (const file of fs.readdirSync(texts).filter(file => measurable.test(file)).sort()) {
      const text = fs.readFileSync(path.join(texts, file), 'utf8'), base = file.slice(0, -4);
      if (slow && base === slow.replace('1MB', '2MB')) {
        continue;
      }

      try {
        const used = cpu(), start = performance.now(), ids = encode(text), once = (performance.now() - start) / 1e3, onceCpu = cpu() - used;
        slow = once > patience ? base : null;
        print({ text: base, bytes: Buffer.byteLength(text), tokens: ids.length, hash: hash(ids), ...(slow ? { seconds: once, cpu: onceCpu } : measured(runs, () => encode(text))) });
      } catch (error) {
        console.error(`${peer} ${name} ${base}: ${error?.message ?? error}`);
        slow = base;
      }
    }
  }
}

function compare(files) {
  const all = files.flatMap(file => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line)));
  const own = all.filter(line => !line.of && line.tokenizer.endsWith('.model'));
  let different = 0;
  console.log('model   text          peer                   Puna MB/s  peer MB/s  ratio  ids');
  for (const of of ['llama3', 'llama4']) {
    for (const text of [...new Set(own.map(line => line.text))]) {
      const ours = own.filter(line => line.tokenizer === `${of}.model` && line.text === text);
      for (const peer of [...new Set(all.filter(line => line.of === of).map(line => line.tokenizer))]) {
        const theirs = all.filter(line => line.of === of && line.tokenizer === peer && line.text === text);
        if (ours.length === 0 || theirs.length === 0) {
          continue;
        }

        const a = Math.min(...ours.map(line => line.cpu)), b = Math.min(...theirs.map(line => line.cpu)), bytes = ours[0].bytes;
        const same = text === 'open' || ours[0].hash === theirs[0].hash;
        different += same ? 0 : 1;
        console.log(`${of.padEnd(7)} ${text.padEnd(13)} ${peer.padEnd(20)} ${(bytes / a / 1e6).toFixed(1).padStart(11)} ${(bytes / b / 1e6).toFixed(1).padStart(10)} `
          + `${(b / a).toFixed(2).padStart(6)}  ${text === 'open' ? `${(a * 1e3).toFixed(0)} ms, peer ${(b * 1e3).toFixed(0)} ms` : same ? 'same' : 'DIFFERENT'}`);
      }
    }
  }

  process.exitCode = different > 0 ? 1 : 0;
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'measure') {
  const [modules, name, ranks, texts, runs] = rest;
  await measure(path.resolve(modules), name, ranks, texts, Number(runs));
} else {
  compare(rest);
}
