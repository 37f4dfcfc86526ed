import { useState } from "react";

import { useIndexerList } from "../../api/queries.ts";
import { Choice } from "../../ui/choice.tsx";
import { Failure } from "../../ui/failure.tsx";
import { count, exactVer, joules, percent, span, ver } from "../../ui/format.ts";
import { Address, IdLink } from "../../ui/links.tsx";
import { Card, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";

const BY = [
  ["earned", "Earned"],
  ["units", "Units"],
  ["delivered", "Delivered"],
  ["renewable", "Renewable"],
  ["idle", "Idle machines"],
] as const;

/** Nodes and keepers by what they have done. */
export default function LeadersPage() {
  const [by, setBy] = useState<(typeof BY)[number][0]>("earned");
  const nodes = useIndexerList("/v1/leaders", { by, limit: 25 });
  const keepers = useIndexerList("/v1/keepers", { limit: 25 });
  const place = new Map(nodes.items?.map(({ id }, i) => [id, i + 1]));
  return (
    <Page title="Leaders" asOf={nodes.asOf}>
      <Card
        title="Nodes"
        source="Since they joined. Source: indexer"
        actions={<Choice label="Order" options={BY} value={by} onChange={setBy} />}
      >
        {nodes.error && <Failure error={nodes.error} onRetry={() => void nodes.refetch()} />}
        <Table
          label="Nodes by what they have done"
          rows={nodes.items}
          keyOf={({ id }) => id}
          expected={10}
          empty="No node has joined yet."
          columns={[
            { title: "Place", number: true, cell: ({ id }) => String(place.get(id) ?? "") },
            { title: "Node", cell: ({ id }) => <IdLink kind="node" id={id} /> },
            { title: "Owner", cell: ({ owner }) => <Address value={owner} /> },
            {
              title: "Earned, VER",
              number: true,
              cell: ({ earned }) => <span title={exactVer(earned)}>{ver(earned)}</span>,
            },
            { title: "Units paid", number: true, cell: ({ paidUnits }) => count(paidUnits) },
            { title: "Leases delivered", number: true, cell: ({ deliveredLeases }) => count(deliveredLeases) },
            { title: "Failures", number: true, cell: ({ failures }) => count(failures) },
            { title: "Renewable energy", number: true, cell: ({ renewableJoules }) => joules(renewableJoules) },
            {
              title: "Share renewable",
              number: true,
              cell: (node) => percent(node.joules === 0 ? undefined : (node.renewableJoules * 100) / node.joules, 0),
            },
            { title: "Idle machine work", number: true, cell: ({ idleUnitSeconds }) => span(idleUnitSeconds) },
          ]}
        />
        <More query={nodes} />
      </Card>
      <Card title="Keepers" source="By their bounties. Source: indexer">
        {keepers.error && <Failure error={keepers.error} onRetry={() => void keepers.refetch()} />}
        <Table
          label="Keepers by their bounties"
          rows={keepers.items}
          keyOf={({ address }) => address}
          expected={3}
          empty="No keeper has done anything yet."
          columns={[
            { title: "Keeper", cell: ({ address }) => <Address value={address} full /> },
            {
              title: "Bounties, VER",
              number: true,
              cell: ({ bounties }) => <span title={exactVer(bounties)}>{ver(bounties)}</span>,
            },
            { title: "Rounds settled", number: true, cell: ({ roundsSettled }) => count(roundsSettled) },
            { title: "Rounds opened", number: true, cell: ({ roundsOpened }) => count(roundsOpened) },
            { title: "Batches opened", number: true, cell: ({ batchesOpened }) => count(batchesOpened) },
            { title: "Leases expired", number: true, cell: ({ expired }) => count(expired) },
          ]}
        />
        <More query={keepers} />
      </Card>
    </Page>
  );
}
