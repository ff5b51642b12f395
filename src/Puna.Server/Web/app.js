'use strict';
const $ = id => document.getElementById(id);
const make = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };

// What the browser keeps: conversations, settings, and the key.
const load = (key, standard) => { try { return JSON.parse(localStorage.getItem('puna.' + key)) ?? standard; } catch { return standard; } };
const save = (key, value) => { try { localStorage.setItem('puna.' + key, JSON.stringify(value)); } catch { $('speed').textContent = 'The browser keeps no more conversations.'; } };
let chats = load('chats', []);
let current = null;
let running = null;
let pictures = [];
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
  } catch { $('speed').textContent = 'The server does not answer.'; }
}
$('model').addEventListener('change', () => { settings.model = $('model').value; save('settings', settings); });

// Conversations.
function begin() { current = { id: Date.now() + '-' + Math.random(), title: 'New conversation', messages: [] }; show(); $('input').focus(); }
function keep() {
  if (!current.messages.length) return;
  const first = current.messages.find(m => m.role === 'user');
  if (first) current.title = plain(first.content).slice(0, 60) || 'Picture';
  chats = [current, ...chats.filter(c => c.id !== current.id)].slice(0, 100);
  save('chats', chats);
  list();
}
function list() {
  $('list').replaceChildren(...chats.map(chat => {
    const row = make('div', chat.id === current?.id ? 'on' : '');
    const open = make('button', '', chat.title);
    open.onclick = () => { stop(); current = chat; show(); document.body.classList.remove('open'); };
    const remove = make('button', 'del', '×');
    remove.setAttribute('aria-label', 'Delete ' + chat.title);
    remove.onclick = () => { chats = chats.filter(c => c !== chat); save('chats', chats); if (chat.id === current.id) begin(); else list(); };
    row.append(open, remove);
    return row;
  }));
}
const plain = content => typeof content === 'string' ? content : content.filter(p => p.type === 'text').map(p => p.text).join('');

// Text of a model is put in as text, never as markup: code in fences and ticks is all that is set apart.
function write(body, text) {
  body.replaceChildren();
  text.split(/```/).forEach((part, i) => {
    if (i % 2) {
      const pre = make('pre'), code = make('code', '', part.replace(/^[\w+#.-]*\n/, ''));
      pre.append(code);
      body.append(pre);
    } else {
      part.split(/`([^`\n]+)`/).forEach((piece, j) => body.append(j % 2 ? make('code', '', piece) : document.createTextNode(piece)));
    }
  });
}
function tokens(body, list) {
  body.replaceChildren(...list.map(t => {
    const p = Math.exp(t.logprob);
    const e = make('span', 'tok ' + (p > .8 ? 'p1' : p > .4 ? 'p2' : p > .1 ? 'p3' : 'p4'), t.token);
    e.title = [`${(100 * p).toFixed(1)} %`, ...t.top_logprobs.map(o => `${JSON.stringify(o.token)} ${(100 * Math.exp(o.logprob)).toFixed(1)} %`)].join('\n');
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
  for (const call of message.calls || []) body.append(make('div', 'call', `${call.name}(${call.arguments})`));
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
  let first = 0, usage = null;
  try {
    const reply = await fetch('/v1/chat/completions', { method: 'POST', headers: headers(), body: JSON.stringify(body), signal: running.signal });
    if (reply.status === 401) askKey();
    if (!reply.ok) throw new Error((await reply.json()).error?.message || reply.statusText);
    for await (const event of events(reply.body)) {
      if (event.error) throw new Error(event.error.message);
      usage = event.usage || usage;
      const delta = event.choices[0]?.delta;
      if (!delta) continue;
      if (delta.content) { first ||= performance.now(); message.content += delta.content; }
      message.tokens.push(...(event.choices[0].logprobs?.content || []));
      for (const call of delta.tool_calls || []) {
        const c = message.calls[call.index] ||= { name: '', arguments: '' };
        c.name += call.function.name || ''; c.arguments += call.function.arguments || '';
      }
      const atEnd = $('log').scrollHeight - $('log').scrollTop - $('log').clientHeight < 60;
      if (chat === current) { fill(shown, message); if (atEnd) $('log').scrollTop = $('log').scrollHeight; }
    }
  } catch (e) {
    if (e.name !== 'AbortError') message.error = e.message;
  }
  running = null;
  $('send').hidden = false; $('stop').hidden = true;
  if (usage) {
    const seconds = (performance.now() - (first || started)) / 1000;
    $('speed').textContent = `${usage.completion_tokens} tokens, ${(Math.max(usage.completion_tokens - 1, 0) / Math.max(seconds, .001)).toFixed(1)}/s, first after ${((first || performance.now()) - started).toFixed(0)} ms`;
  }
  if (!message.tokens.length) delete message.tokens;
  const viewed = current;
  current = chat; keep(); current = viewed;
  show();
  $('input').focus();
}
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

// Pictures by paste or drop.
function picture(file) {
  if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type)) return;
  const reader = new FileReader();
  reader.onload = () => { pictures.push(reader.result); preview(); };
  reader.readAsDataURL(file);
}
function preview() {
  $('images').replaceChildren(...pictures.map((url, i) => { const e = make('img'); e.src = url; e.alt = 'picture, click to remove'; e.onclick = () => { pictures.splice(i, 1); preview(); }; return e; }));
}
addEventListener('paste', e => { for (const f of e.clipboardData?.files || []) picture(f); });
addEventListener('dragover', e => e.preventDefault());
addEventListener('drop', e => { e.preventDefault(); for (const f of e.dataTransfer.files) picture(f); });

$('form').addEventListener('submit', e => {
  e.preventDefault();
  const text = $('input').value.trim();
  if (running || (!text && !pictures.length)) return;
  current.messages.push({ role: 'user', content: pictures.length ? [...pictures.map(url => ({ type: 'image_url', image_url: { url } })), { type: 'text', text }] : text });
  $('input').value = ''; pictures = []; preview(); grow();
  answer();
});
const grow = () => { const i = $('input'); i.style.height = 'auto'; i.style.height = Math.min(i.scrollHeight, innerHeight * .4) + 'px'; };
$('input').addEventListener('input', grow);
$('input').addEventListener('keydown', e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); $('form').requestSubmit(); } });
addEventListener('keydown', e => {
  if (e.key === 'Escape') { if (document.body.classList.contains('open')) document.body.classList.remove('open'); else stop(); }
  if (e.ctrlKey && e.shiftKey && e.key.toLowerCase() === 'o') { e.preventDefault(); stop(); begin(); }
});
$('stop').onclick = stop;
$('new').onclick = () => { stop(); begin(); document.body.classList.remove('open'); };
$('menu').onclick = () => document.body.classList.toggle('open');
$('log').addEventListener('click', () => document.body.classList.remove('open'));

begin();
models();
