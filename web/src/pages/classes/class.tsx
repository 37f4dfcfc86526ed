import { useMemo } from "react";
import { useParams } from "wouter";

import { useIndexer, useIndexerList } from "../../api/queries.ts";
import { clearingPoint, clearingPrice, count, exactVer, foreign } from "../../ui/format.ts";
import { Figure, Figures } from "../../ui/figure.tsx";
import { LazyChart } from "../../ui/lazy-chart.tsx";
import { Card, Page } from "../../ui/page.tsx";
import { More } from "../../ui/table.tsx";
import { NodeTable } from "../nodes/nodes.tsx";

/** A class of nodes: its price and its supply. */
export default function ClassPage() {
  const { id = "" } = useParams<{ id: string }>();
  const classId = Number(id);
  const classes = useIndexer("/v1/classes", {});
  const rounds = useIndexer("/v1/classes/{id}/rounds", { id: classId, limit: 200 });
  const nodes = useIndexerList("/v1/nodes", { class: classId, limit: 100 });
  const found = classes.data?.items.find((each) => each.id === classId);
  const items = rounds.data?.items;
  const chart = useMemo(() => {
    const sorted = [...(items ?? [])].sort((a, b) => a.time - b.time);
    return {
      times: sorted.map(({ time }) => time),
      series: [
        {
          label: "Clearing price",
          kind: "steps" as const,
          values: sorted.map(({ clearing }) => clearingPoint(clearing)),
        },
      ],
    };
  }, [items]);
  const name = found ? foreign(found.name, 40) : `Class ${id}`;
  return (
    <Page title={name} asOf={classes.data?.asOf}>
      <Figures>
        <Figure label="Last clearing price" value={found && clearingPrice(found.clearing)} unit="VER a unit" />
        <Figure label="Nodes" value={found && count(found.nodes)} />
        <Figure
          label="Capacity"
          value={found && count(found.capacity)}
          unit="units"
          more={found && `${count(found.leasedUnits)} in use`}
        />
        <Figure
          label="Price tick"
          value={found && exactVer(found.tick).split(" ")[0]}
          unit="VER"
          more="asks are whole ticks"
        />
      </Figures>
      <Card title="Clearing prices by round" source="VER a unit. Source: indexer">
        {items?.length === 0 ? (
          <p className="empty">No round has served this class yet.</p>
        ) : (
          <LazyChart times={chart.times} series={chart.series} unit="VER" label={`Clearing prices of ${name}`} />
        )}
      </Card>
      <Card title="Its nodes" source="Source: indexer">
        <NodeTable rows={nodes.items} now={nodes.asOf?.time ?? 0} />
        <More query={nodes} />
      </Card>
    </Page>
  );
}
