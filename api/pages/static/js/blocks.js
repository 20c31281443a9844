// A long list in blocks, of which only those near to what is looked at hold rows; the others keep the room that they need.

import { el } from "./draw.js";

const SIZE = 24; // rows of a block
const AHEAD = "160px";

export class Blocks {
  // rowOf(one): its row, made when it is first needed; wide: the least width of a column
  constructor(node, rowOf) {
    this.node = node;
    this.rowOf = rowOf;
    this.members = new WeakMap();
    this.watcher = new IntersectionObserver((seen) => this.#look(seen), { root: node.closest(".right"), rootMargin: AHEAD });
  }

  // parts: [heading, members] each
  set(parts) {
    this.watcher.disconnect();
    const blocks = [];
    for (const [heading, members] of parts) {
      blocks.push(heading);
      for (let from = 0; from < members.length; from += SIZE) {
        const block = el("div", { cls: "block" });
        this.members.set(block, members.slice(from, from + SIZE));
        block.style.setProperty("--rows", String(Math.min(SIZE, members.length - from)));
        blocks.push(block);
      }
    }
    this.node.replaceChildren(...blocks);
    for (const block of blocks) if (this.members.has(block)) this.watcher.observe(block);
  }

  #look(seen) {
    for (const { target, isIntersecting } of seen)
      if (isIntersecting && !target.childElementCount) target.replaceChildren(...this.members.get(target).map(this.rowOf));
  }
}
