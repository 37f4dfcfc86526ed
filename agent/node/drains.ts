import type { Node } from "../../chain/entities.ts";

/**
 * Tells an agent's own drains, which it ends itself, from those of the owner, which it leaves alone while it runs. What
 * it finds when it starts counts as its own: it drained when it was stopped.
 */
export class Drains {
  #own = true;
  /** Whether a drain of its own was sent that no look at the chain has shown yet. */
  #sent = false;

  /** The agent has drained the node. */
  begin(): void {
    this.#own = true;
    this.#sent = true;
  }

  /** @returns Whether the owner drains the node, as far as a look at the chain shows. */
  isOwners({ status }: Pick<Node, "status">): boolean {
    if (status === "draining") this.#sent = false;
    // An endpoint may lag behind: what it says is of before.
    else if (!this.#sent) this.#own = false;
    return status === "draining" && !this.#own;
  }
}
