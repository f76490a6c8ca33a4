/** Options that several commands share. */
import type { Option } from "../command.ts";

export const KINDS = ["id", "ticket", "psk"];

export const FILTERS = {
  kind: { value: "KIND", choices: KINDS, about: "only this kind: id, ticket or psk" },
  sni: { value: "NAME", about: "only this server name" },
  upstream: { value: "ADDRESS", about: "only sessions that this upstream issued, as 10.0.0.7:443" },
} satisfies Record<string, Option>;

export const LIMIT: Option = { value: "N", about: "at most so many" };
