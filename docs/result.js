// What became of the picture, beside it.

import { element, make, percent } from './text.js';

const figure = element('result');
const outcome = element('outcome');
const caption = element('result-caption');
let shownUrl = '';

/** Says that a service is at work. */
export function busy(words) {
  figure.setAttribute('aria-busy', 'true');
  fill(make('p', words, 'quiet working'));
  caption.textContent = words;
}

/** Waits for the user's next wish. */
export function idle() {
  fill(make('p', 'The result comes here.', 'quiet'));
  done('');
}

/** Shows a picture, which can be saved by a click. */
export function picture(blob, words) {
  const image = make('img');
  image.src = URL.createObjectURL(blob);
  image.alt = 'The picture in gray';
  const link = make('a');
  link.href = image.src;
  link.download = blob.type === 'image/gif' ? 'gray.gif' : 'gray.png';
  link.title = 'Save the picture';
  link.append(image);
  fill(link);
  shownUrl = image.src;
  done(words);
}

/** Shows the likeliest classes, each with a bar. */
export function classes(list, words) {
  const rows = make('ol', '', 'classes');
  for (const { label, probability } of list) {
    const bar = make('span', '', 'bar');
    bar.style.setProperty('--share', probability);
    const row = make('li');
    row.append(make('span', label, 'label'), make('span', percent(probability), 'share'), bar);
    rows.append(row);
  }
  fill(rows);
  done(words);
}

/** Tells a failure. */
export function failure({ title, message }) {
  const words = make('div', '', 'failure');
  words.setAttribute('role', 'alert');
  words.append(make('strong', title), make('p', message));
  fill(words);
  done('');
}

function fill(content) {
  if (shownUrl) URL.revokeObjectURL(shownUrl);
  shownUrl = '';
  outcome.replaceChildren(content);
}

function done(words) {
  figure.setAttribute('aria-busy', 'false');
  caption.textContent = words;
}
