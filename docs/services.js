// Talking to a service: a request ends in an answer, or in a failure that is told in words.

/** How long a service may take, in milliseconds: longer than a slow machine needs, shorter than a user waits. */
const PATIENCE = 60_000;

/** The largest picture that the services take, unless they are set otherwise (`MAX_BODY_BYTES`). */
const MAX_BYTES = 16 * 1024 * 1024;

/** What goes wrong for a reason that is worth telling. */
export class Failure extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

const TITLES = {
  400: 'The service cannot use this',
  413: 'Too large',
  415: 'Not a picture',
  422: 'A damaged picture',
  429: 'Too many requests',
  503: 'The service is not ready',
};

/** Why a file would be refused, which is told before it is uploaded; nothing if it would not. */
export function reject(file) {
  if (file.size <= MAX_BYTES) return null;
  const size = (file.size / 1024 / 1024).toFixed(1);
  return new Failure('Too large', `${file.name} has ${size} MiB, and the services take up to 16 MiB. Nothing was sent.`);
}

/** The answer to a request. Throws a `Failure` unless `signal` ended it, which throws what `fetch` throws. */
export async function ask(address, path, { signal, ...init } = {}) {
  const limit = AbortSignal.timeout(PATIENCE);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  let response;
  try {
    response = await fetch(address + path, { ...init, signal: either, cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) throw new Failure('No answer in time', `The service at ${address} took the request and does not answer.`);
    // A browser does not tell a page whether nothing listens there or the answer is not for it.
    const where = `Nothing that this page may talk to answers at ${address}.`;
    throw new Failure('No answer', `${where} Is the service running, and is its address right?`);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

/** What became of the record of a request, in words. */
export function recorded(response) {
  return {
    recorded: 'event recorded',
    deferred: 'event will be recorded later',
    dropped: 'event could not be recorded',
  }[response.headers.get('Event-Delivery')];
}

async function failure(response) {
  const title = TITLES[response.status] ?? `The service answers ${response.status}`;
  const detail = await problemDetail(response) ?? 'It does not say why.';
  const seconds = Number(response.headers.get('Retry-After'));
  return new Failure(seconds > 0 ? `${title}: try again in ${seconds} s` : title, detail);
}

/** The words of an `application/problem+json` (RFC 9457). */
async function problemDetail(response) {
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return null;
  const problem = await response.json().catch(() => null);
  return problem?.detail ?? problem?.title;
}
