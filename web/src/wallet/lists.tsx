import { useState } from "react";
import type { Address, PublicClient } from "viem";

import { ENUMS } from "@verai/client/generated/enums";
import { microToWei, parseVer } from "@verai/protocol/money/ver";
import { taskRegistryAbi } from "@verai/client/typed-abi/TaskRegistry";
import { useChainClient } from "../chain/client.ts";
import { addressOf, type Config, useConfig } from "../config.ts";
import { count, exactVer, utc, ver } from "../ui/format.ts";
import { IdLink } from "../ui/links.tsx";
import { Card } from "../ui/page.tsx";
import { Act } from "./act.tsx";
import { callsOf } from "./calls.ts";
import { allowanceOf, bondOf, type ownOf } from "./own.ts";

type Own = Awaited<ReturnType<typeof ownOf>>;

/** An account's tasks, with what their owner can do. */
export function Tasks({ tasks }: { tasks: Own["tasks"] }) {
  const config = useConfig();
  const client = useChainClient();
  const [prices, setPrices] = useState<Readonly<Record<number, string>>>({});
  const calls = callsOf(config);
  return (
    <Card title="Your tasks" source="The chain’s newest 200 tasks">
      {tasks.length === 0 && <p className="empty">You have submitted no task.</p>}
      {tasks.map((task) => (
        <div key={task.id} className="own">
          <p>
            <IdLink kind="task" id={task.id} /> · {ENUMS.TaskStatus[task.status]} · {count(task.units)} units:{" "}
            {count(task.openUnits)} open, {count(task.leasedUnits)} leased, {count(task.paidUnits)} paid,{" "}
            {count(task.refundedUnits)} refunded · at most {exactVer(task.maxPrice)} a unit · escrow {ver(task.escrow)}{" "}
            VER · until {utc(task.deadline)}
          </p>
          <div className="row">
            <Act
              disabled={ENUMS.TaskStatus[task.status] !== "open"}
              label={`Cancel task ${String(task.id)}`}
              plan={() => ({ calls: [calls.cancel(task.id)] })}
            />
            <label>
              New maximum price, VER
              <input
                inputMode="decimal"
                value={prices[task.id] ?? ""}
                onChange={({ target }) => {
                  setPrices({ ...prices, [task.id]: target.value });
                }}
              />
            </label>
            <Act
              disabled={ENUMS.TaskStatus[task.status] !== "open"}
              label={`Raise price of task ${String(task.id)}`}
              subject={prices[task.id] ?? ""}
              plan={async ({ address }) => {
                const price = parseVer(prices[task.id] ?? "");
                const [needed, allowed] = await Promise.all([
                  client.readContract({
                    address: addressOf(config, "TaskRegistry"),
                    abi: taskRegistryAbi,
                    functionName: "depositToRaise",
                    args: [task.id, price],
                  }),
                  allowanceOf(config, client, address),
                ]);
                const approval = allowed < needed ? [calls.approve(needed)] : [];
                return { ver: needed, calls: [...approval, calls.raisePrice(task.id, price, needed)] };
              }}
            />
          </div>
        </div>
      ))}
    </Card>
  );
}

/** What to know before a lease is accepted: who accepts no longer waits for audits. */
async function auditNotes(config: Config, client: PublicClient, taskId: number): Promise<string[]> {
  const { auditChance } = await client.readContract({
    address: addressOf(config, "TaskRegistry"),
    abi: taskRegistryAbi,
    functionName: "task",
    args: [taskId],
  });
  if (auditChance === 0) return [];
  return [
    "The task asks for audits. What you accept is paid, whatever an audit finds afterwards; the task's page shows which run.",
  ];
}

/** Leases of an account's tasks that are delivered: what is to be accepted, or disputed. */
export function Deliveries({ leases }: { leases: Own["leases"] }) {
  const config = useConfig();
  const client = useChainClient();
  const calls = callsOf(config);
  const delivered = leases.filter(({ lease }) => ENUMS.LeaseStatus[lease.status] === "delivered");
  return (
    <Card title="Delivered to you" source="Accepting pays the node; a dispute takes a bond and an arbiter">
      {delivered.length === 0 && <p className="empty">Nothing waits for you.</p>}
      {delivered.map(({ id, lease }) => (
        <div key={id} className="own">
          <p>
            <IdLink kind="lease" id={id} /> of <IdLink kind="task" id={lease.taskId} />: units {lease.start} to{" "}
            {lease.start + lease.count - 1}, {exactVer(microToWei(lease.priceMicroVer))} a unit, by{" "}
            <IdLink kind="node" id={lease.nodeId} />
          </p>
          <div className="row">
            <Act
              primary
              label={`Accept lease ${String(id)}`}
              plan={async () => ({ calls: [calls.accept(id)], notes: await auditNotes(config, client, lease.taskId) })}
            />
            <Act
              label={`Dispute lease ${String(id)}`}
              plan={async ({ address }) => {
                const [bond, allowed] = await Promise.all([
                  bondOf(config, client, lease),
                  allowanceOf(config, client, address),
                ]);
                const approval = allowed < bond ? [calls.approve(bond)] : [];
                return { ver: bond, calls: [...approval, calls.dispute(id)] };
              }}
            />
          </div>
        </div>
      ))}
    </Card>
  );
}

/** What an owner does with a node, and in which status. */
const NODE_ACTIONS = [
  ["Drain", "drain", "active"],
  ["Resume", "resume", "draining"],
  ["Exit", "exit", "draining"],
  ["Withdraw", "withdraw", "unbonding"],
] as const;

/** An account's nodes, with what their owner can do. */
export function Nodes({
  nodes,
  classes,
}: {
  nodes: Own["nodes"];
  classes: readonly { readonly id: number; readonly tickSize: number }[];
}) {
  const config = useConfig();
  const client = useChainClient();
  const calls = callsOf(config);
  const [asks, setAsks] = useState<Readonly<Record<number, string>>>({});
  const [stakes, setStakes] = useState<Readonly<Record<number, string>>>({});
  return (
    <Card title="Your nodes" source="The chain’s newest 200 nodes">
      {nodes.length === 0 && <p className="empty">You own no node.</p>}
      {nodes.map((node) => {
        const status = ENUMS.NodeStatus[node.status];
        const ask = microToWei(node.askTick * (classes.find(({ id }) => id === node.classId)?.tickSize ?? 0));
        return (
          <div key={node.id} className="own">
            <p>
              <IdLink kind="node" id={node.id} /> · {status} · {count(node.leased)} of {count(node.capacity)} units
              leased · asks {exactVer(ask)} · stake {ver(node.stake)} VER
            </p>
            <div className="row">
              {NODE_ACTIONS.map(([label, what, when]) => (
                <Act
                  key={what}
                  label={`${label} node ${String(node.id)}`}
                  disabled={status !== when}
                  plan={() => ({ calls: [calls.ofNode(what, node.id)] })}
                />
              ))}
            </div>
            <div className="row">
              <label>
                New ask, VER{" "}
                <input
                  inputMode="decimal"
                  value={asks[node.id] ?? ""}
                  onChange={({ target }) => {
                    setAsks({ ...asks, [node.id]: target.value });
                  }}
                />
              </label>
              <Act
                label={`Change ask of node ${String(node.id)}`}
                subject={asks[node.id] ?? ""}
                plan={() => {
                  const { classId, capacity } = node;
                  return {
                    calls: [calls.setTerms(node.id, { classId, capacity, ask: parseVer(asks[node.id] ?? "") })],
                  };
                }}
              />
              <label>
                More stake, VER{" "}
                <input
                  inputMode="decimal"
                  value={stakes[node.id] ?? ""}
                  onChange={({ target }) => {
                    setStakes({ ...stakes, [node.id]: target.value });
                  }}
                />
              </label>
              <Act
                label={`Add stake to node ${String(node.id)}`}
                subject={stakes[node.id] ?? ""}
                plan={async ({ address }) => {
                  const amount = parseVer(stakes[node.id] ?? "");
                  const allowed = await allowanceOf(config, client, address);
                  const approval = allowed < amount ? [calls.approve(amount)] : [];
                  return { ver: amount, calls: [...approval, calls.addStake(node.id, amount)] };
                }}
              />
            </div>
          </div>
        );
      })}
    </Card>
  );
}

/** What an account can claim, and does. */
export function Claim({ account, claimable }: { account: Address; claimable: bigint }) {
  const calls = callsOf(useConfig());
  return <Act label="Claim" disabled={claimable === 0n} plan={() => ({ calls: [calls.claim(account)] })} />;
}
