import { useState } from "react";
import { type Address, bytesToHex, type PublicClient } from "viem";

import { parseVer } from "@verai/protocol/money/ver";
import { useChainClient } from "../chain/client.ts";
import { type Config, useConfig } from "../config.ts";
import { foreign } from "../ui/format.ts";
import { Card } from "../ui/page.tsx";
import type { Sent } from "./account.ts";
import { Act, type Plan } from "./act.tsx";
import { callsOf } from "./calls.ts";
import { allowanceOf, depositOf, useClasses, verOf } from "./own.ts";
import { ActionError } from "./explain.ts";

/** A small task of the built-in trainer, which every node can run. */
const SAMPLE = JSON.stringify(
  {
    version: 1,
    name: "four learning rates",
    trainer: "digits",
    args: ["--epochs", "10", "--train", "4000", "--test", "1000", "--checkpoint-steps", "60", "--pace", "40"],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [24], learningRate: [0.02, 0.05, 0.1, 0.2] }) },
    resources: { cpus: 1, memoryMiB: 512 },
    checkpoint: { intervalSeconds: 3 },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 600, graceSeconds: 10 },
    maxRestarts: 2,
  },
  null,
  2,
);

/** Longest spec that nodes read, bytes. */
const MAX_SPEC_BYTES = 64 * 1024;

/** What the form asks for. */
export interface Wish {
  readonly spec: string;
  readonly units: string;
  readonly price: string;
  readonly classId: number;
  readonly minutes: string;
}

export const FIRST: Wish = { spec: SAMPLE, units: "4", price: "0.02", classId: 0, minutes: "60" };

/** Checks a wish and says what it takes: VER from the faucet where too little is there, an approval, the submission. */
export async function submissionPlan(
  config: Config,
  client: PublicClient,
  account: Address,
  wish: Wish,
): Promise<Plan> {
  const bytes = new TextEncoder().encode(wish.spec);
  requireSpec(wish.spec, bytes.length);
  const units = wholeOf("units", wish.units, 1, 1_048_576);
  const minutes = wholeOf("minutes", wish.minutes, 5, 100_000);
  let maxPrice: bigint;
  try {
    maxPrice = parseVer(wish.price);
  } catch (error) {
    throw new ActionError("PriceInvalid", `The price ${wish.price} is no amount of VER, such as 0.02.`, error);
  }
  const specDigest = bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  const [needed, { held, drip }, allowed, { timestamp }] = await Promise.all([
    depositOf(config, client, units, maxPrice),
    verOf(config, client, account),
    allowanceOf(config, client, account),
    client.getBlock(),
  ]);
  if (held + drip < needed) {
    throw new ActionError(
      "TooLittleVer",
      `The task locks ${String(needed)} wei of VER, and the account has ${String(held)}; get more VER, or lower units or price.`,
    );
  }
  const calls = callsOf(config);
  const interval = 60;
  return {
    ver: needed,
    calls: [
      ...(held < needed ? [calls.drip()] : []),
      ...(allowed < needed ? [calls.approve(needed)] : []),
      calls.submit({
        ...{ specDigest, specCodec: 0x55, units, maxPrice, replicas: 0, auditChance: 0, classIds: [wish.classId] },
        ...{ checkpointInterval: interval, maxUnitTime: Math.max(interval, minutes * 30) },
        deadline: Number(timestamp) + minutes * 60,
      }),
    ],
  };
}

/** Refuses what no node could read as a spec; the nodes' own check of every field comes when one fetches it. */
function requireSpec(text: string, size: number): void {
  let spec: unknown;
  try {
    spec = JSON.parse(text);
  } catch (error) {
    throw new ActionError("SpecInvalid", "The spec is no JSON; correct it.", error);
  }
  if (size > MAX_SPEC_BYTES) {
    throw new ActionError("SpecTooLong", `The spec has ${String(size)} bytes; it may have ${String(MAX_SPEC_BYTES)}.`);
  }
  const { version, trainer, image } = (typeof spec === "object" && spec !== null ? spec : {}) as Record<
    string,
    unknown
  >;
  if (version !== 1 || (typeof trainer !== "string") === (typeof image !== "string")) {
    throw new ActionError(
      "SpecInvalid",
      "The spec has to say version 1, and name either a trainer or an image; add what is missing.",
    );
  }
}

function wholeOf(what: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new ActionError(
    "NumberInvalid",
    `${what} is ${text}; it has to be a whole number from ${String(min)} to ${String(max)}.`,
  );
}

/** The form of a task: a spec, typed or from a file, and its terms. */
export function SubmitForm({ onDone }: { onDone: (sent: Sent) => void }) {
  const config = useConfig();
  const client = useChainClient();
  const classes = useClasses();
  const [wish, setWish] = useState(FIRST);
  const set = (change: Partial<Wish>) => {
    setWish({ ...wish, ...change });
  };
  return (
    <Card title="Submit a task" source="The spec’s CID goes on chain; nodes fetch the spec itself from each other.">
      <div className="form">
        <label>
          Spec (JSON)
          <textarea
            rows={8}
            spellCheck={false}
            value={wish.spec}
            onChange={({ target }) => {
              set({ spec: target.value });
            }}
          />
        </label>
        <label>
          …or from a file
          <input
            type="file"
            accept="application/json,.json"
            onChange={({ target }) =>
              void target.files?.[0]
                ?.slice(0, 65_536)
                .text()
                .then((spec) => {
                  set({ spec });
                })
            }
          />
        </label>
        <label>
          Units
          <input
            inputMode="numeric"
            value={wish.units}
            onChange={({ target }) => {
              set({ units: target.value });
            }}
          />
        </label>
        <label>
          Maximum price of a unit, VER
          <input
            inputMode="decimal"
            value={wish.price}
            onChange={({ target }) => {
              set({ price: target.value });
            }}
          />
        </label>
        <label>
          Class
          <select
            value={wish.classId}
            onChange={({ target }) => {
              set({ classId: Number(target.value) });
            }}
          >
            {(classes.data ?? []).map(({ id, name }) => (
              <option key={id} value={id}>
                {foreign(name, 40)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Deadline, minutes from now
          <input
            inputMode="numeric"
            value={wish.minutes}
            onChange={({ target }) => {
              set({ minutes: target.value });
            }}
          />
        </label>
      </div>
      <Act
        primary
        label="Submit"
        plan={({ address }) => submissionPlan(config, client, address, wish)}
        onDone={onDone}
      />
    </Card>
  );
}
