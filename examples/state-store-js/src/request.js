// Operations prepared so that only checks against the state can still fail.

import { Refusal } from "./refusal.js";

// Longest time to live (68 years): beyond it, expiry times would exceed what Dapr's stores can represent.
const MAX_SECONDS = 2 ** 31 - 1;

/**
 * A write or a delete, with its conditions. `etag` is the required etag, or null; `isFirstWrite` is true if the key must
 * not exist, without an etag; `write` is the write, or null for a delete.
 */
export function prepare({ tag, val: request }, now) {
  const { key, etag, options } = request;
  const write = tag === "set" ? prepareWrite(request, now) : null;
  return { key, etag: etag || null, isFirstWrite: options.concurrency === "first-write", write };
}

function prepareWrite({ key, value, metadata, contentType }, now) {
  const seconds = timeToLive(metadata);
  return {
    value,
    contentType,
    expires: seconds === null ? null : now + seconds * 1000,
    size: utf8Length(key) + value.length,
  };
}

/** Reads `ttlInSeconds`, and complains in the words of Dapr's component, which are those of Go's `strconv`. */
function timeToLive(metadata) {
  const text = metadata.find(([name]) => name === "ttlInSeconds")?.[1];
  if (!text) {
    return null;
  }
  const refuse = (why) => new Refusal("invalid-request", `strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[-+]?[0-9]+$/.test(text)) {
    throw refuse("invalid syntax");
  }
  const seconds = Number(text);
  if (Math.abs(seconds) > MAX_SECONDS) {
    throw refuse("value out of range");
  }
  return seconds > 0 ? seconds : null;
}

// The engine has no TextEncoder.
function utf8Length(text) {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0);
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}
