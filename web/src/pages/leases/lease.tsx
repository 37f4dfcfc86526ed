import { useParams } from "wouter";

import { useIndexer, useIndexerList } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Events } from "../../ui/events.tsx";
import { Failure } from "../../ui/failure.tsx";
import { bytes, count, exactVer, foreign, joules, percent, span, utc } from "../../ui/format.ts";
import { Cid, IdLink } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";

/** A lease: who runs which units, its checkpoints, how it ended. */
export default function LeasePage() {
  const { id = "" } = useParams<{ id: string }>();
  const leaseId = Number(id);
  const query = useIndexer("/v1/leases/{id}", { id: leaseId });
  const checkpoints = useIndexerList("/v1/leases/{id}/checkpoints", { id: leaseId });
  const now = checkpoints.asOf?.time ?? 0;
  return (
    <Page title={`Lease ${id}`} asOf={query.data?.asOf}>
      <Loaded query={query} blank={<Card title="The lease">Loading</Card>}>
        {({ item }) => (
          <Card title="The lease" source="Source: indexer, from LeaseRegistry">
            <dl className="facts">
              <dt>Status</dt>
              <dd>
                <Badge status={item.status} /> {item.reason !== null && `because: ${foreign(item.reason, 40)}`}{" "}
                {item.moveCause !== null && `(moved for ${foreign(item.moveCause, 20)})`}
              </dd>
              <dt>Task</dt>
              <dd>
                <IdLink kind="task" id={item.taskId} />, units {String(item.start)}
                {item.count > 1 && `–${String(item.start + item.count - 1)}`}
              </dd>
              <dt>Node</dt>
              <dd>
                <IdLink kind="node" id={item.nodeId} />
              </dd>
              <dt>Granted</dt>
              <dd>
                {utc(item.grantedAt)} by{" "}
                {item.roundId !== null ? (
                  <IdLink kind="round" id={item.roundId} />
                ) : item.batchId !== null ? (
                  <IdLink kind="batch" id={item.batchId} />
                ) : (
                  "a move"
                )}
                {item.parent !== null && (
                  <>
                    , after <IdLink kind="lease" id={item.parent} />
                  </>
                )}
              </dd>
              <dt>Fence</dt>
              <dd>{String(item.fence)}</dd>
              <dt>Price</dt>
              <dd>{exactVer(item.price)} a unit</dd>
              <dt>Progress</dt>
              <dd>
                {percent((item.progress * 100) / (item.count * 10_000))}, {count(item.checkpoints)} checkpoints
              </dd>
              <dt>Delivered</dt>
              <dd>{item.deliveredAt === null ? "not yet" : utc(item.deliveredAt)}</dd>
              <dt>Result</dt>
              <dd>
                <Cid value={item.resultCid} full /> {item.resultSize !== null && `(${bytes(item.resultSize)})`}
              </dd>
              <dt>Paid</dt>
              <dd>
                {exactVer(item.paid)}, fee {exactVer(item.fee)}
              </dd>
              <dt>Energy</dt>
              <dd>
                {joules(item.joules)}, {joules(item.renewableJoules)} of it renewable
              </dd>
            </dl>
          </Card>
        )}
      </Loaded>
      <Card title="Checkpoints" source="Source: indexer, from CheckpointRegistry">
        {checkpoints.error && <Failure error={checkpoints.error} onRetry={() => void checkpoints.refetch()} />}
        <Table
          label="Checkpoints"
          rows={checkpoints.items}
          keyOf={({ sequence }) => sequence}
          empty="It has no checkpoint yet."
          columns={[
            { title: "Number", cell: ({ sequence }) => String(sequence) },
            { title: "CID", cell: ({ cid }) => <Cid value={cid} /> },
            { title: "Size", number: true, cell: ({ size }) => bytes(size) },
            { title: "Progress, units", number: true, cell: ({ progress }) => (progress / 10_000).toFixed(2) },
            {
              title: "Held by",
              cell: ({ holders }) =>
                holders.length === 0
                  ? "–"
                  : holders.map((nodeId, i) => (
                      <span key={nodeId}>
                        {i > 0 && ", "}
                        <IdLink kind="node" id={nodeId} />
                      </span>
                    )),
            },
            { title: "Recorded", number: true, cell: ({ time }) => `${span(now - time)} ago` },
          ]}
        />
        <More query={checkpoints} />
      </Card>
      <Events page="/v1/leases/{id}/events" id={leaseId} />
    </Page>
  );
}
