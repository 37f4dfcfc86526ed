import { ROUTES, routeOf } from "../api/routes.ts";
import { Year, type YearSize } from "./year.ts";

/** A cursor of these values. */
function cursor(...values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/**
 * Requests of every page: at its first, a middle and its last entries, both ways, with every filter, and with the largest
 * page that is allowed; ids spread over the year.
 */
export function requestsOf(size: YearSize): string[] {
  const year = new Year(size);
  const ids = (count: number): number[] => [1, 0.25, 0.5, 0.99].map((share) => Math.max(1, Math.floor(count * share)));
  const counts: Readonly<Record<string, number>> = {
    rounds: size.rounds,
    batches: size.rounds,
    tasks: year.tasks,
    leases: year.leases,
    nodes: size.nodes,
    classes: 1,
  };
  const paths = ROUTES.flatMap(({ path }) => {
    const kind = path.split("/")[2] ?? "";
    return path.includes("{id}") ? ids(counts[kind] ?? 1).map((id) => path.replace("{id}", String(id))) : [path];
  }).filter((path) => path !== "/v1/search");
  const owner = `0x03${(1).toString(16).padStart(38, "0")}`;
  const filters: Readonly<Record<string, readonly string[]>> = {
    "/v1/tasks": [`owner=${owner}`, "status=open", "status=ended", `owner=${owner}&status=open`],
    "/v1/leases": ["status=active", "status=paid", "status=expired", "node=7", "node=7&status=disputed"],
    "/v1/nodes": ["class=1", "status=active", "class=1&status=draining", `owner=0x01${"0".repeat(38)}`],
    "/v1/rounds": ["status=settled", "status=aborted", `keeper=0x04${"0".repeat(38)}`],
    "/v1/events": ["name=LeasePaid", "name=PriceRaised", `account=${owner}`],
    "/v1/network/history": ["period=hour", "period=hour&from=1800000000&to=1840000000"],
    "/v1/leaders": ["by=units", "by=delivered", "by=renewable", "by=idle"],
  };
  const middle: Readonly<Record<string, string>> = {
    "/v1/tasks": cursor(Math.floor(year.tasks / 2)),
    "/v1/leases": cursor(Math.floor(year.leases / 2)),
    "/v1/events": cursor(Math.floor(year.lastBlock / 2), 0),
    "/v1/rounds": cursor(Math.floor(size.rounds / 2)),
  };
  const searches = ["1", String(year.leases), owner, `0x${"ab".repeat(32)}`, "bafybei", "nothing"];
  return [
    ...paths.flatMap((path) => {
      const isList = routeOf(path)?.route.query.shape["limit"] !== undefined;
      const all = ["", ...(filters[path] ?? [])].flatMap((filter) => {
        if (!isList) return [filter];
        const between = middle[path];
        return [filter, `${filter}&limit=200`, ...(between ? [`${filter}&limit=200&cursor=${between}`] : [])];
      });
      return all.map((query) => `${path}?${query.replace(/^&/, "")}`);
    }),
    ...searches.map((text) => `/v1/search?q=${text}`),
  ];
}
