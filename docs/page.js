// The page: a picture goes to a service, what comes back is shown beside it, and the events table follows.

import * as events from './events.js';
import * as picture from './picture.js';
import * as result from './result.js';
import { ask, Failure, recorded } from './services.js';
import * as settings from './settings.js';
import { bytes, duration, element } from './text.js';

let addresses;
let file = null;
let running = new AbortController();

settings.watch((changed) => {
  addresses = changed;
  events.refresh(addresses.events);
});
picture.watch(use);
element('sample').addEventListener('click', () => attempt(async () => use(await picture.sample())));
element('refresh').addEventListener('click', () => events.refresh(addresses.events));
element('grayscale').addEventListener('click', () => work('Turning gray …', turnGray));
element('classify').addEventListener('click', () => work('Looking at it …', classify));

/** Takes a picture; whatever was done with another one is no longer wanted. */
function use(chosen) {
  running.abort();
  file = chosen;
  result.idle();
}

/** Runs one request at a time: the last one that was asked for. */
async function work(words, request) {
  if (!file) {
    result.failure(new Failure('No picture yet', 'Choose one, drop or paste one, or use the sample.'));
    return;
  }
  running.abort();
  running = new AbortController();
  const { signal } = running;
  result.busy(words);
  await attempt(() => request(signal), signal);
  if (!signal.aborted) events.refresh(addresses.events);
}

async function attempt(action, signal) {
  try {
    await action();
  } catch (error) {
    if (signal?.aborted) return;
    result.failure(error instanceof Failure ? error : new Failure('The answer cannot be understood', error.message));
  }
}

async function turnGray(signal) {
  const began = performance.now();
  const init = { method: 'POST', body: file, headers: { Accept: 'image/*' }, signal };
  const response = await ask(addresses.grayscale, '/grayscale', init);
  const gray = await response.blob();
  result.picture(gray, summary(began, response, `In gray, ${bytes(gray.size)}`));
}

async function classify(signal) {
  const began = performance.now();
  const init = { method: 'POST', body: file, headers: { Accept: 'application/json' }, signal };
  const response = await ask(addresses.classify, '/classify', init);
  const { classes } = await response.json();
  result.classes(classes, summary(began, response, `Most likely ${classes[0]?.label ?? 'nothing'}`));
}

/** What happened, how long it took, and what became of its record. */
function summary(began, response, what) {
  return [what, duration(performance.now() - began), recorded(response)].filter(Boolean).join(', ');
}
