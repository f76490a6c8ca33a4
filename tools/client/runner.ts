/** Runs a plan on every proxy at once, and prints the results in the order of the proxies. The worst exit code counts. */
import type { Api } from "./api.ts";
import { ClientError, EXIT, type ExitCode } from "./client_error.ts";
import type { Plan, Report } from "./command.ts";
import { isAgreed } from "./confirm.ts";
import type { Screen } from "./screen.ts";
import { onOneLine } from "./text.ts";

export async function runPlan(plan: Plan, apis: Api[], screen: Screen): Promise<ExitCode> {
  if ("runOnAll" in plan) return plan.runOnAll(apis, screen);
  if (plan.question !== undefined && !screen.options.isAgreed) {
    if (!(await isAgreed(await questionsOf(plan.question, apis)))) {
      screen.error("nothing is changed: you did not say yes");
      return EXIT.refused;
    }
  }
  const outcomes = await Promise.all(apis.map((api) => outcomeOf(plan.run, api)));
  print(outcomes, screen);
  return outcomes.reduce<ExitCode>((worst, { exitCode }) => (exitCode > worst ? exitCode : worst), EXIT.done);
}

/** A proxy that fails does not keep the caller from the others; if all fail, nothing is left to ask. */
async function questionsOf(question: (api: Api) => Promise<string>, apis: Api[]): Promise<string[]> {
  const asked = await Promise.allSettled(apis.map(async (api) => `${await question(api)}, on ${api.proxy}`));
  const failures = asked.flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
  const [first] = failures;
  if (first !== undefined && failures.length === asked.length) throw first;
  return asked.map((one) =>
    one.status === "fulfilled" ? one.value : `fail: ${onOneLine((one.reason as Error).message)}`,
  );
}

interface Outcome {
  proxy: string;
  report: Report | null;
  error: ClientError | null;
  exitCode: ExitCode;
}

async function outcomeOf(run: (api: Api) => Promise<Report>, api: Api): Promise<Outcome> {
  try {
    const report = await run(api);
    return { proxy: api.proxy, report, error: null, exitCode: report.exitCode ?? EXIT.done };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { proxy: api.proxy, report: null, error, exitCode: error.exitCode };
  }
}

function print(outcomes: Outcome[], screen: Screen): void {
  const [first] = outcomes;
  if (screen.options.isJson && outcomes.length > 1) {
    screen.printJson(
      outcomes.map(({ proxy, report, error }) =>
        error === null ? { proxy, result: report?.json } : { proxy, error: onOneLine(error.message) },
      ),
    );
  } else if (screen.options.isJson && first?.report != null) screen.printJson(first.report.json);
  for (const [index, { proxy, report, error }] of outcomes.entries()) {
    if (!screen.options.isJson && report !== null) {
      const heading = outcomes.length === 1 ? [] : [...(index === 0 ? [] : [""]), `== ${proxy}`];
      screen.print([...heading, ...report.lines(screen.view)]);
    }
    for (const warning of report?.warnings ?? []) {
      screen.warn(outcomes.length === 1 || warning.startsWith(proxy) ? warning : `${proxy}: ${warning}`);
    }
    if (error !== null) screen.error(error.message);
  }
}
