'use strict';
const $ = id => document.getElementById(id);
const make = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };

// What the browser keeps: conversations, settings, and the key.
const load = (key, standard) => { try { return JSON.parse(localStorage.getItem('puna.' + key)) ?? standard; } catch { return standard; } };
const save = (key, value) => { try { localStorage.setItem('puna.' + key, JSON.stringify(value)); return true; } catch { return false; } };
let chats = load('chats', []);
let current = null;
let running = null;
let pictures = [];
let seeing = new Set();
const fields = ['system', 'temperature', 'top_p', 'max_tokens', 'seed', 'logprobs', 'key', 'theme'];
const settings = load('settings', {});

for (const name of fields) {
  const field = $(name);
  if (name in settings) field.type === 'checkbox' ? field.checked = settings[name] : field.value = settings[name];
  field.addEventListener('change', () => {
    settings[name] = field.type === 'checkbox' ? field.checked : field.value;
    save('settings', settings);
    if (name === 'theme') theme();
    if (name === 'key') models();
  });
}
const theme = () => { document.documentElement.dataset.theme = settings.theme || ''; };
theme();

const headers = () => ({ 'content-type': 'application/json', ...(settings.key ? { authorization: 'Bearer ' + settings.key } : {}) });

function askKey() {
  const dialog = $('ask');
  if (dialog.open) return;
  dialog.onclose = () => { settings.key = $('askkey').value; $('key').value = settings.key; save('settings', settings); models(); };
  dialog.showModal();
}

async function models() {
  try {
    const answer = await fetch('/v1/models', { headers: headers() });
    if (answer.status === 401) { askKey(); return; }
    const list = (await answer.json()).data;
    $('model').replaceChildren(...list.map(m => { const o = make('option', '', m.id); o.value = m.id; return o; }));
    if (settings.model && list.some(m => m.id === settings.model)) $('model').value = settings.model;
    seeing = new Set(list.filter(m => m.input_modalities?.includes('image')).map(m => m.id));
    note();
  } catch { $('speed').textContent = 'The server does not answer.'; }
}
$('model').addEventListener('change', () => { settings.model = $('model').value; save('settings', settings); note(); });

// Conversations.
function begin() { current = { id: Date.now() + '-' + Math.random(), title: 'New conversation', messages: [] }; show(); if (!coarse()) $('input').focus(); }
function keep() {
  if (!current.messages.length || current.gone) return;
  const first = current.messages.find(m => m.role === 'user');
  if (first) current.title = plain(first.content).slice(0, 60) || 'Picture';
  chats = [current, ...chats.filter(c => c.id !== current.id)].slice(0, 100);
  store();
  list();
}
// Where the browser's room is used up (pictures are large) the oldest conversations give way, never the present one without a word.
function store() {
  while (!save('chats', chats)) {
    if (chats.length <= 1) { $('speed').textContent = 'The browser has no room to keep this conversation.'; return; }
    chats.pop();
  }
}
function list() {
  $('list').replaceChildren(...chats.map(chat => {
    const row = make('div', chat.id === current?.id ? 'on' : '');
    const open = make('button', '', chat.title);
    open.onclick = () => { stop(); current = chat; show(); document.body.classList.remove('open'); };
    const remove = make('button', 'del', '×');
    remove.setAttribute('aria-label', 'Delete ' + chat.title);
    remove.onclick = () => { chat.gone = true; chats = chats.filter(c => c !== chat); store(); if (chat.id === current.id) { stop(); begin(); } else list(); };
    row.append(open, remove);
    return row;
  }));
}
const plain = content => typeof content === 'string' ? content : content.filter(p => p.type === 'text').map(p => p.text).join('');

// Text of a model is put in as text nodes, never as markup; of Markdown there is what chat models write: fences, headings, lists, quotes, rules,
// emphasis, code and links. A link goes to http or https only, so that no text of a model can run as a script.
const INLINE = /`([^`\n]+)`|\*\*(\S(?:[^\n]*?\S)?)\*\*|\*(\S(?:[^*\n]*?\S)?)\*|\[([^\]\n]+)\]\((https?:\/\/[^\s()]+)\)/;
function inline(parent, text) {
  for (let m; (m = INLINE.exec(text)); text = text.slice(m.index + m[0].length)) {
    parent.append(text.slice(0, m.index));
    if (m[1]) parent.append(make('code', '', m[1]));
    else if (m[5]) { const a = make('a', '', m[4]); a.href = m[5]; a.target = '_blank'; a.rel = 'noopener noreferrer'; parent.append(a); }
    else { const e = make(m[2] ? 'strong' : 'em'); inline(e, m[2] || m[3]); parent.append(e); }
  }
  parent.append(text);
}
function write(body, text) {
  body.replaceChildren();
  let kind = '', block = null, fence = '';
  const open = (name, tag) => { if (kind !== name) { block = make(tag); body.append(block); kind = name; return true; } return false; };
  for (const line of text.split('\n')) {
    const ticks = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence) {
      if (ticks?.startsWith(fence) && line.trim() === ticks) { fence = ''; kind = ''; } else block.append((block.textContent ? '\n' : '') + line);
      continue;
    }
    let m;
    if (ticks) { const pre = make('pre'); block = make('code'); pre.append(block); body.append(pre); fence = ticks; kind = 'code'; }
    else if (!line.trim()) kind = kind === 'ul' || kind === 'ol' ? kind : '';
    else if ((m = /^(#{1,6})\s+(.*)$/.exec(line))) { const h = make('h' + Math.min(6, m[1].length + 2)); inline(h, m[2]); body.append(h); kind = ''; }
    else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) { body.append(make('hr')); kind = ''; }
    else if ((m = /^(\s*)([-*+]|(\d{1,9})[.)])\s+(.*)$/.exec(line))) {
      if (open(m[3] ? 'ol' : 'ul', m[3] ? 'ol' : 'ul') && m[3]) block.start = Number(m[3]);
      const item = make('li', m[1].length > 1 ? 'deep' : ''); inline(item, m[4]); block.append(item);
    }
    else if ((m = /^>\s?(.*)$/.exec(line))) { if (!open('quote', 'blockquote')) block.append('\n'); inline(block, m[1]); }
    else if ((kind === 'ul' || kind === 'ol') && /^\s/.test(line)) { block.lastChild.append('\n'); inline(block.lastChild, line.trim()); }
    else { if (!open('p', 'p')) block.append('\n'); inline(block, line); }
  }
}
// A character may be spread over several tokens: their bytes are decoded as one stream, and the character stands in the token that completes it.
function tokens(body, list) {
  const decoder = new TextDecoder();
  body.replaceChildren(...list.map(t => {
    const p = Math.exp(t.logprob);
    const text = t.bytes ? decoder.decode(Uint8Array.from(t.bytes), { stream: true }) : t.token;
    const e = make('span', 'tok ' + (p > .8 ? 'p1' : p > .4 ? 'p2' : p > .1 ? 'p3' : 'p4'), text);
    e.title = [`${(100 * p).toFixed(1)} %`, ...(t.top_logprobs || []).map(o => `${JSON.stringify(o.token)} ${(100 * Math.exp(o.logprob)).toFixed(1)} %`)].join('\n');
    return e;
  }));
}
function element(message, index) {
  const box = make('div', 'msg ' + message.role), body = make('div', 'body');
  box.append(make('div', 'who', message.role === 'user' ? 'You' : message.model || 'Model'), body);
  fill(body, message);
  if (message.error) box.append(make('div', 'error', message.error));
  const tools = make('div', 'tools');
  const copy = make('button', '', 'Copy');
  copy.onclick = () => navigator.clipboard?.writeText(plain(message.content));
  tools.append(copy);
  if (message.role === 'assistant') {
    const again = make('button', '', 'Regenerate');
    again.onclick = () => { if (running) return; current.messages.length = index; show(); answer(); };
    tools.append(again);
  }
  box.append(tools);
  return box;
}
function fill(body, message) {
  if (message.tokens?.length) tokens(body, message.tokens); else write(body, plain(message.content));
  if (Array.isArray(message.content)) for (const p of message.content) if (p.type === 'image_url') { const i = make('img'); i.src = p.image_url.url; i.alt = 'picture'; body.append(i); }
  for (const call of message.calls || []) if (call) body.append(make('div', 'call', `${call.name}(${call.arguments})`));
}
function show() { $('log').replaceChildren(...current.messages.map(element)); $('log').scrollTop = $('log').scrollHeight; list(); }

// Replies.
function request() {
  const number = (id, name, read) => $(id).value === '' ? {} : { [name]: read($(id).value) };
  return {
    model: $('model').value,
    messages: [...($('system').value ? [{ role: 'system', content: $('system').value }] : []), ...current.messages.filter(m => !m.error || m.content).map(m => ({ role: m.role, content: m.content }))],
    stream: true,
    stream_options: { include_usage: true },
    ...number('temperature', 'temperature', Number), ...number('top_p', 'top_p', Number), ...number('max_tokens', 'max_tokens', Number), ...number('seed', 'seed', Number),
    ...($('logprobs').checked ? { logprobs: true, top_logprobs: 5 } : {}),
  };
}
async function answer() {
  const chat = current, message = { role: 'assistant', content: '', model: $('model').value, tokens: [], calls: [] };
  const body = request();
  chat.messages.push(message);
  show();
  const shown = $('log').lastElementChild.querySelector('.body');
  running = new AbortController();
  $('send').hidden = true; $('stop').hidden = false;
  const started = performance.now();
  let first = 0, usage = null, waiting = 0;
  // Once a frame at most: a fast model sends more tokens than a screen shows, and each drawing costs the whole message.
  const draw = () => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      if (chat !== current) return;
      const atEnd = $('log').scrollHeight - $('log').scrollTop - $('log').clientHeight < 60;
      fill(shown, message);
      if (atEnd) $('log').scrollTop = $('log').scrollHeight;
    });
  };
  try {
    const reply = await fetch('/v1/chat/completions', { method: 'POST', headers: headers(), body: JSON.stringify(body), signal: running.signal });
    if (reply.status === 401) askKey();
    if (!reply.ok) { const e = (await reply.json().catch(() => null))?.error; throw new Error(e?.message || e || `The server answered ${reply.status} ${reply.statusText}`); }
    for await (const event of events(reply.body)) {
      if (event.error) throw new Error(event.error.message);
      usage = event.usage || usage;
      const delta = event.choices?.[0]?.delta;
      if (!delta) continue;
      if (delta.content) { first ||= performance.now(); message.content += delta.content; }
      message.tokens.push(...(event.choices[0].logprobs?.content || []));
      for (const call of delta.tool_calls || []) {
        const c = message.calls[call.index] ||= { name: '', arguments: '' };
        c.name += call.function?.name || ''; c.arguments += call.function?.arguments || '';
      }
      draw();
    }
  } catch (e) {
    if (e.name !== 'AbortError') message.error = e.message;
  }
  cancelAnimationFrame(waiting);
  running = null;
  $('send').hidden = false; $('stop').hidden = true;
  if (usage) {
    const seconds = (performance.now() - (first || started)) / 1000;
    $('speed').textContent = `${usage.completion_tokens} tokens, ${(Math.max(usage.completion_tokens - 1, 0) / Math.max(seconds, .001)).toFixed(1)}/s, first after ${((first || performance.now()) - started).toFixed(0)} ms`;
  }
  if (!message.tokens.length) delete message.tokens;
  const viewed = current;
  current = chat; keep(); current = viewed;
  if (chat === viewed) show(); else list();
  if (!coarse()) $('input').focus();
}
// On a phone the focus would bring up the keyboard over what is to be read, and Enter breaks the line.
const coarse = () => matchMedia('(pointer: coarse)').matches;
async function* events(stream) {
  const reader = stream.getReader(), decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    let end;
    while ((end = rest.indexOf('\n\n')) >= 0) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (!line.startsWith('data: ')) continue;
      if (line === 'data: [DONE]') return;
      yield JSON.parse(line.slice(6));
    }
  }
}
function stop() { running?.abort(); }

// Pictures by paste, drop, or chosen from the files (a phone can neither paste nor drop them). A model that sees none is not sent any.
const sees = () => seeing.has($('model').value);
const blind = () => $('model').value + ' does not see pictures.';
function note(text = '') {
  $('pick').disabled = !sees();
  $('pick').title = sees() ? 'Add a picture (or paste, or drop it)' : blind();
  $('note').textContent = text || (pictures.length && !sees() ? blind() : '');
}
function picture(file) {
  if (!sees()) { note(blind()); return; }
  if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type)) { note('Pictures are PNG, JPEG, WebP or GIF.'); return; }
  const reader = new FileReader();
  reader.onload = () => { pictures.push(reader.result); preview(); };
  reader.readAsDataURL(file);
}
function preview() {
  note();
  $('images').replaceChildren(...pictures.map((url, i) => { const e = make('button', 'thumb'), img = make('img'); img.src = url; img.alt = ''; e.type = 'button'; e.setAttribute('aria-label', 'Remove this picture'); e.append(img); e.onclick = () => { pictures.splice(i, 1); preview(); }; return e; }));
}
addEventListener('paste', e => { for (const f of e.clipboardData?.files || []) picture(f); });
$('pick').onclick = () => $('file').click();
$('file').onchange = () => { for (const f of $('file').files) picture(f); $('file').value = ''; };
addEventListener('dragover', e => e.preventDefault());
addEventListener('drop', e => { e.preventDefault(); for (const f of e.dataTransfer.files) picture(f); });

$('form').addEventListener('submit', e => {
  e.preventDefault();
  const text = $('input').value.trim();
  if (running || (!text && !pictures.length)) return;
  if (pictures.length && !sees()) { note(); return; }
  current.messages.push({ role: 'user', content: pictures.length ? [...pictures.map(url => ({ type: 'image_url', image_url: { url } })), { type: 'text', text }] : text });
  $('input').value = ''; pictures = []; preview(); grow();
  answer();
});
const grow = () => { const i = $('input'); i.style.height = 'auto'; i.style.height = Math.min(i.scrollHeight + i.offsetHeight - i.clientHeight, innerHeight * .4) + 'px'; };
$('input').addEventListener('input', grow);
$('input').addEventListener('keydown', e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing && !coarse()) { e.preventDefault(); $('form').requestSubmit(); } });
addEventListener('keydown', e => {
  if (e.key === 'Escape') { if (document.body.classList.contains('open')) document.body.classList.remove('open'); else stop(); }
  if (e.ctrlKey && e.shiftKey && e.key.toLowerCase() === 'o') { e.preventDefault(); stop(); begin(); }
});
$('stop').onclick = stop;
$('new').onclick = () => { stop(); begin(); document.body.classList.remove('open'); };
$('menu').onclick = () => document.body.classList.toggle('open');
$('log').addEventListener('click', () => document.body.classList.remove('open'));

begin();
grow();
models();
