/**
 * What a task would cost: the protocol's own allocation, solved here.
 *
 * @packageDocumentation
 */
export type { ListedNode, RoundClass, RoundTask } from "@verai/protocol/allocation/model";
export { feeOn, quoteAllocation, type QuotedAllocation, type Wish } from "@verai/protocol/allocation/quote";
