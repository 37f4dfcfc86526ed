import { useIndexer } from "../../api/queries.ts";
import type { Keeper, Network, NetworkPeriod, NodeClass, Round } from "../../api/generated.ts";
import { useChainNetwork } from "../../chain/network.ts";
import { Bar, Figure, Figures } from "../../ui/figure.tsx";
import { clearingPrice, count, counted, exactVer, kilowattHours, percent, span, ver } from "../../ui/format.ts";
import { Address, ClassLink, IdLink } from "../../ui/links.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Activity } from "./activity.tsx";
import { Goals } from "./goals.tsx";
import { Health } from "./health.tsx";
import { Prices } from "./prices.tsx";

/** The network as it stands. */
export function NetworkPage() {
  const network = useIndexer("/v1/network", {});
  const hours = useIndexer("/v1/network/history", { period: "hour", limit: 168 });
  const classes = useIndexer("/v1/classes", {});
  const keepers = useIndexer("/v1/keepers", { limit: 8 });
  const rounds = useIndexer("/v1/rounds", { limit: 8 });
  const chain = useChainNetwork();
  return (
    <Page title="Network" asOf={network.data?.asOf}>
      <Loaded query={network} blank={<NetworkFigures />}>
        {({ item, asOf }) => (
          <NetworkFigures
            now={item}
            hours={hours.data?.items}
            time={asOf.time}
            carbon={chain.data?.energy.carbonMilligrams}
          />
        )}
      </Loaded>
      <div className="columns">
        <Card title="Goals for 2030" source="Source: chain, EnergyLedger and Telemetry">
          <Goals chain={chain} time={network.data?.asOf.time} />
        </Card>
        <Card title="Health" source="Source: chain">
          <Health chain={chain} />
        </Card>
      </div>
      <Card title="Classes" source="Source: indexer, from events of Supply, NodeRegistry and RoundManager">
        <Loaded query={classes} blank={<ClassTable rows={undefined} />}>
          {({ items }) => <ClassTable rows={items} />}
        </Loaded>
      </Card>
      <Prices classes={classes.data?.items} time={network.data?.asOf.time} />
      <Activity hours={hours} />
      <div className="columns">
        <Card title="Latest rounds" source="Source: indexer">
          <Loaded query={rounds} blank={<RoundTable rows={undefined} />}>
            {({ items, asOf }) => <RoundTable rows={items} now={asOf.time} />}
          </Loaded>
        </Card>
        <Card title="Keepers at work" source="Source: indexer">
          <Loaded query={keepers} blank={<KeeperTable rows={undefined} />}>
            {({ items, asOf }) => <KeeperTable rows={items} now={asOf.time} />}
          </Loaded>
        </Card>
      </div>
    </Page>
  );
}

/** Sums of what was counted within the last hours, by whole hours. */
function lastDay(hours: readonly NetworkPeriod[] | undefined, time: number) {
  const recent = hours?.filter(({ start }) => start > time - 24 * 3600);
  if (!recent) return undefined;
  const first = Math.min(time, ...recent.map(({ start }) => start));
  // The network may be younger than a day.
  const span = Math.max(1, Math.ceil((time - first) / 3600));
  const perHour = (sum: number) => sum / span;
  return {
    tasks: perHour(recent.reduce((sum, { tasks }) => sum + tasks, 0)),
    units: perHour(recent.reduce((sum, { paidUnits }) => sum + paidUnits, 0)),
    hours: span,
  };
}

function NetworkFigures({
  now,
  hours,
  time = 0,
  carbon,
}: {
  now?: Network;
  hours?: readonly NetworkPeriod[] | undefined;
  time?: number;
  carbon?: bigint | undefined;
}) {
  const day = lastDay(hours, time);
  return (
    <Figures>
      <Figure
        label="Nodes in the market"
        value={now && count(now.nodes)}
        more={now && `${count(now.eligibleNodes)} open to new work`}
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
        more={now && `${counted(now.openTasks, "task")} in the market`}
      />
      <Figure
        label="Tasks"
        value={day && count(day.tasks)}
        unit="an hour"
        more={day && `submitted, mean of ${count(day.hours)} h`}
      />
      <Figure
        label="Units paid"
        value={day && count(day.units)}
        unit="an hour"
        more={now && `${count(now.total.paidUnits)} since the first block`}
      />
      <Figure
        label="Paid to nodes"
        value={now && ver(now.total.paid)}
        unit="VER"
        title={now && exactVer(now.total.paid)}
        more={now && `${ver(now.total.fees)} VER in fees`}
      />
      <Figure
        label="Energy reported"
        value={now && kilowattHours(now.total.joules).split(" ")[0]}
        unit="kWh"
        title={now && `${count(now.total.joules)} J`}
        more={
          now &&
          `${percent(now.total.joules === 0 ? undefined : (now.total.renewableJoules * 100) / now.total.joules)} renewable`
        }
      />
      <Figure
        label="Carbon"
        value={carbon === undefined ? undefined : count(Number(carbon) / 1000)}
        unit="g CO₂e"
        more="of booked energy; from the chain"
      />
      <Figure
        label="Failures"
        value={now && count(now.total.failures)}
        unit="leases"
        more={now && `of ${count(now.total.leases)}; ${count(now.total.moves)} moved`}
      />
      <Figure
        label="Checkpoints"
        value={now && count(now.total.checkpoints)}
        more={now && `${count(now.total.reports)} reports taken`}
      />
    </Figures>
  );
}

function ClassTable({ rows }: { rows: readonly NodeClass[] | undefined }) {
  return (
    <Table
      label="Classes"
      rows={rows}
      keyOf={({ id }) => id}
      expected={6}
      empty="This network has no class of nodes yet."
      columns={[
        { title: "Class", cell: ({ id, name }) => <ClassLink id={id} name={name} /> },
        { title: "Nodes", number: true, cell: ({ nodes }) => count(nodes) },
        { title: "Capacity, units", number: true, cell: ({ capacity }) => count(capacity) },
        { title: "In use, units", number: true, cell: ({ leasedUnits }) => count(leasedUnits) },
        {
          title: "Use",
          cell: ({ leasedUnits, capacity }) => (
            <Bar
              share={capacity === 0 ? 0 : (leasedUnits * 100) / capacity}
              label={`${count(leasedUnits)} of ${count(capacity)} units in use`}
            />
          ),
        },
        {
          title: "Last clearing price, VER a unit",
          number: true,
          cell: ({ clearing }) => <span title={exactVer(clearing)}>{clearingPrice(clearing)}</span>,
        },
      ]}
    />
  );
}

function RoundTable({ rows, now = 0 }: { rows: readonly Round[] | undefined; now?: number }) {
  return (
    <Table
      label="Latest rounds"
      rows={rows}
      keyOf={({ id }) => id}
      expected={8}
      empty="No round has been opened yet: one opens when a task waits."
      columns={[
        { title: "Round", cell: ({ id }) => <IdLink kind="round" id={id} /> },
        { title: "Status", cell: ({ status }) => <Badge status={status} /> },
        { title: "Tasks", number: true, cell: ({ tasks }) => count(tasks) },
        { title: "Units leased", number: true, cell: ({ units }) => count(units) },
        { title: "Stay open", number: true, cell: ({ unitsOpen }) => count(unitsOpen) },
        { title: "Opened", cell: ({ openedAt }) => `${span(now - openedAt)} ago` },
      ]}
    />
  );
}

function KeeperTable({ rows, now = 0 }: { rows: readonly Keeper[] | undefined; now?: number }) {
  return (
    <Table
      label="Keepers at work"
      rows={rows}
      keyOf={({ address }) => address}
      expected={3}
      empty="No keeper has done anything yet."
      columns={[
        { title: "Keeper", cell: ({ address }) => <Address value={address} /> },
        { title: "Opened", number: true, cell: ({ roundsOpened }) => count(roundsOpened) },
        { title: "Settled", number: true, cell: ({ roundsSettled }) => count(roundsSettled) },
        { title: "Expired leases", number: true, cell: ({ expired }) => count(expired) },
        {
          title: "Bounties, VER",
          number: true,
          cell: ({ bounties }) => <span title={exactVer(bounties)}>{ver(bounties)}</span>,
        },
        { title: "Last seen", cell: ({ time }) => `${span(now - time)} ago` },
      ]}
    />
  );
}
