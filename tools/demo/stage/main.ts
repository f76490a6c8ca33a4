/**
 * `npm run demo`: all of it on one screen. Four servers that share nothing, a real Envoy with the filter, clients that resume, and an
 * operator who removes sessions with tls-sessions and sees the effect at once.
 *
 * On a terminal it redraws, and stays after the story until q, or STAY_SECONDS. Elsewhere, and with CI set, it prints the story
 * as lines and ends. Exit code 1 if an effect did not come. Everything that it started ends with it.
 */
import { runTool } from "../../run_tool.ts";
import { run } from "./run.ts";

await runTool(run);
