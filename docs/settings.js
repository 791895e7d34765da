// The form with the services' addresses.

import { forget, NAMES, parse, read, save } from './addresses.js';
import { element } from './text.js';

const form = element('addresses');
const note = element('settings-note');
const details = element('settings');

/** Fills the form, and calls `onChange` with the addresses now and whenever they change. */
export function watch(onChange) {
  const apply = (words) => {
    const { addresses, fromLink, mistakes } = read();
    for (const name of NAMES) form.elements[name].value = addresses[name];
    const named = fromLink.length > 0 ? `Named by this page’s link: ${fromLink.join(', ')}.` : '';
    note.textContent = [words, named, ...mistakes].filter(Boolean).join(' ');
    // Pictures go where the link says, which its reader should know.
    if (named || mistakes.length > 0) details.open = true;
    onChange(addresses);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const addresses = entered();
    if (!addresses) return;
    if (save(addresses)) apply('Saved.');
    else {
      note.textContent = 'This browser lets the page save nothing; the addresses count until it is closed.';
      onChange(addresses);
    }
  });
  element('defaults').addEventListener('click', () => {
    forget();
    apply('These are the defaults.');
  });
  apply('');
}

/** What the form says; nothing, with words about it, if something is no address. */
function entered() {
  const addresses = {};
  for (const name of NAMES) {
    const field = form.elements[name];
    field.removeAttribute('aria-invalid');
    try {
      addresses[name] = parse(field.value.trim());
    } catch (error) {
      field.setAttribute('aria-invalid', 'true');
      field.focus();
      note.textContent = error.message;
      return null;
    }
  }
  return addresses;
}
