import { type Dispatch, type SetStateAction, useEffect, useState } from "react";

import { FIRST, type TaskForm } from "./submission.ts";

const KEY = "drmp.task-form";

/** The form of a task, kept in this tab: neither a reload nor another page loses it. */
export function useDraft(): [TaskForm, Dispatch<SetStateAction<TaskForm>>] {
  const [form, setForm] = useState(kept);
  useEffect(() => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(form));
    } catch {
      // Nothing is kept where the browser has no room: the form itself is still there.
    }
  }, [form]);
  return [form, setForm];
}

function kept(): TaskForm {
  try {
    const { classIds, ...texts } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<
      Record<keyof TaskForm, unknown>
    >;
    const known = Object.entries(texts).filter(([name, value]) => name in FIRST && typeof value === "string");
    const ids = Array.isArray(classIds) ? classIds.filter((id) => Number.isInteger(id)) : undefined;
    return { ...FIRST, ...Object.fromEntries(known), ...(ids && { classIds: ids as number[] }) };
  } catch {
    return FIRST;
  }
}
