import { useState } from "react";
import { type Address, type Hex, parseEventLogs, type PublicClient } from "viem";

import { ENUMS } from "@verai/client/generated/enums";
import { nodeRegistryAbi } from "@verai/client/typed-abi/NodeRegistry";
import { parametersAbi } from "@verai/client/typed-abi/Parameters";
import { microToWei, parseVer } from "@verai/protocol/money/ver";
import { useChainClient } from "../chain/client.ts";
import { addressOf, type Config, useConfig } from "../config.ts";
import { foreign } from "../ui/format.ts";
import { Card } from "../ui/page.tsx";
import { Act, type Plan } from "./act.tsx";
import { callsOf } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { allowanceOf, useClasses, verOf } from "./own.ts";

/** What the form asks for. */
interface Wish {
  readonly operator: string;
  readonly consent: string;
  readonly classId: number;
  readonly capacity: string;
  readonly ask: string;
  readonly powerThreshold: string;
  readonly powerMax: string;
  readonly energySource: number;
}

const FIRST: Wish = {
  ...{ operator: "", consent: "", classId: 0, capacity: "4", ask: "0.012" },
  ...{ powerThreshold: "250", powerMax: "400", energySource: 1 },
};

function whole(what: string, text: string, max: number): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= max) return Number(text);
  throw new ActionError("NumberInvalid", `${what} is "${text}"; it has to be a whole number from 1 to ${String(max)}.`);
}

/** Checks a wish and says what it takes: stake, an approval, the registration. */
async function registrationPlan(config: Config, client: PublicClient, account: Address, wish: Wish): Promise<Plan> {
  const { operator, classId, energySource } = wish;
  if (!/^0x[0-9a-fA-F]{40}$/.test(operator)) {
    throw new ActionError("OperatorInvalid", "The operator is no address; take the one that node:consent has printed.");
  }
  const [, deadline = "", signature = ""] = /^(\d{1,12}):(0x[0-9a-fA-F]*)$/.exec(wish.consent.trim()) ?? [];
  if (deadline === "") {
    throw new ActionError(
      "ConsentInvalid",
      "The consent has to be a time, a colon and a signature, as node:consent prints it.",
    );
  }
  const capacity = whole("Capacity", wish.capacity, 65_535);
  let ask: bigint;
  try {
    ask = parseVer(wish.ask);
  } catch (error) {
    throw new ActionError("AskInvalid", `The ask "${wish.ask}" is no amount of VER, such as 0.012.`, error);
  }
  const [perUnit, allowed, { held, drip }] = await Promise.all([
    client.readContract({
      address: addressOf(config, "Parameters"),
      abi: parametersAbi,
      functionName: "get",
      args: [ENUMS.Param.indexOf("stakePerUnit")],
    }),
    allowanceOf(config, client, account),
    verOf(config, client, account),
  ]);
  const stake = microToWei(perUnit) * BigInt(capacity);
  const calls = callsOf(config);
  return {
    ver: stake,
    calls: [
      ...(held < stake && drip > 0n ? [calls.drip()] : []),
      ...(allowed < stake ? [calls.approve(stake)] : []),
      calls.register({
        consent: { operator: operator as Address, deadline: BigInt(deadline), signature: signature as Hex },
        terms: { classId, capacity, ask },
        profile: {
          energySource,
          powerThreshold: whole("Power threshold", wish.powerThreshold, 1_000_000),
          powerMax: whole("Maximum power", wish.powerMax, 1_000_000),
          endpoint: "",
        },
        stake,
      }),
    ],
  };
}

/** The configuration of a node's agent, to be saved as agent.json. */
function agentConfig({ rpcUrl, chainId }: Config, className: string, wish: Wish): string {
  const { capacity, ask, powerThreshold, powerMax, energySource } = wish;
  return JSON.stringify(
    {
      network: { rpcUrl, chainId },
      operator: { keystore: "/etc/drmp/operator.json", passphraseFile: "/etc/drmp/operator.pass" },
      dataDir: "/var/lib/drmp/agent",
      node: {
        ...{ class: className, capacity: Number(capacity), ask },
        ...{ powerThreshold: Number(powerThreshold), powerMax: Number(powerMax) },
        energySource: ENUMS.EnergySource[energySource],
      },
      store: { listen: ["/ip4/0.0.0.0/tcp/4001"] },
    },
    null,
    2,
  );
}

/** Registers a node, and ends with what its agent needs. */
export function RegisterForm({ account }: { account: Address }) {
  const config = useConfig();
  const client = useChainClient();
  const classes = useClasses();
  const [wish, setWish] = useState(FIRST);
  const [registered, setRegistered] = useState<{ readonly id: number; readonly agent: string }>();
  const set = (change: Partial<Wish>) => {
    setWish({ ...wish, ...change });
  };
  const nameOf = (id: number) => classes.data?.[id]?.name ?? "";
  const texts = [
    ["Operator address", "operator"],
    ["Consent of the operator", "consent"],
    ["Units at once", "capacity"],
    ["Ask for a unit, VER", "ask"],
    ["Power threshold, watts", "powerThreshold"],
    ["Maximum power, watts", "powerMax"],
  ] as const;
  return (
    <Card
      title="Register a node"
      source="Stake is taken for each unit of capacity, and comes back when the node leaves"
    >
      <p>
        The agent’s key agrees first. On its machine:{" "}
        <code className="break">scripts/drmp node:consent --owner {account}</code>
      </p>
      <div className="form">
        {texts.map(([label, field]) => (
          <label key={field}>
            {label}
            <input
              value={wish[field]}
              spellCheck={false}
              onChange={({ target }) => {
                set({ [field]: target.value });
              }}
            />
          </label>
        ))}
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
          Electricity
          <select
            value={wish.energySource}
            onChange={({ target }) => {
              set({ energySource: Number(target.value) });
            }}
          >
            {ENUMS.EnergySource.map((name, id) => (
              <option key={name} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Act
        primary
        label="Register"
        subject={JSON.stringify(wish)}
        plan={({ address }) => registrationPlan(config, client, address, wish)}
        onDone={({ logs }) => {
          const [event] = parseEventLogs({ abi: nodeRegistryAbi, eventName: "NodeRegistered", logs: [...logs] });
          if (event) setRegistered({ id: event.args.nodeId, agent: agentConfig(config, nameOf(wish.classId), wish) });
        }}
      />
      {registered && (
        <div className="note" data-testid="registered">
          <p>
            <strong>Node {registered.id} is registered.</strong> Save this as agent.json on its machine, with the paths
            of the operator’s key, and start the agent:
          </p>
          <pre>{registered.agent}</pre>
          <pre>node agent/main.ts run --config agent.json</pre>
        </div>
      )}
    </Card>
  );
}
