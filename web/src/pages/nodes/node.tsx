import { useParams } from "wouter";

import { readIdleCause } from "@verai/client/causes";
import { readEnergy } from "@verai/client/telemetry";
import { isRenewable } from "@verai/protocol/energy/goals";
import { useIndexer, useIndexerList } from "../../api/queries.ts";
import type { Lease, Node } from "../../api/generated.ts";
import { useReader } from "../../chain/reader.ts";
import { Badge } from "../../ui/badge.tsx";
import { CheckedAgainstChain } from "../../ui/checked.tsx";
import { Events } from "../../ui/events.tsx";
import { Failure } from "../../ui/failure.tsx";
import { Figure, Figures } from "../../ui/figure.tsx";
import { count, exactVer, foreign, joules, percent, span, utc, ver } from "../../ui/format.ts";
import { Address, Cid, ClassLink, IdLink } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";
import { Earnings } from "./earnings.tsx";
import { standingOf } from "./nodes.tsx";

/** A node: what it runs, why it is idle, what it earned and used. */
export default function NodePage() {
  const { id = "" } = useParams<{ id: string }>();
  const nodeId = Number(id);
  const query = useIndexer("/v1/nodes/{id}", { id: nodeId });
  const classes = useIndexer("/v1/classes", {});
  const running = useIndexerList("/v1/nodes/{id}/leases", { id: nodeId, status: "active" });
  const past = useIndexerList("/v1/nodes/{id}/leases", { id: nodeId });
  const chain = useReader(["node", nodeId], async (reader, block) => {
    const node = await reader.node(block, nodeId);
    const [cause, energy] = await Promise.all([
      node && readIdleCause(reader, block, node),
      readEnergy(reader, block, "node", nodeId),
    ]);
    return { node, cause, energy };
  });
  const own = chain.data?.value.node;
  const name = classes.data?.items.find((each) => each.id === query.data?.item.classId)?.name;
  return (
    <Page title={`Node ${id}`} asOf={query.data?.asOf}>
      <Loaded query={query} blank={<Card title="The node">Loading</Card>}>
        {({ item, asOf }) => (
          <>
            <NodeFigures node={item} />
            <div className="columns">
              <Card title="The node" source="Source: indexer, compared with the chain">
                <dl className="facts">
                  <dt>Status</dt>
                  <dd>
                    <Badge {...standingOf(item)} />
                  </dd>
                  <dt>Class</dt>
                  <dd>
                    <ClassLink id={item.classId} name={name} />
                  </dd>
                  <dt>Owner</dt>
                  <dd>
                    <Address value={item.owner} full />
                  </dd>
                  <dt>Operator key</dt>
                  <dd>
                    <Address value={item.operator} full />
                  </dd>
                  <dt>Electricity</dt>
                  <dd>
                    {foreign(item.energySource, 30)}, as it declares
                    {isRenewable(item.energySource) ? " (counts as renewable)" : ""}
                  </dd>
                  <dt>Power</dt>
                  <dd>
                    {count(item.watts)} W in its last report, at most {count(item.powerMax)} W
                    {item.powerThreshold > 0 && `; throttled above ${count(item.powerThreshold)} W`}
                  </dd>
                  <dt>Latency</dt>
                  <dd>{count(item.latency)} ms</dd>
                  <dt>Endpoint</dt>
                  <dd className="mono small">{foreign(item.endpoint, 400) || "none"}</dd>
                  <dt>Joined</dt>
                  <dd>
                    {utc(item.registeredAt)}, {span(asOf.time - item.registeredAt)} ago
                  </dd>
                </dl>
                <CheckedAgainstChain block={chain.data?.block} figures={own && comparisons(item, own)} />
                {chain.error && (
                  <Failure title="The chain does not tell" error={chain.error} onRetry={() => void chain.refetch()} />
                )}
              </Card>
              <div className="stack">
                <Card title={own && own.leased > 0 ? "What it runs" : "Why it is idle"} source="Source: chain">
                  {chain.data === undefined ? (
                    <p className="soft">Asking the chain…</p>
                  ) : chain.data.value.cause ? (
                    <>
                      <p>
                        <strong>{foreign(chain.data.value.cause.what, 400)}</strong>
                      </p>
                      <p className="soft">
                        {[chain.data.value.cause.value, chain.data.value.cause.bound]
                          .filter((part) => part !== "")
                          .map((part) => foreign(part, 200))
                          .join("; ")}
                      </p>
                      <p>{foreign(chain.data.value.cause.remedy, 400)}</p>
                    </>
                  ) : (
                    <p>
                      {own
                        ? `${count(own.leased)} of ${count(own.capacity)} units are at work.`
                        : "The chain has no such node."}
                    </p>
                  )}
                </Card>
                <Card title="Reliability" source="Source: indexer">
                  <dl className="facts">
                    <dt>Delivered</dt>
                    <dd>
                      {count(item.deliveredLeases)} of {count(item.leases)} leases (
                      {percent(item.leases === 0 ? undefined : (item.deliveredLeases * 100) / item.leases)})
                    </dd>
                    <dt>Failed</dt>
                    <dd>{count(item.failures)}</dd>
                    <dt>Given back</dt>
                    <dd>{count(item.returns)}</dd>
                    <dt>Moved away</dt>
                    <dd>{count(item.moves)}</dd>
                    <dt>Reports</dt>
                    <dd>
                      {count(item.reports)} taken, {count(item.refused)} refused
                    </dd>
                  </dl>
                </Card>
                <Card title="Energy" source="Source: chain, EnergyLedger">
                  <dl className="facts">
                    <dt>Since it joined</dt>
                    <dd>
                      {chain.data
                        ? `${joules(Number(chain.data.value.energy.joules))}, ${percent(Number(chain.data.value.energy.renewableBps) / 100)} renewable`
                        : "…"}
                    </dd>
                    <dt>How it is known</dt>
                    <dd>
                      {item.method === ""
                        ? "no energy reported yet"
                        : item.method === "estimated"
                          ? "estimated"
                          : `measured (${foreign(item.method, 12)})`}
                    </dd>
                    <dt>Carbon</dt>
                    <dd>
                      {chain.data ? `${count(Number(chain.data.value.energy.carbonMilligrams) / 1000)} g CO₂e` : "…"}
                    </dd>
                  </dl>
                </Card>
              </div>
            </div>
            <Earnings node={item} now={asOf.time} />
          </>
        )}
      </Loaded>
      <Card title="Runs now" source="Source: indexer">
        <LeaseTable rows={running.items} empty="No lease is active." />
        <More query={running} />
      </Card>
      <Card title="All its leases" source="Source: indexer">
        <LeaseTable rows={past.items} empty="It has had no lease yet." />
        <More query={past} />
      </Card>
      <Events page="/v1/nodes/{id}/events" id={nodeId} />
    </Page>
  );
}

function comparisons(
  item: Node,
  own: {
    status: string;
    capacity: number;
    leased: number;
    stake: bigint;
    eligible: boolean;
    owner: string;
    operator: string;
  },
) {
  return [
    { what: "status", indexer: item.status, chain: own.status },
    { what: "capacity", indexer: String(item.capacity), chain: String(own.capacity) },
    { what: "leased units", indexer: String(item.leasedUnits), chain: String(own.leased) },
    { what: "stake", indexer: item.stake, chain: String(own.stake) },
    { what: "open to new work by its reports", indexer: String(item.eligible), chain: String(own.eligible) },
    { what: "owner", indexer: item.owner, chain: own.owner.toLowerCase() },
    { what: "operator key", indexer: item.operator, chain: own.operator.toLowerCase() },
  ];
}

function NodeFigures({ node }: { node: Node }) {
  return (
    <Figures>
      <Figure
        label="In use"
        value={`${count(node.leasedUnits)} / ${count(node.capacity)}`}
        unit="units"
        more={`load ${percent(node.load / 100)}`}
      />
      <Figure
        label="Ask"
        value={ver(node.ask)}
        unit="VER a unit"
        title={exactVer(node.ask)}
        more="what it is paid for a unit"
      />
      <Figure
        label="Earned"
        value={ver(node.earned)}
        unit="VER"
        title={exactVer(node.earned)}
        more={`${count(node.paidUnits)} units paid`}
      />
      <Figure
        label="Spent"
        value={ver(BigInt(node.slashed) + BigInt(node.charged))}
        unit="VER"
        more={`${ver(node.slashed)} slashed, ${ver(node.charged)} in fees`}
      />
      <Figure label="Stake" value={ver(node.stake)} unit="VER" title={exactVer(node.stake)} more="backs what it runs" />
      <Figure
        label="Delivered"
        value={count(node.deliveredLeases)}
        unit="leases"
        more={`${count(node.failures)} failed, ${count(node.returns)} given back`}
      />
    </Figures>
  );
}

function LeaseTable({ rows, empty }: { rows: readonly Lease[] | undefined; empty: string }) {
  return (
    <Table
      label="Leases of the node"
      rows={rows}
      keyOf={({ id }) => id}
      expected={3}
      empty={empty}
      columns={[
        { title: "Lease", cell: ({ id }) => <IdLink kind="lease" id={id} /> },
        { title: "Task", cell: ({ taskId }) => <IdLink kind="task" id={taskId} /> },
        { title: "Units", number: true, cell: ({ count: units }) => count(units) },
        { title: "Status", cell: ({ status }) => <Badge status={status} /> },
        { title: "Ended because", cell: ({ reason }) => (reason === null ? "–" : foreign(reason, 30)) },
        {
          title: "Progress",
          number: true,
          cell: ({ progress, count: units }) => percent((progress * 100) / (units * 10_000), 0),
        },
        { title: "Paid, VER", number: true, cell: ({ paid }) => <span title={exactVer(paid)}>{ver(paid)}</span> },
        { title: "Energy", number: true, cell: (lease) => joules(lease.joules) },
        { title: "Result", cell: ({ resultCid }) => <Cid value={resultCid} /> },
      ]}
    />
  );
}
