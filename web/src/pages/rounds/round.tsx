import { useParams } from "wouter";

import { useIndexer, useIndexerList } from "../../api/queries.ts";
import type { Lease, Round } from "../../api/generated.ts";
import { Badge } from "../../ui/badge.tsx";
import { clearingPrice, count, counted, exactVer, span, utc, ver } from "../../ui/format.ts";
import { Address, ClassLink, IdLink } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";
import { Certificate } from "./certificate.tsx";

/** A round: what it was about, who got what, and the proof that nothing better was possible. */
export default function RoundPage() {
  const { id = "" } = useParams<{ id: string }>();
  const query = useIndexer("/v1/rounds/{id}", { id: Number(id) });
  const classes = useIndexer("/v1/classes", {});
  const leases = useIndexerList("/v1/rounds/{id}/leases", { id: Number(id), order: "asc", limit: 100 });
  const names = new Map(classes.data?.items.map((each) => [each.id, each.name]));
  return (
    <Page title={`Round ${id}`} asOf={query.data?.asOf}>
      <Loaded query={query} blank={<Card title="The round">Loading</Card>}>
        {({ item, classes: cleared, asOf }) => (
          <>
            <Card title="The round" source="Source: indexer">
              <Facts round={item} now={asOf.time} />
              {cleared.length > 0 && (
                <Table
                  label="Clearing prices"
                  rows={cleared}
                  keyOf={({ classId }) => classId}
                  empty=""
                  columns={[
                    { title: "Class", cell: ({ classId }) => <ClassLink id={classId} name={names.get(classId)} /> },
                    { title: "Units leased", number: true, cell: ({ units }) => count(units) },
                    {
                      title: "Clearing price, VER a unit",
                      number: true,
                      cell: ({ clearing }) => <span title={exactVer(clearing)}>{clearingPrice(clearing)}</span>,
                    },
                  ]}
                />
              )}
            </Card>
            {item.status === "settled" ? <Certificate key={item.id} round={item} /> : <NotSettled round={item} />}
          </>
        )}
      </Loaded>
      <Card title="Who got what" source="Source: indexer, from LeaseRegistry.LeaseGranted">
        <Loaded
          query={{ data: leases.items, error: leases.error, refetch: leases.refetch }}
          blank={<Leases rows={undefined} names={names} />}
        >
          {(items) => <Leases rows={items} names={names} />}
        </Loaded>
        <More query={leases} />
      </Card>
    </Page>
  );
}

function NotSettled({ round: { status } }: { round: Round }) {
  const words: Readonly<Record<string, string>> = {
    seeding: "The round waits for its seed from the oracle. The listings stand still until it is over.",
    settling: "The seed has come; a keeper is about to settle the round.",
    aborted:
      "The oracle or the keepers did not answer in time: the round was given up, and its tasks kept their places in the queue.",
  };
  return <Card title="The certificate">{words[status] ?? "The round is not settled."}</Card>;
}

function Facts({ round, now }: { round: Round; now: number }) {
  const { status, opener, keeper, seed, requestId, demands, openedBlock, openedAt, endedAt, units, unitsOpen, leases } =
    round;
  return (
    <dl className="facts">
      <dt>Status</dt>
      <dd>
        <Badge status={status} />
      </dd>
      <dt>Opened</dt>
      <dd>
        {utc(openedAt)}, block {count(openedBlock)}, by <Address value={opener} />
      </dd>
      <dt>{status === "aborted" ? "Given up" : "Settled"}</dt>
      <dd>
        {endedAt === null ? (
          `not yet, for ${span(now - openedAt)}`
        ) : (
          <>
            {utc(endedAt)}, {span(endedAt - openedAt)} later
            {keeper !== null && (
              <>
                , by keeper <Address value={keeper} />
              </>
            )}
          </>
        )}
      </dd>
      <dt>Seed</dt>
      <dd className="mono">{seed ?? "has not come"}</dd>
      <dt>Request to the oracle</dt>
      <dd className="mono">{requestId}</dd>
      <dt>Units</dt>
      <dd>
        {count(units)} leased in {counted(leases, "lease")}, {count(unitsOpen)} stay open
      </dd>
      <dt>Demand</dt>
      <dd>
        {demands.map(([taskId, wanted], i) => (
          <span key={taskId}>
            {i > 0 && ", "}
            <IdLink kind="task" id={taskId} /> ({count(wanted)})
          </span>
        ))}
      </dd>
    </dl>
  );
}

function Leases({ rows, names }: { rows: readonly Lease[] | undefined; names: ReadonlyMap<number, string> }) {
  return (
    <Table
      label="Leases of the round"
      rows={rows}
      keyOf={({ id }) => id}
      empty="The round granted nothing."
      columns={[
        { title: "Lease", cell: ({ id }) => <IdLink kind="lease" id={id} /> },
        { title: "Task", cell: ({ taskId }) => <IdLink kind="task" id={taskId} /> },
        {
          title: "Units",
          number: true,
          cell: ({ start, count: units }) =>
            units === 1 ? `#${String(start)}` : `#${String(start)}–${String(start + units - 1)}`,
        },
        { title: "Node", cell: ({ nodeId }) => <IdLink kind="node" id={nodeId} /> },
        { title: "Class", cell: ({ classId }) => <ClassLink id={classId} name={names.get(classId)} /> },
        {
          title: "Price, VER a unit",
          number: true,
          cell: ({ price }) => <span title={exactVer(price)}>{ver(price)}</span>,
        },
        { title: "Status now", cell: ({ status }) => <Badge status={status} /> },
      ]}
    />
  );
}
