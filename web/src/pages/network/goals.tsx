import { isClaimed, unitFit } from "@verai/protocol/energy/baseline";
import { GOALS } from "@verai/protocol/energy/goals";
import type { useChainNetwork } from "../../chain/network.ts";
import { Bar } from "../../ui/figure.tsx";
import { count, percent, span } from "../../ui/format.ts";
import { Loaded } from "../../ui/page.tsx";

const BASE_YEAR = 2026;

interface Goal {
  readonly title: string;
  readonly share: number | undefined;
  readonly goal: number;
  readonly basis: string;
}

/**
 * How far the network is on the way to what it promises for 2030.
 *
 * The chain sums the unit-seconds of all work that was reported, but credits only units of paid leases. Where work was lost, or is not
 * paid yet, units seem longer here than they were.
 */
export function Goals({ chain, time }: { chain: ReturnType<typeof useChainNetwork>; time: number | undefined }) {
  return (
    <Loaded query={chain} blank={<List goals={BLANK} way={0} />}>
      {({ energy, reports, time: now }) => {
        const year = 1970 + (time ?? now) / (365.2425 * 86_400);
        const way = Math.min(1, Math.max(0, (year - BASE_YEAR) / (GOALS.renewableBy - BASE_YEAR)));
        const credited = Number(energy.creditedUnits);
        const fit = unitFit(credited, Number(energy.unitSeconds) / 3600);
        const isSaved = energy.baselineCarbonMilligrams > 0n && isClaimed(fit);
        const goals: Goal[] = [
          {
            title: "Nodes on renewable energy",
            share: reports.nodes === 0 ? undefined : (reports.renewableNodes * 100) / reports.nodes,
            goal: GOALS.renewableNodes,
            basis: `${count(reports.renewableNodes)} of ${count(reports.nodes)} nodes that report; what they declare`,
          },
          {
            title: "Less CO₂ than the same work in data centres",
            share: isSaved ? Number(energy.carbonReductionBps) / 100 : undefined,
            goal: GOALS.carbonReduction,
            basis: isSaved
              ? `${count(Number(energy.avoidedMilligrams) / 1000)} g CO₂e avoided over ${count(credited)} units set against a baseline`
              : credited === 0
                ? "no paid work to compare with yet"
                : `nothing is claimed: ${count(credited)} units are set against a baseline of an hour each, and took at most ${span(Number(energy.unitSeconds) / credited)} on average`,
          },
          {
            title: "Work on machines that would be idle",
            share: energy.unitSeconds === 0n ? undefined : Number(energy.idleBps) / 100,
            goal: GOALS.idleHarvested,
            basis: `${count(Number(energy.idleUnitSeconds))} of ${count(Number(energy.unitSeconds))} unit-seconds`,
          },
        ];
        return <List goals={goals} way={way} />;
      }}
    </Loaded>
  );
}

const BLANK: readonly Goal[] = [
  "Nodes on renewable energy",
  "Less CO₂ than the same work in data centres",
  "Work on machines that would be idle",
].map((title) => ({
  title,
  share: undefined,
  goal: 0,
  basis: " ",
}));

function List({ goals, way }: { goals: readonly Goal[]; way: number }) {
  return (
    <div>
      {goals.map(({ title, share, goal, basis }) => (
        <div className="goal" key={title}>
          <div className="row">
            <span>{title}</span>
            <span>
              <strong>{percent(share)}</strong> <span className="soft">of {percent(goal, 0)}</span>
            </span>
          </div>
          <Bar share={share ?? 0} mark={goal} label={`${title}: ${percent(share)}, the goal is ${percent(goal, 0)}`} />
          <span className="soft small">
            {basis}. {goal === 0 ? "" : `On a straight line ${percent(goal * way)} are due now.`}
          </span>
        </div>
      ))}
    </div>
  );
}
