import { lazy, Suspense } from "react";
import { useParams } from "wouter";

import { readTaskCause } from "@verai/client/causes";
import type { EnergySummary } from "@verai/client/entities";
import { readEnergy } from "@verai/client/telemetry";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { baselineFit, isClaimed, whyNotClaimed } from "@verai/protocol/energy/baseline";
import { useIndexer, useIndexerList } from "../../api/queries.ts";
import type { Lease, Task } from "../../api/generated.ts";
import { useReader } from "../../chain/reader.ts";
import { Badge } from "../../ui/badge.tsx";
import { CheckedAgainstChain } from "../../ui/checked.tsx";
import { Events } from "../../ui/events.tsx";
import { Failure } from "../../ui/failure.tsx";
import { Figure, Figures } from "../../ui/figure.tsx";
import { bytes, count, counted, exactVer, foreign, joules, percent, span, utc, ver } from "../../ui/format.ts";
import { Address, Cid, ClassLink, IdLink } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";
import { useConfig } from "../../config.ts";
import { quoteOf } from "../../wallet/quotes-kept.ts";
import { AuditTable } from "./audits.tsx";
import { Lanes } from "./lanes.tsx";
import { UnitsBar, UnitsLegend } from "./units-bar.tsx";

// Fetched after the page: it signs, and verifies what comes.
const Results = lazy(() => import("../../content/results.tsx"));

/** Basis points of a unit. */
const WHOLE = 10_000;

/** A task: what happened to its units, what it has cost, and why it waits. */
export default function TaskPage() {
  const { id = "" } = useParams<{ id: string }>();
  const taskId = Number(id);
  const query = useIndexer("/v1/tasks/{id}", { id: taskId });
  const leases = useIndexerList("/v1/tasks/{id}/leases", { id: taskId, order: "asc", limit: 200 });
  const audits = useIndexerList("/v1/tasks/{id}/audits", { id: taskId, order: "desc", limit: 200 });
  const classes = useIndexer("/v1/classes", {});
  const chain = useReader(["task", taskId], async (reader, block) => {
    const [task, cause, energy] = await Promise.all([
      reader.task(block, taskId),
      readTaskCause(reader, block, taskId),
      readEnergy(reader, block, "task", taskId),
    ]);
    return { task, cause, energy };
  });
  const names = new Map(classes.data?.items.map((each) => [each.id, each.name]));
  const own = chain.data?.value.task;
  return (
    <Page title={`Task ${id}`} asOf={query.data?.asOf}>
      <Loaded query={query} blank={<Card title="The task">Loading</Card>}>
        {({ item, asOf }) => (
          <>
            <TaskFigures task={item} leases={leases.items} now={asOf.time} />
            <div className="columns">
              <Card title="The task" source="Source: chain, TaskRegistry">
                <dl className="facts">
                  <dt>Status</dt>
                  <dd>
                    <Badge status={item.status} />
                  </dd>
                  <dt>Developer</dt>
                  <dd>
                    <Address value={item.owner} />
                  </dd>
                  <dt>Spec</dt>
                  <dd>
                    {own ? (
                      <Cid value={fromChainCid(own.spec).toString()} />
                    ) : (
                      <span className="mono">{foreign(item.specDigest, 20)}</span>
                    )}
                  </dd>
                  <dt>Classes</dt>
                  <dd>
                    {own
                      ? own.classes.map(({ classId, surcharge }, i) => (
                          <span key={classId}>
                            {i > 0 && ", "}
                            <ClassLink id={classId} name={names.get(classId)} />
                            {surcharge > 0n && ` (surcharge ${ver(surcharge)} VER)`}
                          </span>
                        ))
                      : "…"}
                  </dd>
                  <dt>Submitted</dt>
                  <dd>{utc(item.submittedAt)}</dd>
                  <dt>Deadline</dt>
                  <dd>
                    {own
                      ? `${utc(own.deadline)}${own.deadline > asOf.time && item.endedAt === null ? `, in ${span(own.deadline - asOf.time)}` : ""}`
                      : "…"}
                  </dd>
                  <dt>Checkpoints</dt>
                  <dd>
                    {own
                      ? `every ${span(own.checkpointInterval)}, held by ${counted(own.replicas, "other node")}`
                      : "…"}
                  </dd>
                </dl>
                <CheckedAgainstChain block={chain.data?.block} figures={own && comparisons(item, own)} />
                {chain.error && (
                  <Failure title="The chain does not tell" error={chain.error} onRetry={() => void chain.refetch()} />
                )}
              </Card>
              <div className="stack">
                <Card title="Units" source="Source: indexer">
                  <UnitsBar task={item} />
                  <UnitsLegend task={item} />
                </Card>
                <Card title="Why it waits" source="Source: chain">
                  {chain.data?.value.cause ? (
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
                    <p className="soft">{chain.data ? "It does not wait: no unit is open." : "Asking the chain…"}</p>
                  )}
                </Card>
                <Card
                  title="Energy and carbon"
                  source="SCI's operational part; left out: making the devices (task:status has it), networks, storage elsewhere, the chain. Source: chain, EnergyLedger"
                >
                  <dl className="facts">
                    <dt>Energy booked</dt>
                    <dd>
                      {chain.data
                        ? `${joules(Number(chain.data.value.energy.joules))}, ${percent(Number(chain.data.value.energy.renewableBps) / 100)} renewable`
                        : "…"}
                    </dd>
                    <dt>Carbon</dt>
                    <dd>
                      {chain.data
                        ? `${count(Number(chain.data.value.energy.carbonMilligrams) / 1000)} g CO₂e of electricity, ${savedWords(chain.data.value.energy, leases.items, classes.data && names)}`
                        : "…"}
                    </dd>
                    <dt>Measured</dt>
                    <dd>{chain.data ? methodsOf(chain.data.value.energy) : "…"}</dd>
                  </dl>
                </Card>
              </div>
            </div>
            <Card
              title="Units over time"
              source="A lane for each unit. Source: indexer, from the events of LeaseRegistry, CheckpointRegistry and Audits"
            >
              {leases.items ? (
                <Lanes task={item} leases={leases.items} audits={audits.items ?? []} now={item.endedAt ?? asOf.time} />
              ) : (
                <div style={{ minHeight: "160px" }} />
              )}
            </Card>
          </>
        )}
      </Loaded>
      <Card title="Leases" source="Source: indexer">
        {leases.error && <Failure error={leases.error} onRetry={() => void leases.refetch()} />}
        <LeaseTable rows={leases.items} />
        <More query={leases} />
      </Card>
      <Card title="Audits" source="Drawn segments of its work that other nodes run again. Source: indexer, from Audits">
        <p className="soft">{askedWords(own?.auditChance)}</p>
        {audits.error && <Failure error={audits.error} onRetry={() => void audits.refetch()} />}
        <AuditTable audits={audits.items} now={audits.asOf?.time ?? 0} />
        <More query={audits} />
      </Card>
      {query.data && leases.items && (
        <Suspense fallback={<Card title="Results and logs">Loading</Card>}>
          <Results owner={query.data.item.owner} leases={leases.items} />
        </Suspense>
      )}
      <Events page="/v1/tasks/{id}/events" id={taskId} />
    </Page>
  );
}

/** What a task asks for. @param chance Basis points; undefined while the chain has not told. */
function askedWords(chance: number | undefined): string {
  if (chance === undefined) return "Asking the chain…";
  return chance === 0
    ? "The task asks for no audits."
    : `The task asks for each segment with a chance of ${percent(chance / 100)} at least.`;
}

function comparisons(
  item: Task,
  own: {
    status: string;
    openUnits: number;
    leasedUnits: number;
    paidUnits: number;
    refundedUnits: number;
    maxPrice: bigint;
  },
) {
  return [
    { what: "status", indexer: item.status, chain: own.status },
    { what: "open units", indexer: String(item.openUnits), chain: String(own.openUnits) },
    { what: "leased units", indexer: String(item.leasedUnits), chain: String(own.leasedUnits) },
    { what: "paid units", indexer: String(item.paidUnits), chain: String(own.paidUnits) },
    { what: "refunded units", indexer: String(item.refundedUnits), chain: String(own.refundedUnits) },
    { what: "maximum price", indexer: item.maxPrice, chain: String(own.maxPrice) },
  ];
}

/** What was saved against a data centre, where its baseline is of work like this. */
function savedWords(
  { avoidedMilligrams, baselineJoules, unitSeconds }: EnergySummary,
  leases: readonly Lease[] | undefined,
  names: ReadonlyMap<number, string> | undefined,
): string {
  if (baselineJoules === 0n) return "no paid work to compare with a data centre yet";
  if (leases === undefined || names === undefined) return "…";
  const units = leases.reduce((sum, { count: each }) => sum + each, 0);
  const worked = leases.map(({ classId, count: each }) => ({
    className: names.get(classId) ?? "",
    hours: ((Number(unitSeconds) / 3600) * each) / units,
  }));
  const fit = baselineFit(Number(baselineJoules), worked);
  return isClaimed(fit)
    ? `${count(Number(avoidedMilligrams) / 1000)} g avoided against a data centre`
    : `no saving is claimed: ${whyNotClaimed(fit)}`;
}

function methodsOf({
  raplJoules,
  nvmlJoules,
  estimatedJoules,
}: {
  raplJoules: bigint;
  nvmlJoules: bigint;
  estimatedJoules: bigint;
}): string {
  const parts = [
    [raplJoules + nvmlJoules, "measured"],
    [estimatedJoules, "estimated"],
  ] as const;
  const told = parts.filter(([amount]) => amount > 0n).map(([amount, how]) => `${joules(Number(amount))} ${how}`);
  return told.length === 0 ? "nothing yet" : told.join(", ");
}

/** Units' leases that stand for now: those that no other lease has followed. */
function standing(leases: readonly Lease[]): Lease[] {
  return leases.filter(({ status }) => ["active", "moving", "delivered", "disputed", "paid"].includes(status));
}

function TaskFigures({ task, leases, now }: { task: Task; leases: readonly Lease[] | undefined; now: number }) {
  const current = leases && standing(leases);
  const done = current?.reduce(
    (sum, { progress, status, count: units }) =>
      sum + (status === "paid" || status === "delivered" ? units * WHOLE : progress),
    0,
  );
  const { chainId } = useConfig();
  const quote = quoteOf(chainId, task.id, task.specDigest);
  const agreed = current?.reduce((sum, { price, count: units }) => sum + BigInt(price) * BigInt(units), 0n);
  const most = BigInt(task.maxPrice) * BigInt(task.units);
  return (
    <Figures>
      <Figure
        label="Progress"
        value={done === undefined ? undefined : percent((done * 100) / (task.units * WHOLE))}
        more={`${count(task.paidUnits)} of ${count(task.units)} units paid`}
      />
      <Figure
        label="Cost so far"
        value={ver(task.paid)}
        unit="VER"
        title={exactVer(task.paid)}
        more={`and ${ver(task.fees)} VER in fees${agreed === undefined || agreed === 0n ? "" : `; ${percent(Number((BigInt(task.paid) * 1000n) / agreed) / 10)} of what is agreed`}`}
      />
      <Figure
        label="Agreed for its leases"
        value={agreed === undefined ? undefined : ver(agreed)}
        unit="VER"
        more={`${quote ? `quoted ${ver(quote.cost)} VER and ${ver(quote.fee)} of fee; ` : ""}at most ${ver(most)} VER for all units`}
      />
      <Figure
        label="Escrow"
        value={ver(task.escrow)}
        unit="VER"
        title={exactVer(task.escrow)}
        more={`${ver(task.refunded)} VER came back`}
      />
      <Figure
        label="Failures"
        value={count(task.failures)}
        unit="leases"
        more={`${count(task.moves)} moved, ${count(task.leases)} in all`}
      />
      <Figure
        label={task.endedAt === null ? "Has run for" : "Took"}
        value={span((task.endedAt ?? now) - task.submittedAt)}
        more={task.endedAt === null ? "since it was submitted" : `ended ${utc(task.endedAt)}`}
      />
    </Figures>
  );
}

function LeaseTable({ rows }: { rows: readonly Lease[] | undefined }) {
  return (
    <Table
      label="Leases of the task"
      rows={rows}
      keyOf={({ id }) => id}
      empty="No unit has been leased yet."
      columns={[
        { title: "Lease", cell: ({ id }) => <IdLink kind="lease" id={id} /> },
        {
          title: "Units",
          cell: ({ start, count: units }) =>
            units === 1 ? `#${String(start)}` : `#${String(start)}–${String(start + units - 1)}`,
        },
        { title: "Node", cell: ({ nodeId }) => <IdLink kind="node" id={nodeId} /> },
        { title: "Status", cell: ({ status }) => <Badge status={status} /> },
        {
          title: "Ended because",
          cell: ({ reason, moveCause }) =>
            reason === null ? "–" : `${foreign(reason, 30)}${moveCause === null ? "" : ` (${foreign(moveCause, 20)})`}`,
        },
        {
          title: "Progress",
          number: true,
          cell: ({ progress, count: units }) => percent((progress * 100) / (units * WHOLE), 0),
        },
        {
          title: "Price, VER a unit",
          number: true,
          cell: ({ price }) => <span title={exactVer(price)}>{ver(price)}</span>,
        },
        { title: "Paid, VER", number: true, cell: ({ paid }) => ver(paid) },
        { title: "Result", cell: ({ resultCid }) => <Cid value={resultCid} /> },
        { title: "Size", number: true, cell: ({ resultSize }) => (resultSize === null ? "–" : bytes(resultSize)) },
      ]}
    />
  );
}
