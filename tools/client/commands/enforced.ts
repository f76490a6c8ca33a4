/** Whether somebody carries a change out: the API's `enforced_by` and `warning`. */
import type { EnforcedBy } from "../answers.generated.ts";

/** Of some answers only. */
interface Enforced {
  enforced_by?: EnforcedBy;
  warning?: string;
}

/** `, enforced by 2 observers`; empty if nobody does, which the warning says. */
export function enforcedBy(answer: object): string {
  const { enforced_by: by } = answer as Enforced;
  if (by === undefined) return "";
  const parts = [
    ...(by.observer > 0 ? [`${String(by.observer)} observer${by.observer === 1 ? "" : "s"}`] : []),
    ...(by.guard > 0 ? [`${String(by.guard)} guard${by.guard === 1 ? "" : "s"}`] : []),
  ];
  return parts.length === 0 ? ", enforced by nobody" : `, enforced by ${parts.join(" and ")}`;
}

export function warningsOf(answer: object): string[] {
  const { enforced_by: by, warning } = answer as Enforced;
  if (warning !== undefined) return [warning];
  if (by === undefined || by.observer + by.guard > 0) return [];
  return ["no observer or guard of this cache is in force, so nothing is refused; see tls-sessions filters"];
}
