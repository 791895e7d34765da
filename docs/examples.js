// The example pictures: one click on one of them shows both results.

import { element, make } from './text.js';
import { Failure } from './services.js';

const EXAMPLES = [
  { file: 'sample.jpg', name: 'a ship' },
  { file: 'examples/airplane.jpg', name: 'an airplane' },
  { file: 'examples/truck.jpg', name: 'a truck' },
  { file: 'examples/hot-dog.jpg', name: 'a hot dog' },
];

/** Shows the examples, and calls `onExample` with a function that fetches the one that was clicked. */
export function offer(onExample) {
  const buttons = EXAMPLES.map(({ file, name }) => {
    const image = make('img');
    image.src = file;
    image.alt = `Example: ${name}`;
    const button = make('button', '', 'example');
    button.type = 'button';
    button.title = `Try ${name}`;
    button.append(image);
    button.addEventListener('click', () => onExample(() => load(file)));
    return button;
  });
  element('examples').replaceChildren(...buttons);
}

async function load(file) {
  const response = await fetch(file).catch(() => null);
  if (!response?.ok) throw new Failure('No example', `The page was put here without its ${file}.`);
  return new File([await response.blob()], file.split('/').pop(), { type: 'image/jpeg' });
}
