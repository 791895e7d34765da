// What a component YAML may say.

import { Refusal } from "./refusal.js";

// More than a development machine's state usually is, and less than the memory that a host gives by default.
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
// A component's memory has no more.
const MOST_BYTES = 2 ** 32 - 1;

/** `maxBytes`; the last one counts, and the case of its name does not. */
export function maxBytes(properties) {
  let bytes = DEFAULT_MAX_BYTES;
  for (const [name, value] of properties) {
    if (name.toLowerCase() === "maxbytes" && value !== "") {
      bytes = /^\+?[0-9]+$/.test(value.trim()) ? Number(value) : Infinity;
      if (bytes > MOST_BYTES) {
        throw new Refusal("misconfigured", 'property "maxBytes" must be a number of bytes');
      }
    }
  }
  return bytes;
}
