// An in-memory state store, as a component of the world `dapr:components/state-store`.
//
// It does the same as components/state-in-memory in Rust, with the same modules. The contract's `result<T, error>` is a
// returned value, or a thrown `Refusal`. Anything else that is thrown is a bug: it traps, and ends the instance.

import { maxBytes } from "./properties.js";
import { Refusal } from "./refusal.js";
import { prepare } from "./request.js";
import { Table } from "./table.js";

// Created by `init`, because top-level code of a module runs when the component is built, and is the same in every
// instance.
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

// Sequential, whatever the parallelism: an instance has one thread.
function each(call) {
  return (requests) => requests.map((request) => result(() => call(request)));
}

// Inside a list, a result is a value instead of a function's return or exception.
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
