// The page: a picture goes to the services, what comes back is shown beside it, and the events table follows.

import * as answers from './answers.js';
import * as events from './events.js';
import * as examples from './examples.js';
import * as picture from './picture.js';
import { gray, shown } from './result.js';
import { ask, Failure, recorded, reject } from './services.js';
import * as settings from './settings.js';
import { bytes, duration, element } from './text.js';

let addresses;
let file = null;
let running = new AbortController();

settings.watch((changed) => {
  addresses = changed;
  events.refresh(addresses.events);
  answers.refresh(addresses.classify);
});
picture.watch(use);
examples.offer(tryExample);
element('refresh').addEventListener('click', () => events.refresh(addresses.events));
element('grayscale').addEventListener('click', () => work([turnGray]));
element('classify').addEventListener('click', () => work([classify]));

/** Takes a picture; whatever was done with another one is no longer wanted. */
function use(chosen) {
  running.abort();
  file = chosen;
  gray.idle();
  shown.idle();
  element('hint').hidden = true;
}

/** Fetches an example, and shows both results. */
async function tryExample(load) {
  try {
    const example = await load();
    picture.show(example);
    use(example);
  } catch (error) {
    shown.failure(failureOf(error));
    return;
  }
  await work([turnGray, classify]);
}

/** Makes requests; those that were made before are no longer wanted. */
async function work(requests) {
  if (!file) {
    element('hint').hidden = true;
    shown.failure(new Failure('No picture yet', 'Choose one, drop or paste one, or click an example.'));
    element('choose').focus();
    return;
  }
  running.abort();
  running = new AbortController();
  const { signal } = running;
  await Promise.all(requests.map((request) => request(signal)));
  if (!signal.aborted) events.refresh(addresses.events);
}

function turnGray(signal) {
  return attempt(gray, 'Turning gray …', signal, async () => {
    const began = performance.now();
    const response = await send(addresses.grayscale, '/grayscale', 'image/*', signal);
    const image = await response.blob();
    gray.picture(image, summary(began, response, bytes(image.size)));
  });
}

function classify(signal) {
  return attempt(shown, 'Looking at it …', signal, async () => {
    const began = performance.now();
    const response = await send(addresses.classify, '/classify', 'application/json', signal);
    const { classes, unsure } = await response.json();
    const best = classes[0]?.label ?? 'nothing';
    const words = unsure ? `Not sure: ${best} is the best guess` : `Most likely ${best}`;
    shown.classes(classes, unsure, summary(began, response, words));
    answers.took(response);
  });
}

function send(address, path, accepted, signal) {
  const refusal = reject(file);
  if (refusal) throw refusal;
  return ask(address, path, { method: 'POST', body: file, headers: { Accept: accepted }, signal });
}

async function attempt(result, words, signal, action) {
  result.busy(words);
  try {
    await action();
  } catch (error) {
    if (!signal.aborted) result.failure(failureOf(error));
  }
}

function failureOf(error) {
  return error instanceof Failure ? error : new Failure('The answer cannot be understood', error.message);
}

/** What happened, how long it took, and what became of its record. */
function summary(began, response, what) {
  return [what, duration(performance.now() - began), recorded(response)].filter(Boolean).join(', ');
}
