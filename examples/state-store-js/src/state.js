// A state store whose state lives in its own memory, as a component of the world `dapr:components/state-store`.
//
// It does what components/state-in-memory does, which is the same in Rust, and has a module for each that is there. What the
// contract calls `result<T, error>` is a value that is returned, or a `Refusal` that is thrown. Anything else that is thrown
// is a mistake: it traps, and ends the instance.

import { maxBytes } from "./properties.js";
import { Refusal } from "./refusal.js";
import { prepare } from "./request.js";
import { Table } from "./table.js";

// Made by `init`, and not here: what is run at the top of a module is run when the component is built, and is the same in
// every instance.
let table;

function init(properties) {
  table = new Table(maxBytes(properties));
}

function describe() {
  return { features: { etag: true, transactional: true, ttl: true }, instances: "one", multiMaxSize: null };
}

function get(request) {
  return table.get(request.key, Date.now());
}

function set(request) {
  transact([{ tag: "set", val: request }]);
}

function remove(request) {
  transact([{ tag: "delete", val: request }]);
}

function transact(operations) {
  const now = Date.now();
  table.transact(operations.map((operation) => prepare(operation, now)), now);
}

function ping() {}

// One at a time, whatever the parallelism: an instance has one thread.
function each(call) {
  return (requests) => requests.map((request) => result(() => call(request)));
}

// Inside a list, a result is no longer what a function does, but a value.
function result(call) {
  try {
    return { tag: "ok", val: call() };
  } catch (error) {
    if (error instanceof Refusal) {
      return { tag: "err", val: error };
    }
    throw error;
  }
}

export const state = {
  init,
  describe,
  get,
  set,
  delete: remove,
  bulkGet: each(get),
  bulkSet: each(set),
  bulkDelete: each(remove),
  transact,
  ping,
};
