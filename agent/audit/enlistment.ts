/** What a node verifies, as the chain has it. */
export interface Enlisted {
  readonly classId: number;
  /** 0: it does not verify. */
  readonly enlistedAt: number;
}

/**
 * Whether a node's enlistment is to be changed: undefined, or what it is to be. Changed as little as possible: it counts from the next epoch
 * on only. Pure.
 *
 * @param node The node's record.
 * @param wanted Whether its owner wants it to verify.
 */
export function planEnlistment(
  { classId, enlistedAt }: Enlisted,
  node: { readonly status: string; readonly classId: number },
  wanted: boolean,
): boolean | undefined {
  const isOn = enlistedAt !== 0;
  // One that leaves is not drawn: it could not answer.
  const shouldBe = wanted && node.status === "active";
  if (!shouldBe) return isOn ? false : undefined;
  return isOn && classId === node.classId ? undefined : true;
}
