import assert from "node:assert/strict";
import { test } from "node:test";

import type { AuditStatus } from "@verai/client/enums";
import { type AuditView, type LocalAudit, type PanelMember, planAudit } from "./audit-plan.ts";

const [NODE, OTHER, DUE] = [7, 8, 100];
const member = (nodeId: number, more: Partial<PanelMember> = {}): PanelMember => ({
  ...{ nodeId, settled: false, side: 0, committed: false, revealed: false },
  ...more,
});
const audit = (
  status: AuditStatus,
  more: Partial<AuditView> = {},
  members: readonly PanelMember[] = [],
): AuditView => ({
  ...{ status, tries: 2, verifierId: NODE, due: DUE, panel: { round: 1, first: 1, members } },
  ...more,
});
const local = (more: Partial<LocalAudit> = {}): LocalAudit => ({
  ...{ nodeId: NODE, isProducer: false, examined: "answer", answered: [] },
  ...more,
});
const kind = (view: AuditView, here: LocalAudit = local(), now = 50) => planAudit(view, here, now)?.kind;

test("the drawn verifier examines, commits, waits for the producer, and reveals", () => {
  assert.equal(kind(audit("verifying"), local({ examined: "no" })), "examine");
  assert.deepEqual(planAudit(audit("verifying"), local(), 50), { kind: "commit", question: 1 });
  assert.equal(kind(audit("opening"), local({ answered: [1] })), undefined);
  assert.deepEqual(planAudit(audit("revealing"), local({ answered: [1] }), 50), { kind: "reveal", question: 1 });
});

test("a verifier that finds what was posted shows it at once, and in a panel votes like any other", () => {
  const same = local({ examined: "trace" });
  assert.deepEqual(planAudit(audit("verifying"), same, 50), { kind: "confirm", question: 1 });
  assert.equal(kind(audit("verifying"), same, DUE + 1), undefined);
  assert.equal(kind(audit("verifying", { verifierId: OTHER }), same), undefined);
  assert.equal(kind(audit("opening"), same), undefined);
  assert.equal(kind(audit("voting", { verifierId: OTHER }, [member(OTHER), member(NODE)]), same), "vote");
});

test("a verifier that was passed over, has no answer, or is late does nothing", () => {
  assert.equal(kind(audit("verifying", { verifierId: OTHER })), undefined);
  assert.equal(kind(audit("verifying"), local({ examined: "nothing" })), undefined);
  assert.equal(kind(audit("verifying"), local(), DUE + 1), undefined);
  // What hides another question's answer reveals nothing.
  assert.equal(kind(audit("revealing"), local({ answered: [0] })), undefined);
});

test("the producer opens what the verifier's question asks for, and nothing else", () => {
  const mine = local({ isProducer: true, examined: "no" });
  for (const status of ["verifying", "revealing", "voting", "counting"] as const) {
    assert.equal(kind(audit(status, { verifierId: OTHER }), mine), undefined);
  }
  assert.deepEqual(planAudit(audit("opening", { verifierId: OTHER, tries: 1 }), mine, 50), {
    kind: "open",
    question: 0,
  });
});

test("a member of a panel votes in its round alone, and reveals once all have committed", () => {
  const earlier = audit("voting", { verifierId: OTHER }, [member(NODE, { committed: true }), member(OTHER)]);
  assert.equal(kind(earlier), undefined);
  const mine = (status: AuditStatus, more: Partial<PanelMember> = {}) =>
    audit(status, { verifierId: OTHER }, [member(NODE), member(OTHER), member(NODE, more)]);
  assert.equal(kind(mine("voting"), local({ examined: "no" })), "examine");
  assert.deepEqual(planAudit(mine("voting"), local(), 50), { kind: "vote", question: 257, place: 2 });
  assert.equal(kind(mine("voting", { committed: true }), local({ answered: [257] })), undefined);
  // What it committed to was lost with its disk.
  assert.equal(kind(mine("voting", { committed: true })), "vote");
  assert.deepEqual(planAudit(mine("counting", { committed: true }), local({ answered: [257] }), 50), {
    ...{ kind: "reveal vote", question: 257, place: 2 },
  });
  assert.equal(kind(mine("counting", { committed: true, revealed: true }), local({ answered: [257] })), undefined);
  assert.equal(kind(mine("counting"), local({ answered: [257] })), undefined);
});

test("what is over is collected where it pays, and then forgotten", () => {
  const right = (status: AuditStatus, more: Partial<PanelMember>) =>
    audit(status, {}, [member(OTHER), member(NODE, more)]);
  assert.deepEqual(planAudit(right("fraud", { side: 1 }), local(), 999), { kind: "collect", place: 1 });
  assert.equal(kind(right("fraud", { side: -1 })), "forget");
  assert.equal(kind(right("passed", { side: -1 })), "collect");
  assert.equal(kind(right("passed", { side: -1, settled: true })), "forget");
  assert.equal(kind(right("undecided", { revealed: true })), "collect");
  assert.equal(kind(right("undecided", {})), "forget");
  for (const status of ["passed", "refused", "unavailable", "mismatch", "unverified"] as const) {
    assert.equal(kind(audit(status)), "forget");
  }
  // Undone by a reorganisation, it may come again.
  assert.equal(kind(audit("none")), undefined);
});
