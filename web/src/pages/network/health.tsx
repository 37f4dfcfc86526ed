import type { ReactNode } from "react";
import { formatEther } from "viem";

import { BOUNTIES_AHEAD, judgeBountyPool, judgeSubscription } from "@verai/protocol/money/reserves";
import { microToWei } from "@verai/protocol/money/ver";
import type { ChainNetwork, useChainNetwork } from "../../chain/network.ts";
import { Badge } from "../../ui/badge.tsx";
import { count, percent, span, ver } from "../../ui/format.ts";
import { IdLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/page.tsx";

/** Whether what everybody depends on works: oracle, treasury, rounds, reports. */
export function Health({ chain }: { chain: ReturnType<typeof useChainNetwork> }) {
  return (
    <Loaded query={chain} blank={<div style={{ minHeight: "230px" }} />}>
      {(now) => (
        <div className="health">
          <Oracle now={now} />
          <Treasury now={now} />
          <Item status={now.isPaused ? "paused" : "open"} meaning={now.isPaused ? "bad" : "good"} title="Intake">
            {now.isPaused
              ? "The guardian has paused new tasks and rounds; exits stay open."
              : "New tasks and rounds are taken."}
          </Item>
          <Reports now={now} />
          <Item
            status={now.batch.status === "seeding" || now.batch.status === "drawing" ? now.batch.status : "none waits"}
            meaning="good"
            title="Reassignment"
          >
            {now.batch.id === 0 ? (
              "No lease has had to be drawn for yet."
            ) : (
              <>
                Newest: <IdLink kind="batch" id={now.batch.id} />, {now.batch.status}.
              </>
            )}
          </Item>
        </div>
      )}
    </Loaded>
  );
}

function Item({
  status,
  meaning,
  title,
  children,
}: {
  status: string;
  meaning: "good" | "warn" | "bad";
  title: string;
  children: ReactNode;
}) {
  return (
    <div>
      <Badge status={status} meaning={meaning} />
      <strong>{title}</strong>
      <span className="soft small">{children}</span>
    </div>
  );
}

const MEANING = { covered: "good", low: "warn", empty: "bad" } as const;

function Oracle({ now: { round, batch, parameters, time, subscription } }: { now: ChainNetwork }) {
  const waits = [round, batch].filter(({ status }) => status === "seeding").map(({ openedAt }) => time - openedAt);
  const longest = Math.max(0, ...waits);
  const late = longest > parameters.seedTimeout;
  const funds = subscription && judgeSubscription(subscription);
  const short = funds !== undefined && funds !== "covered";
  const paid =
    subscription &&
    (subscription.paysNative
      ? `${Number(formatEther(subscription.native)).toPrecision(4)} ETH`
      : `${Number(formatEther(subscription.link)).toPrecision(4)} LINK`);
  return (
    <Item
      status={late ? "silent" : short ? `funds ${funds}` : waits.length > 0 ? "asked" : "answers"}
      meaning={late ? "bad" : funds === undefined ? "warn" : MEANING[funds]}
      title="Oracle (VRF)"
    >
      {waits.length > 0
        ? `A request has waited ${span(longest)}; after ${span(parameters.seedTimeout)} it is given up.`
        : `No request waits. ${round.id === 0 ? "" : `Round ${String(round.id)} was opened ${span(time - round.openedAt)} ago.`}`}{" "}
      {paid === undefined ? "Its subscription cannot be read." : `Its subscription has ${paid}.`}
      {funds === "low" && " That pays for few requests: fund it."}
      {funds === "empty" && " It answers no request, and no round gets a seed, until somebody funds it."}
    </Item>
  );
}

function Treasury({ now: { money, parameters } }: { now: ChainNetwork }) {
  const state = judgeBountyPool(money.bountyPool, microToWei(parameters.roundBounty));
  const words = {
    covered: "",
    low: `, less than ${String(BOUNTIES_AHEAD)} rounds’ bounties`,
    empty: ", less than one round’s bounty: keepers are not paid in full until it is filled",
  };
  return (
    <Item status={state} meaning={MEANING[state]} title="Treasury">
      Bounty pool {ver(money.bountyPool)} VER{words[state]}; escrow {ver(money.escrow)}, stake {ver(money.stake)},
      claimable {ver(money.claimable)} VER.
    </Item>
  );
}

function Reports({ now: { reports } }: { now: ChainNetwork }) {
  const load = reports.capacity === 0 ? undefined : Number(reports.load) / Number(reports.capacity) / 100;
  const meaning = reports.nodes === 0 ? "warn" : reports.throttledNodes > 0 ? "warn" : "good";
  return (
    <Item status={`${count(reports.nodes)} nodes`} meaning={meaning} title="Reports">
      Average load {percent(load)}, {count(Number(reports.watts))} W together, {count(reports.throttledNodes)}{" "}
      throttled.
    </Item>
  );
}
