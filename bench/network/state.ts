import { createRequire } from "node:module";

import { AbiCoder, hexlify, Interface, keccak256, toBeHex, toQuantity, zeroPadValue } from "ethers";

import type { openMarket } from "@verai/devnet/market";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { registerNodes } from "../gas/registration.ts";

type Market = Awaited<ReturnType<typeof openMarket>>;

/** Leases that one transaction writes: what fits into 2^24 gas. */
const LEASES_AT_ONCE = 600;
/** Such transactions to a block: what the simulated chain's 60 million gas take. */
const WRITES_AT_ONCE = 3;
/** Named, or Hardhat runs all that waits once more to find them out; more than full blocks in a row make of the base fee. */
const FEES = { gas: "0xffffff", maxFeePerGas: toQuantity(10n ** 12n), maxPriorityFeePerGas: toQuantity(10n ** 6n) };
/** Seconds for which the live leases are not overdue. */
const DUE = 180 * 24 * 3600;

/**
 * Writes leases, and what nodes are leased, straight into storage. It stands in for a contract's code for as long as that takes,
 * and leaves the contract's own code and all its other storage as they are.
 */
const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract BulkState {
    event LeaseGranted(
        uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId,
        uint24 start, uint24 count, uint40 price, uint24 fence, uint32 parent
    );

    function leases(uint256 slot, uint256 base, uint256 from, uint256 count, uint256 nodes, uint256 skip, uint256 word, bool told) external {
        for (uint256 id = from; id < from + count; ++id) {
            uint256 node = skip + 1 + ((id - base) % (nodes - skip));
            bytes32 place = keccak256(abi.encode(id, slot));
            uint256 value = word | (node << 32);
            assembly { sstore(place, value) }
            if (told) emit LeaseGranted(uint32(id), 1, uint32(node), 0, 1, 1000, 1, 0);
        }
    }

    function add(uint256 slot, uint256 offset, uint256 from, uint256 count, uint256 shift, uint256 units) external {
        for (uint256 id = from; id < from + count; ++id) {
            bytes32 place = bytes32(uint256(keccak256(abi.encode(id, slot))) + offset);
            assembly { sstore(place, add(sload(place), shl(shift, units))) }
        }
    }
}`;

const BULK = new Interface([
  "function leases(uint256 slot, uint256 base, uint256 from, uint256 count, uint256 nodes, uint256 skip, uint256 word, bool told)",
  "function add(uint256 slot, uint256 offset, uint256 from, uint256 count, uint256 shift, uint256 units)",
]);

/** Sizes of a network. */
export interface Size {
  readonly nodes: number;
  /** Leases that can still change, one unit each. */
  readonly live: number;
  /** Leases that were paid. */
  readonly history: number;
}

/** Where the contracts keep what is written here, found by trying. */
interface Places {
  readonly lease: number;
  readonly leaseCount: { readonly slot: number; readonly shift: number };
  readonly leased: { readonly slot: number; readonly offset: number; readonly shift: number };
}

/** A network of any size on a simulated chain: nodes by their own registrations, leases by writing storage. */
export class NetworkState {
  readonly #market: Market;
  readonly #code: string;
  #places: Places | undefined;
  #size: Size = { nodes: 0, live: 0, history: 0 };
  /** Live leases of the last size, which become history. */
  #leases = 0;
  #liveFrom = 1;
  #word = 0n;
  /** Wei, before anything was written. */
  #baseFee = 0n;

  constructor(market: Market) {
    this.#market = market;
    this.#code = compile();
  }

  /**
   * Grows the network. Node 1 has no lease, node 2 has four and the others share the rest evenly.
   *
   * @param operatorKeyOf Private key of the operator of the node at a place.
   */
  async grow(size: Size, operatorKeyOf: (at: number) => string): Promise<void> {
    const { contracts } = this.#market;
    this.#baseFee ||= await this.#newestBaseFee();
    if (size.nodes > this.#size.nodes)
      await registerNodes(this.#market, this.#size.nodes + 1, size.nodes, operatorKeyOf);
    if (this.#size.nodes === 0) {
      const { timestamp = 0 } = (await this.#market.connection.ethers.provider.getBlock("latest")) ?? {};
      // No node asks as little: the task waits, and no round is opened for it.
      await this.#market.addTask({ units: 1_000, maxPrice: PRICE_UNIT, classIds: [1], interval: 60 });
      this.#places = await this.#find();
      // taskId 1, units 0 … 0, price 1000, fence 1; status and due are added below.
      this.#word = 1n | (1n << 88n) | (1000n << 104n) | (BigInt(timestamp + DUE) << 144n) | (1n << 176n);
    }
    const places = this.#places;
    if (!places) throw new Error("the network has no nodes yet");
    const [active, paid] = [1n, 4n];
    const registry = await contracts.leases.getAddress();
    const supply = await contracts.supply.getAddress();
    await this.#unlease(places, supply);
    await this.#as(registry, async (send) => {
      for (let id = this.#liveFrom; id <= size.history; id += LEASES_AT_ONCE) {
        const count = Math.min(LEASES_AT_ONCE, size.history - id + 1);
        await send("leases", [places.lease, 1, id, count, size.nodes, 0, this.#word | (paid << 184n), false]);
      }
      const first = size.history + 1;
      await send("leases", [places.lease, first, first, 4, 2, 1, this.#word | (active << 184n), true]);
      for (let id = first + 4; id < first + size.live; id += LEASES_AT_ONCE) {
        const count = Math.min(LEASES_AT_ONCE, first + size.live - id);
        await send("leases", [places.lease, first + 4, id, count, size.nodes, 2, this.#word | (active << 184n), true]);
      }
    });
    this.#liveFrom = size.history + 1;
    this.#leases = size.history + size.live;
    const { slot, shift } = places.leaseCount;
    const before = BigInt(await this.#rpc<string>("eth_getStorageAt", registry, toBeHex(slot), "latest"));
    const mask = ((1n << 32n) - 1n) << BigInt(shift);
    await this.#store(registry, toBeHex(slot, 32), (before & ~mask) | (BigInt(this.#leases) << BigInt(shift)));
    this.#size = size;
    await this.#lease(places, supply);
    // Full blocks in a row raise it, above what agents are allowed to pay: they would send nothing, and try again in each cycle.
    await this.#rpc("hardhat_setNextBlockBaseFeePerGas", toQuantity(this.#baseFee));
    await this.#market.pass(1);
    const { leased } = await contracts.nodes.node(2);
    if (leased !== 4n || (await contracts.leases.leaseCount()) !== BigInt(this.#leases))
      throw new Error("the state is not what was written");
  }

  /** Base fee of the newest block, wei. */
  async #newestBaseFee(): Promise<bigint> {
    return BigInt((await this.#rpc<{ baseFeePerGas: string }>("eth_getBlockByNumber", "latest", false)).baseFeePerGas);
  }

  /** Units by node: those of node 2, and what the others have. */
  #units(): Map<number, number> {
    const { nodes, live } = this.#size;
    const units = new Map<number, number>(live > 0 ? [[2, 4]] : []);
    for (let i = 0; i < live - 4; i++) {
      const node = 3 + (i % (nodes - 2));
      units.set(node, (units.get(node) ?? 0) + 1);
    }
    return units;
  }

  async #lease(places: Places, supply: string): Promise<void> {
    await this.#addUnits(places, supply, 1n);
  }

  async #unlease(places: Places, supply: string): Promise<void> {
    await this.#addUnits(places, supply, -1n);
  }

  async #addUnits({ leased }: Places, supply: string, sign: bigint): Promise<void> {
    // Neighbours with equal units share a call.
    const runs: { from: number; count: number; units: number }[] = [];
    for (const [node, units] of [...this.#units()].sort(([a], [b]) => a - b)) {
      const last = runs.at(-1);
      if (last && last.from + last.count === node && last.units === units && last.count < 1_500) last.count += 1;
      else runs.push({ from: node, count: 1, units });
    }
    await this.#as(supply, async (send) => {
      for (const { from, count, units } of runs) {
        const added = BigInt.asUintN(256, sign * BigInt(units) * (1n << BigInt(leased.shift)));
        await send("add", [leased.slot, leased.offset, from, count, 0, added]);
      }
    });
  }

  /** Finds where the contracts keep things: writes a value, and sees whether they tell it. */
  async #find(): Promise<Places> {
    const { contracts } = this.#market;
    const [registry, supply] = [await contracts.leases.getAddress(), await contracts.supply.getAddress()];
    const isAt = async (contract: string, place: string, value: bigint, check: () => Promise<boolean>) => {
      const before = await this.#rpc<string>("eth_getStorageAt", contract, place, "latest");
      await this.#store(contract, place, BigInt(before) | value);
      const found = await check().catch(() => false);
      await this.#store(contract, place, BigInt(before));
      return found;
    };
    let leaseCount: Places["leaseCount"] | undefined;
    for (let slot = 0; slot < 8 && !leaseCount; slot++) {
      for (let shift = 0; shift < 256 && !leaseCount; shift += 8) {
        const check = async () => (await contracts.leases.leaseCount()) === 77n;
        if (await isAt(registry, toBeHex(slot, 32), 77n << BigInt(shift), check)) leaseCount = { slot, shift };
      }
    }
    let lease: number | undefined;
    for (let slot = 0; slot < 24 && lease === undefined; slot++) {
      const check = async () => (await contracts.leases.lease(1)).taskId === 77n;
      if (await isAt(registry, placeOf(1, slot), 77n | (1n << 184n), check)) lease = slot;
    }
    let leased: Places["leased"] | undefined;
    for (let slot = 0; slot < 24 && !leased; slot++) {
      for (let offset = 0; offset < 3 && !leased; offset++) {
        for (let shift = 0; shift < 256 && !leased; shift += 8) {
          const place = toBeHex(BigInt(placeOf(1, slot)) + BigInt(offset), 32);
          const check = async () => (await contracts.nodes.node(1)).leased === 77n;
          if (await isAt(supply, place, 77n << BigInt(shift), check)) leased = { slot, offset, shift };
        }
      }
    }
    if (!leaseCount || lease === undefined || !leased)
      throw new Error(
        `the contracts keep leases where nobody looked: ${JSON.stringify({ leaseCount, lease, leased })}`,
      );
    return { leaseCount, lease, leased };
  }

  /** Has a contract's address run {@link SOURCE} for a while. */
  async #as(
    address: string,
    work: (send: (name: string, args: readonly unknown[]) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const own = await this.#rpc<string>("eth_getCode", address, "latest");
    await this.#rpc("hardhat_setCode", address, this.#code);
    const from = this.#market.accounts.governance.address;
    let nonce = Number(await this.#rpc<string>("eth_getTransactionCount", from, "latest"));
    let waiting = 0;
    await this.#rpc("evm_setAutomine", false);
    try {
      await work(async (name, args) => {
        const data = BULK.encodeFunctionData(name, [...args]);
        await this.#rpc("eth_sendTransaction", { from, to: address, data, nonce: toQuantity(nonce++), ...FEES });
        waiting = (waiting + 1) % WRITES_AT_ONCE;
        if (waiting === 0) await this.#rpc("evm_mine");
      });
      await this.#rpc("evm_mine");
      const mined = Number(await this.#rpc<string>("eth_getTransactionCount", from, "latest"));
      if (mined !== nonce) throw new Error(`${String(nonce - mined)} of the writing transactions were not mined`);
    } finally {
      await this.#rpc("evm_setAutomine", true);
      await this.#rpc("hardhat_setCode", address, own);
    }
  }

  async #store(address: string, place: string, value: bigint): Promise<void> {
    await this.#rpc("hardhat_setStorageAt", address, place.replace(/^0x0+(?=.)/, "0x"), toBeHex(value, 32));
  }

  async #rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.#market.connection.provider.request({ method, params })) as T;
  }
}

function placeOf(id: number, slot: number): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [id, slot]));
}

/** Runtime code of {@link SOURCE}, by the project's own compiler. */
function compile(): string {
  const solc = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources: { "BulkState.sol": { content: SOURCE } },
    settings: {
      optimizer: { enabled: true },
      evmVersion: "prague",
      outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    contracts?: Record<string, Record<string, { evm: { deployedBytecode: { object: string } } }>>;
  };
  const code = output.contracts?.["BulkState.sol"]?.["BulkState"]?.evm.deployedBytecode.object;
  if (code === undefined) throw new Error(`BulkState does not compile: ${JSON.stringify(output)}`);
  return hexlify(zeroPadValue(`0x${code}`, code.length / 2));
}
