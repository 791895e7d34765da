/**
 * Expiry times, soonest first: a heap in which every entry knows its position, so that a rewritten or deleted one is
 * removed at once.
 */
export class Expiries {
  #heap = [];

  get size() {
    return this.#heap.length;
  }

  /** The entry that expires first, if any does. */
  get first() {
    return this.#heap[0];
  }

  /** Adds an entry, by its `expires`; `place` is this class's own. */
  add(entry) {
    this.#heap.push(entry);
    this.#rise(entry, this.#heap.length - 1);
  }

  /** Takes out an entry that is here. */
  remove(entry) {
    const last = this.#heap.pop();
    if (last !== entry) {
      this.#rise(last, entry.place);
      this.#sink(last, last.place);
    }
  }

  #rise(entry, place) {
    while (place > 0) {
      const above = this.#heap[(place - 1) >> 1];
      if (above.expires <= entry.expires) {
        break;
      }
      const vacated = above.place;
      this.#put(above, place);
      place = vacated;
    }
    this.#put(entry, place);
  }

  #sink(entry, place) {
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      const below = right !== undefined && right.expires < left.expires ? right : left;
      if (below === undefined || below.expires >= entry.expires) {
        break;
      }
      const vacated = below.place;
      this.#put(below, place);
      place = vacated;
    }
    this.#put(entry, place);
  }

  #put(entry, place) {
    this.#heap[place] = entry;
    entry.place = place;
  }
}
