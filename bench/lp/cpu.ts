/** Processor time of this process so far, user and system together, all its threads; milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs something and notes its processor time, which other processes on the machine do not add to. */
export function timed<T>(list: number[], run: () => T): T {
  const start = cpuMs();
  const result = run();
  list.push(cpuMs() - start);
  return result;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
