import { useIndexer } from "../../api/queries.ts";
import { Bar, Figure, Figures } from "../../ui/figure.tsx";
import { count, joules, percent, ver } from "../../ui/format.ts";
import { ClassLink } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";

/** The network as it stands. */
export function NetworkPage() {
  const network = useIndexer("/v1/network", {});
  const classes = useIndexer("/v1/classes", {});
  const now = network.data?.item;
  return (
    <Page title="Network" asOf={network.data?.asOf}>
      <Loaded query={network} blank={<NetworkFigures />}>
        {({ item }) => <NetworkFigures now={item} />}
      </Loaded>
      <Card title="Classes" source="Source: indexer, from the events of Supply and NodeRegistry">
        <div className="scroll" tabIndex={0} role="region" aria-label="Classes">
          <table>
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col" className="number">
                  Nodes
                </th>
                <th scope="col" className="number">
                  Capacity, units
                </th>
                <th scope="col">In use</th>
                <th scope="col" className="number">
                  Last clearing price, VER a unit
                </th>
              </tr>
            </thead>
            <tbody>
              {classes.data?.items.map(({ id, name, nodes, capacity, leasedUnits, clearing }) => (
                <tr key={id}>
                  <td>
                    <ClassLink id={id} name={name} />
                  </td>
                  <td className="number">{count(nodes)}</td>
                  <td className="number">{count(capacity)}</td>
                  <td>
                    <Bar
                      share={capacity === 0 ? 0 : (leasedUnits * 100) / capacity}
                      label={`${count(leasedUnits)} of ${count(capacity)} units in use`}
                    />
                  </td>
                  <td className="number">{clearing === "0" ? "–" : ver(clearing)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <p className="soft small">{now ? `${count(now.total.reports)} reports taken so far.` : " "}</p>
    </Page>
  );
}

type Now = NonNullable<ReturnType<typeof useIndexer<"/v1/network">>["data"]>["item"];

function NetworkFigures({ now }: { now?: Now }) {
  return (
    <Figures>
      <Figure
        label="Nodes in the market"
        value={now && count(now.nodes)}
        more={now && `${count(now.eligibleNodes)} may be given new work`}
      />
      <Figure
        label="Capacity"
        value={now && count(now.capacity)}
        unit="units"
        more={now && `${percent(now.capacity === 0 ? undefined : (now.leasedUnits * 100) / now.capacity)} in use`}
      />
      <Figure
        label="Waiting demand"
        value={now && count(now.openUnits)}
        unit="units"
        more={now && `${count(now.openTasks)} tasks in the market`}
      />
      <Figure label="Paid to nodes" value={now && ver(now.total.paid)} unit="VER" more="since the first block" />
      <Figure
        label="Energy in reports"
        value={now && joules(now.total.joules)}
        more={
          now &&
          `${percent(now.total.joules === 0 ? undefined : (now.total.renewableJoules * 100) / now.total.joules)} renewable`
        }
      />
    </Figures>
  );
}
