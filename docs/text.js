// Elements and words. Whatever comes from outside enters the page as text and never as HTML.

/** The element with that id. */
export function element(id) {
  return document.getElementById(id);
}

/** A new element with text and a class. */
export function make(tag, text = '', className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** A size for people. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 999_500) return `${Math.round(count / 1000)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

/** A duration in milliseconds for people. */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A share of one for people. */
export function percent(share) {
  const value = share * 100;
  return value > 0 && value < 0.1 ? '< 0.1 %' : `${value.toFixed(1)} %`;
}
