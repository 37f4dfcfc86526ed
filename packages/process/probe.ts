/**
 * Asks a service whether it is healthy, as containers' health checks do: ends with 0 if its `/health` answers with 200,
 * else with 1 and the reason. The address is the first argument, or DRMP_HEALTH_URL, or that of a service with the
 * default port on this machine.
 *
 *     node packages/process/probe.ts [http://127.0.0.1:9464/health]
 */
export {};

const TIMEOUT_MS = 4000;
const url = process.argv[2] ?? process.env["DRMP_HEALTH_URL"] ?? "http://127.0.0.1:9464/health";

try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await answer.text();
  if (!answer.ok) {
    console.error(`${url} answers ${answer.status}: ${text.slice(0, 1000)}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
