// Properties of the component YAML.

import { Refusal } from "./refusal.js";

// Default limit: more than a typical development state, and less than a host's default memory limit.
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
// Most memory of a component.
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
