/** A case of one of the contract's variants `error` and `init-error`, to be thrown. */
export class Refusal {
  constructor(tag, val) {
    this.tag = tag;
    this.val = val;
  }
}
