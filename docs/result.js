// What became of the picture, beside it: in gray, and in words.

import { element, make, percent } from './text.js';

/** A place for one result. */
class Result {
  #figure;
  #outcome;
  #caption;
  #idleWords;
  #url = '';

  constructor(name, idleWords) {
    this.#figure = element(name);
    this.#outcome = element(`${name}-outcome`);
    this.#caption = element(`${name}-caption`);
    this.#idleWords = idleWords;
  }

  /** Says that a service is at work. */
  busy(words) {
    this.#figure.setAttribute('aria-busy', 'true');
    this.#fill(make('p', words, 'quiet working'));
    this.#caption.textContent = words;
  }

  /** Waits for the user's next wish. */
  idle() {
    this.#fill(make('p', this.#idleWords, 'quiet'));
    this.#done('');
  }

  /** Shows a picture, which can be saved by a click. */
  picture(blob, words) {
    const image = make('img');
    image.src = URL.createObjectURL(blob);
    image.alt = 'The picture in gray';
    const link = make('a');
    link.href = image.src;
    link.download = blob.type === 'image/gif' ? 'gray.gif' : 'gray.png';
    link.title = 'Save the picture';
    link.append(image);
    this.#fill(link);
    this.#url = image.src;
    this.#done(words);
  }

  /** Shows the likeliest classes, each with a bar, and says whether the model is not sure. */
  classes(list, unsure, words) {
    const rows = make('ol', '', 'classes');
    for (const { label, probability } of list) {
      const bar = make('span', '', 'bar');
      bar.style.setProperty('--share', probability);
      const row = make('li');
      row.append(make('span', label, 'label'), make('span', percent(probability), 'share'), bar);
      rows.append(row);
    }
    this.#fill(...(unsure ? [make('strong', 'Not sure', 'unsure')] : []), rows);
    this.#done(words);
  }

  /** Tells a failure. */
  failure({ title, message }) {
    const words = make('div', '', 'failure');
    words.setAttribute('role', 'alert');
    words.append(make('strong', title), make('p', message));
    this.#fill(words);
    this.#done('');
  }

  #fill(...content) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.#outcome.replaceChildren(...content);
  }

  #done(words) {
    this.#figure.setAttribute('aria-busy', 'false');
    this.#caption.textContent = words;
  }
}

/** The picture in gray. */
export const gray = new Result('gray', 'In gray');

/** What the picture shows. */
export const shown = new Result('shown', 'What it shows');
