// The picture to work on: chosen, dropped, pasted, or an example.

import { bytes, element } from './text.js';
import { reject } from './services.js';

const choose = element('choose');
const input = element('file');
const image = element('picture');
const caption = element('picture-caption');

/** Calls `onPicture` with each file that the user brings, which is shown already. */
export function watch(onPicture) {
  const take = (file) => {
    if (!file) return;
    show(file);
    onPicture(file);
  };
  choose.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    take(input.files[0]);
    input.value = ''; // So that the same file can be chosen again.
  });
  // A file that misses the frame would otherwise replace the whole page.
  for (const type of ['dragover', 'drop']) document.addEventListener(type, (event) => event.preventDefault());
  document.addEventListener('dragover', (event) => choose.classList.toggle('aimed', carriesFiles(event)));
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) choose.classList.remove('aimed');
  });
  document.addEventListener('drop', (event) => {
    choose.classList.remove('aimed');
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files[0]));
}

/** Shows a file as the picture to work on. */
export function show(file) {
  const words = [`${file.name}, ${bytes(file.size)}`, reject(file)?.title.toLowerCase()].filter(Boolean).join(', ');
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.alt = `Your picture, ${file.name}`;
  image.hidden = false;
  element('invitation').hidden = true;
  // The service has the last word on what a picture is, so that such a file may be sent all the same.
  image.onerror = () => {
    image.hidden = true;
    element('invitation').hidden = false;
    caption.textContent = `${words}; this browser cannot show it`;
  };
  choose.setAttribute('aria-description', 'Choose another picture');
  caption.textContent = words;
}

function carriesFiles(event) {
  return event.dataTransfer.types.includes('Files');
}
