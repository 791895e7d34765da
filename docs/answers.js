// The line about what answers: the process behind the page, the model, and where the time of the last request went.

import { ask } from './services.js';
import { bytes, duration, element, make } from './text.js';

const line = element('answers');
const COUNTS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine'];

let about = null; // What daprlet says of itself; nothing where somebody else serves the page.
let model = null; // What the classify service says of its model.
let timing = ''; // The last request's `Server-Timing`.

/** Asks whoever serves the page, and the classify service at `address`, what they are. */
export async function refresh(address) {
  const [process, described] = await Promise.all([read('daprlet.json'), describe(address)]);
  about = process;
  model = described;
  if (about?.source) element('source').href = about.source;
  show();
}

/** Shows where the time of that response went. */
export function took(response) {
  timing = response.headers.get('Server-Timing') ?? '';
  show();
  read('daprlet.json').then((process) => {
    about = process ?? about;
    show();
  });
}

function show() {
  const parts = [runtime(), known(), times()].filter(Boolean).map((text) => make('span', `${text} `));
  const note = model?.note ? [make('span', model.note, 'note')] : [];
  line.replaceChildren(...parts, ...note);
}

function runtime() {
  if (!about) return '';
  const modules = about.apps.filter(({ kind }) => kind === 'wasm').length;
  const facts = [
    about.memory_bytes && `${bytes(about.memory_bytes)} of memory`,
    about.ready_after_ms && `ready ${duration(about.ready_after_ms)} after its start`,
  ].filter(Boolean);
  const what = `${COUNTS[modules] ?? modules} WebAssembly ${modules === 1 ? 'module' : 'modules'} in one process answer this page`;
  return facts.length > 0 ? `${what}: ${facts.join(', ')}.` : `${what}.`;
}

function known() {
  if (!model) return '';
  return `The model ${model.name} knows ${model.output.classes} things.`;
}

/** `Server-Timing: a;dur=1.5, b;dur=2` in words. */
function times() {
  const found = [...timing.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  if (found.length === 0) return '';
  return `This request: ${found.map(([, name, ms]) => `${name} ${Number(ms).toFixed(1)} ms`).join(', ')}.`;
}

async function read(path) {
  try {
    const response = await fetch(path, { cache: 'no-store' });
    return response.ok ? await response.json() : null;
  } catch {
    return null; // Somebody else serves the page, and has no such file.
  }
}

async function describe(address) {
  try {
    return await (await ask(address, '/model')).json();
  } catch {
    return null; // Whoever classifies a picture will learn why.
  }
}
