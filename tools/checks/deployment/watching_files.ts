/** The files of deploy/watching: their expressions, and the metrics that these name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_FOLDER } from "../../project.ts";

export const WATCHING_FOLDER = join(PROJECT_FOLDER, "deploy", "watching");

export interface Panel {
  title: string;
  expressions: string[];
}

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  annotations?: { runbook?: string };
}

export function readDashboard(): Panel[] {
  const { panels } = JSON.parse(readFileSync(join(WATCHING_FOLDER, "dashboard.json"), "utf8")) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets }) =>
    targets === undefined ? [] : [{ title, expressions: targets.map(({ expr }) => expr) }],
  );
}

export function readRules(): Rule[] {
  const { groups } = parse(readFileSync(join(WATCHING_FOLDER, "alerts.yaml"), "utf8")) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** An expression with the variables of the dashboard chosen as Grafana does for "All", and for the last ten minutes. */
export function withVariables(expression: string): string {
  return expression
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__range", "10m")
    .replaceAll(/\$(job|instance|cache)\b/g, ".*");
}

export interface Selector {
  metric: string;
  /** Each with its value, if the selector asks for one by equality. */
  labels: { name: string; value: string | null }[];
}

/** The metrics of Envoy that an expression selects. Recorded names, which hold colons, and Prometheus' own `up` are not. */
export function selectorsIn(expression: string): Selector[] {
  return [...expression.matchAll(/(?<![\w:])((?:tls_session_cache|envoy)_\w+)(?![\w:])(?:\{([^}]*)\})?/g)].map(
    ([, metric = "", labels = ""]) => ({
      metric,
      labels: [...labels.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)].map(([, name = "", operator, value = ""]) => ({
        name,
        value: operator === "=" || operator === "!=" ? value : null,
      })),
    }),
  );
}
