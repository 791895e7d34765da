// Tests of behaviour that the conformance suite cannot see. `npm test` runs them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Expiries } from "../src/expiries.js";
import { maxBytes } from "../src/properties.js";
import { prepare } from "../src/request.js";
import { Table } from "../src/table.js";

const OPTIONS = { concurrency: "unspecified", consistency: "unspecified" };

function write(key, value, ttlInSeconds = "") {
  const metadata = [["ttlInSeconds", ttlInSeconds]];
  const request = { key, value: new TextEncoder().encode(value), etag: null, metadata, options: OPTIONS, contentType: null };
  return prepare({ tag: "set", val: request }, 0);
}

function remove(key) {
  return prepare({ tag: "delete", val: { key, etag: null, metadata: [], options: OPTIONS } }, 0);
}

test("an expired value is invisible at once and forgotten with the next write", () => {
  const table = new Table(100);
  table.transact([write("k", "v", "10")], 0);
  assert.deepEqual(table.get("k", 9_999).metadata, [["ttlExpireTime", "1970-01-01T00:00:10Z"]]);
  assert.equal(table.get("k", 10_000), null);
  assert.equal(table.sizes.entries, 1);
  table.transact([], 10_000);
  assert.deepEqual(table.sizes, { entries: 0, expiries: 0, bytes: 0 });
});

test("rewriting a value leaves no stale expiry behind", () => {
  const table = new Table(100);
  table.transact([write("k", "v", "10")], 0);
  table.transact([write("k", "w")], 0);
  assert.deepEqual(table.sizes, { entries: 1, expiries: 0, bytes: 2 });
  assert.notEqual(table.get("k", 1_000_000), null);
});

test("a full store refuses and keeps what it has, and bytes are those of UTF-8", () => {
  const table = new Table(10);
  table.transact([write("kä€", "1234")], 0);
  assert.throws(() => table.transact([remove("kä€"), write("l", "")], 0), { tag: "other", val: /full/ });
  assert.deepEqual(table.sizes, { entries: 1, expiries: 0, bytes: 10 });
  table.transact([remove("kä€")], 0);
  table.transact([write("k\u{1f600}", "12345")], 0);
  assert.equal(table.sizes.bytes, 10);
});

test("no two writes have one etag, not even of two instances", () => {
  const etags = new Set();
  for (let instance = 0; instance < 2; instance++) {
    const table = new Table(100);
    for (let count = 0; count < 3; count++) {
      table.transact([write("k", "v")], 0);
      etags.add(table.get("k", 0).etag);
    }
  }
  assert.equal(etags.size, 6);
});

test("whatever is added and removed, what expires first comes first", () => {
  const expiries = new Expiries();
  let kept = [];
  let random = 1;
  for (let step = 0; step < 3_000; step++) {
    random = (random * 48_271) % 2_147_483_647;
    if (random % 5 < 3) {
      const entry = { expires: random % 100 };
      expiries.add(entry);
      kept.push(entry);
    } else if (kept.length > 0) {
      const [entry] = kept.splice(random % kept.length, 1);
      expiries.remove(entry);
    }
    assert.equal(expiries.size, kept.length);
    assert.equal(expiries.first?.expires, kept.length ? Math.min(...kept.map((entry) => entry.expires)) : undefined);
  }
});

test("the last value of maxBytes counts, and what is no number is refused without showing it", () => {
  assert.equal(maxBytes([["maxBytes", "1"], ["MAXBYTES", " 2 "], ["maxBytes", ""]]), 2);
  for (const wrong of ["hunter2", "-1", "1.5", "4294967296"]) {
    const refused = (error) => error.tag === "misconfigured" && !error.val.includes(wrong);
    assert.throws(() => maxBytes([["maxBytes", wrong]]), refused);
  }
});

test("a time to live is a whole number, and not positive means for ever", () => {
  const expires = (text) => write("k", "v", text).write.expires;
  assert.deepEqual(["90", "+1", "", "0", "-1", "-0"].map(expires), [90_000, 1_000, null, null, null, null]);
  for (const wrong of ["soon", "1.5", "10s", "-", " 1"]) {
    assert.throws(() => expires(wrong), { val: `strconv.Atoi: parsing "${wrong}": invalid syntax` });
  }
  for (const large of ["2147483648", "-2147483648", "99999999999999999999"]) {
    assert.throws(() => expires(large), { val: `strconv.Atoi: parsing "${large}": value out of range` });
  }
});
