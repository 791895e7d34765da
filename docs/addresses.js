// Where the services are: what the page's link says, else what was saved in this browser, else what the process that serves the
// page tells, else the defaults.

const DEFAULTS = { grayscale: 9005, classify: 9006, events: 9007 };
const APPS = { grayscale: 'image-api-grayscale', classify: 'image-api-classify', events: 'events-service' };
const PORTS = await learn();
const KEY = 'service-addresses';

/** The names of the services. */
export const NAMES = Object.keys(PORTS);

/** An address without a slash at its end; throws in words if it is none. */
export function parse(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error(`“${text}” is not an address such as http://localhost:9005`);
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

/** All addresses, the services that the page's link names, and what could not be understood, in words. */
export function read() {
  const link = new URLSearchParams(location.search);
  const saved = stored();
  const addresses = {};
  const fromLink = [];
  const mistakes = [];
  for (const name of NAMES) {
    addresses[name] = saved[name] ?? fallback(name);
    if (!link.has(name)) continue;
    try {
      addresses[name] = parse(link.get(name));
      fromLink.push(name);
    } catch (error) {
      mistakes.push(error.message);
    }
  }
  return { addresses, fromLink, mistakes };
}

/** Keeps addresses in this browser, and says whether it could. The page's link no longer counts. */
export function save(addresses) {
  forgetLink();
  try {
    localStorage.setItem(KEY, JSON.stringify(addresses));
    return true;
  } catch {
    return false; // A browser may forbid storage altogether.
  }
}

/** Goes back to the defaults. */
export function forget() {
  forgetLink();
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Where storage is forbidden there is nothing to forget.
  }
}

function stored() {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return Object.fromEntries(NAMES.filter((name) => name in saved).map((name) => [name, parse(saved[name])]));
  } catch {
    return {}; // Forbidden storage, or something that this page did not write: the defaults will do.
  }
}

/** The ports of the process that serves the page; the defaults where somebody else serves it. */
async function learn() {
  const told = await fetch('daprlet.json', { signal: AbortSignal.timeout(2000) })
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  const port = (name) => told?.apps?.find(({ id }) => id === APPS[name])?.port ?? DEFAULTS[name];
  return Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, port(name)]));
}

function fallback(name) {
  // Browsers let a page that came over https talk plain http with this machine only.
  const host = location.protocol === 'http:' ? location.hostname : 'localhost';
  return `http://${host}:${PORTS[name]}`;
}

function forgetLink() {
  const url = new URL(location.href);
  for (const name of NAMES) url.searchParams.delete(name);
  history.replaceState(null, '', url);
}
