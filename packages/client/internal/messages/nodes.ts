import { MAX_PRICE, PRICE_UNIT } from "@verai/protocol/money/units";
import { NODE_STATUSES, enumName } from "../../enums.ts";
import { classNameFromBytes32 } from "../../class-names.ts";
import { neighbours, scaledPrice, time, ver } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of the node registry and of the supply. */
export const NODES: ErrorMessages = {
  "NotOwner(uint32,address)": {
    say: (a) => `${a.text("caller")} does not own node ${a.text("nodeId")}; sign with its owner's key.`,
  },
  "NotOwnerOrOperator(uint32,address)": {
    say: (a) =>
      `${a.text("caller")} is neither owner nor operator of node ${a.text("nodeId")}; sign with one of these two keys.`,
  },
  "UnknownNode(uint32)": {
    say: (a) => `There is no node ${a.text("nodeId")}; node ids run from 1 to the registry's nodeCount.`,
  },
  "UnknownClass(uint8)": {
    say: (a) => `There is no class ${a.text("classId")}; choose one that the supply lists in classes().`,
  },
  "TooManyClasses()": fixed("The registry has 256 classes, which is the maximum; no further one can be added."),
  "InvalidTickSize(uint40)": {
    say: (a) =>
      `A tick of ${ver(a.int("tickSize") * PRICE_UNIT)} does not fit; it must be above zero and 4095 ticks ` +
      `at most ${ver(BigInt(MAX_PRICE) * PRICE_UNIT)}.`,
  },
  "ClassNameTaken(bytes32)": {
    say: (a) => `There already is a class named "${classNameFromBytes32(a.text("name"))}"; choose another name.`,
  },
  "InvalidCapacity(uint32)": {
    say: (a) => `A capacity of ${a.text("capacity")} units is not possible; use 1 to 16,777,215.`,
  },
  "AskNotOnTick(uint256,uint256)": {
    say: (a) =>
      `The ask ${ver(a.int("ask"))} is not a multiple of the class's tick ${ver(a.int("tickWei"))}; ` +
      `use ${neighbours(a.int("ask"), a.int("tickWei"))} VER.`,
  },
  "AskTooHigh(uint256,uint256)": {
    say: (a) =>
      `The ask ${ver(a.int("ask"))} is above the class's highest, ${ver(a.int("highest"))}; ask at most that.`,
  },
  "StakeTooLow(uint256,uint256)": {
    say: (a) =>
      `The stake of ${ver(a.int("stake"))} does not cover the capacity, which needs ${ver(a.int("needed"))}; ` +
      `stake ${ver(a.int("needed") - a.int("stake"))} more or offer less capacity.`,
  },
  "CapacityInUse(uint32,uint32,uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} has ${a.text("committed")} units leased or promised to the open round or batch; ` +
      `its capacity cannot go down to ${a.text("requested")} before they are done.`,
  },
  "OperatorTaken(address,uint32)": {
    say: (a) =>
      `The operator key ${a.text("operator")} already belongs to node ${a.text("nodeId")}; every node needs a key of its own.`,
  },
  "NoConsent(address,address)": {
    say: (a) =>
      `The operator key ${a.text("operator")} has not agreed to work for ${a.text("owner")}; sign a consent with it (node:consent) and give that.`,
  },
  "ConsentExpired(address,uint256)": {
    say: (a) =>
      `The consent of the operator key ${a.text("operator")} was good until ${time(a.int("deadline"))}; sign another with it (node:consent).`,
  },
  "TooManyKeys(uint32)": {
    say: (a) =>
      `The operator key of node ${a.text("nodeId")} was changed 255 times, which is the maximum; register another node.`,
  },
  "InvalidOperator()": fixed("The operator may not be the zero address; give the address of the agent's key."),
  "InvalidEndpoint(uint256)": {
    say: (a) => `The endpoint is ${a.text("length")} bytes long; the maximum is 256. Give fewer or shorter multiaddrs.`,
  },
  "WrongStatus(uint32,uint8)": {
    say: (a) =>
      `Node ${a.text("nodeId")} is ${enumName(NODE_STATUSES, a.int("status"))}, which does not allow this; ` +
      `look at its status first (drain, then exit, then withdraw; resume while it drains).`,
  },
  "NodeBusy(uint32,uint32,uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} still has ${a.text("leased")} units leased and ${a.text("listed")} listed; ` +
      `drain it and wait until its leases are over.`,
    retryable: true,
  },
  "StillUnbonding(uint32,uint40)": {
    say: (a) =>
      `The stake of node ${a.text("nodeId")} can be withdrawn from ${time(a.int("withdrawableAt"))} on; wait until then.`,
    retryable: true,
  },
  "ListingsPending(uint256)": {
    say: (a) => `${a.text("count")} listings wait to be brought up to date; call syncPending first.`,
  },
  "ListingsFrozen()": {
    say: () => "A round holds the listings; try again when it is settled or aborted.",
    retryable: true,
  },
  "ListingsNotFrozen()": fixed("No round holds the listings, so nothing can be filled; open a round first."),
  "ClassFull(uint256)": {
    say: (a) =>
      `This tick of the class would hold ${a.text("units")} listed units, more than the market keeps; ask another price.`,
  },
  "NotEnoughListed(uint32,uint32,uint32)": {
    say: (a) =>
      `Node ${a.text("nodeId")} lists ${a.text("listed")} free units, not the ${a.text("asked")} that are asked for; take fewer, or another node.`,
  },
  "NodeNotListed(uint32,uint8)": {
    say: (a) =>
      `The post grants node ${a.text("nodeId")}, which has no free units listed in class ${a.text("classId")}; plan again from the chain.`,
  },
  "AskAboveClearing(uint32,uint16,uint64)": {
    say: (a) =>
      `The post grants node ${a.text("nodeId")} at tick ${a.text("tick")}, which is above the clearing price ` +
      `${scaledPrice(a.int("clearing"))}; plan again from the chain.`,
  },
  "NotInFilling(uint32)": {
    say: (a) =>
      `The post grants node ${a.text("nodeId")} at the marginal tick, where the seed's filling does not reach it; plan again from the chain.`,
  },
  "NodesOutOfOrder(uint32)": {
    say: (a) =>
      `In the post node ${a.text("nodeId")} is out of order or given twice; a class's nodes go in ascending order of their hash with the seed.`,
  },
  "ClassUnitsMismatch(uint8,uint256,uint256)": {
    say: (a) =>
      `The post's nodes of class ${a.text("classId")} hold ${a.text("granted")} units, but its flows need ${a.text("required")}; plan again from the chain.`,
  },
  "ClearingPriceMismatch(uint8,uint256,uint256,uint256)": {
    say: (a) =>
      `With the posted clearing price of class ${a.text("classId")} between ${a.text("below")} and ${a.text("upTo")} units ` +
      `must be granted, not ${a.text("units")}; plan again from the chain.`,
  },
};
