import { useParams } from "wouter";

import { useIndexer } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { count, foreign, utc } from "../../ui/format.ts";
import { Address } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";

/** A batch of reassignments: ranges of failed nodes that are drawn for together. */
export default function BatchPage() {
  const { id = "" } = useParams<{ id: string }>();
  const query = useIndexer("/v1/batches/{id}", { id: Number(id) });
  return (
    <Page title={`Batch ${id}`} asOf={query.data?.asOf}>
      <Card title="The batch of reassignments" source="Source: indexer, from Reassignment">
        <Loaded query={query} blank={<p>Loading</p>}>
          {({ item }) => (
            <dl className="facts">
              <dt>Status</dt>
              <dd>
                <Badge status={item.status} />
              </dd>
              <dt>Opened</dt>
              <dd>
                {utc(item.openedAt)} by <Address value={item.opener} />
              </dd>
              <dt>Ended</dt>
              <dd>{item.endedAt === null ? "not yet" : utc(item.endedAt)}</dd>
              <dt>Seed</dt>
              <dd className="mono">{item.seed === null ? "has not come" : foreign(item.seed, 70)}</dd>
              <dt>Ranges</dt>
              <dd>
                {count(item.leases)} to draw for, {count(item.drawn)} leases granted; the others went back to the queue
              </dd>
            </dl>
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
