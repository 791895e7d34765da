// The state, with its expiry times.

import { Expiries } from "./expiries.js";
import { Refusal } from "./refusal.js";

/** Keys, values, and what they take. */
export class Table {
  #entries = new Map();
  #expiries = new Expiries();
  // Bytes of all keys and values.
  #bytes = 0;
  #maxBytes;
  // Etags count up from a number that no other instance starts with, so that values of an earlier instance do not
  // match.
  #birth = birth();
  #writes = 0;

  /** An empty table that takes up to so many bytes. */
  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
  }

  /** How much is here, also of what has expired and is not forgotten yet. */
  get sizes() {
    return { entries: this.#entries.size, expiries: this.#expiries.size, bytes: this.#bytes };
  }

  /** The value of `key`, unless it has expired by `now`. */
  get(key, now) {
    const entry = this.#entries.get(key);
    if (entry === undefined || hasExpired(entry, now)) {
      return null;
    }
    const { value, expires, contentType } = entry;
    const metadata = expires === null ? [] : [["ttlExpireTime", rfc3339(expires)]];
    return { value, etag: this.#etag(entry), metadata, contentType };
  }

  /**
   * Applies all operations in order, or none. As in Dapr's component, every etag is compared with the state before the
   * transaction.
   */
  transact(operations, now) {
    // Each write removes expired values, so that no timer is needed.
    this.#dropExpired(now);
    for (const operation of operations) {
      this.#check(operation);
    }
    this.#checkRoom(operations);
    for (const { key, write } of operations) {
      this.#remove(key);
      if (write !== null) {
        this.#insert(key, write);
      }
    }
  }

  #dropExpired(now) {
    for (let first = this.#expiries.first; first && hasExpired(first, now); first = this.#expiries.first) {
      this.#remove(first.key);
    }
  }

  /** Whether etag and concurrency of an operation fit what is here. */
  #check({ key, etag, isFirstWrite }) {
    const entry = this.#entries.get(key);
    if (etag !== null && entry === undefined) {
      throw mismatch(`state not exist or expired for key=${key}`);
    }
    if (etag !== null && etag !== this.#etag(entry)) {
      throw mismatch(`state etag not match for key=${key}: current=${this.#etag(entry)}, expect=${etag}`);
    }
    if (etag === null && entry !== undefined && isFirstWrite) {
      throw mismatch("item already exists and no etag was passed");
    }
  }

  /**
   * Checks that all writes fit. Values that they replace or delete still count, because they exist until the end.
   */
  #checkRoom(operations) {
    const more = operations.reduce((sum, { write }) => sum + (write?.size ?? 0), 0);
    const wanted = this.#bytes + more;
    if (more > 0 && wanted > this.#maxBytes) {
      throw new Refusal("other", `the store is full: ${wanted} bytes, but maxBytes is ${this.#maxBytes}`);
    }
  }

  #insert(key, { value, contentType, expires, size }) {
    const entry = { key, value, contentType, expires, size, write: this.#writes++, place: 0 };
    this.#entries.set(key, entry);
    this.#bytes += size;
    if (expires !== null) {
      this.#expiries.add(entry);
    }
  }

  #remove(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return;
    }
    this.#entries.delete(key);
    this.#bytes -= entry.size;
    if (entry.expires !== null) {
      this.#expiries.remove(entry);
    }
  }

  #etag(entry) {
    return this.#birth + hexadecimal(entry.write);
  }
}

// Start time of the instance in nanoseconds. Math.random is unsuitable, because its state is part of the built
// component, and every instance would draw the same numbers.
function birth() {
  const below = Math.floor(Math.abs(performance.now() % 1) * 1_000_000);
  return hexadecimal(BigInt(Date.now()) * 1_000_000n + BigInt(below));
}

function hexadecimal(number) {
  return number.toString(16).padStart(16, "0");
}

function hasExpired({ expires }, now) {
  return expires !== null && expires <= now;
}

function mismatch(why) {
  return new Refusal("etag-mismatch", why);
}

// Formats a time in UTC with whole seconds, like Go's `time.RFC3339`.
function rfc3339(time) {
  return new Date(time).toISOString().replace(/\.[0-9]+Z$/, "Z");
}
