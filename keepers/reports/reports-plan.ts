import type { Node, ReportState } from "@verai/client/entities";

/** What the energy keeper does about a node beside its reports. */
export interface NodeReportStep {
  readonly kind: "throttle" | "unthrottle" | "lapse";
  readonly nodeId: number;
  readonly why: string;
}

/**
 * Which nodes are to be throttled, freed or taken out of the average, by what the chain knows of them. Pure and
 * level-triggered; O(n).
 *
 * @param reportStates By node id.
 * @param silent Ids of nodes that missed their reports.
 */
export function nodeReportSteps(
  nodes: readonly Node[],
  reportStates: ReadonlyMap<number, ReportState>,
  silent: ReadonlySet<number>,
): NodeReportStep[] {
  return nodes.flatMap(({ id: nodeId, powerThreshold, eligible, status }): NodeReportStep[] => {
    const reportState = reportStates.get(nodeId);
    const inMarket = status === "active" || status === "draining";
    if (silent.has(nodeId) && (reportState?.counted || (eligible && inMarket))) {
      return [{ kind: "lapse", nodeId, why: "it missed its reports" }];
    }
    if (!reportState || reportState.sequence === 0) return [];
    const { watts, previousWatts, throttled } = reportState;
    const threshold = `its threshold of ${powerThreshold} W`;
    if (!throttled && powerThreshold > 0 && watts > powerThreshold && previousWatts > powerThreshold) {
      const why = `${previousWatts} W and ${watts} W in its last two reports, above ${threshold}`;
      return [{ kind: "throttle", nodeId, why }];
    }
    if (throttled && (powerThreshold === 0 || watts <= powerThreshold)) {
      return [{ kind: "unthrottle", nodeId, why: `${watts} W in its last report, within ${threshold}` }];
    }
    return [];
  });
}
