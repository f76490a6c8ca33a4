/** All commands, in the order of the help. */
import type { Command } from "./command.ts";
import { completionCommand } from "./commands/completion.ts";
import { CONFIG } from "./commands/config.ts";
import { DOCTOR } from "./commands/doctor.ts";
import { EVENTS } from "./commands/events.ts";
import { FLEET } from "./commands/fleet.ts";
import { helpCommand } from "./commands/help.ts";
import { FLUSH, REMOVE, REMOVED } from "./commands/removal.ts";
import { LIFT, REVOCATIONS, REVOKE } from "./commands/revocations.ts";
import { ADD, GET, LIST } from "./commands/sessions.ts";
import { CACHE_SIZE, ENFORCEMENT, MODE, TIMEOUT } from "./commands/settings.ts";
import { FILTERS_COMMAND, HEALTH, UPSTREAMS } from "./commands/state.ts";
import { STATS } from "./commands/stats.ts";
import { TICKET_KEYS } from "./commands/ticket_keys.ts";
import { EXPORT, IMPORT } from "./commands/transfer.ts";
import { WATCH } from "./commands/watch.ts";

export const COMMANDS: Command[] = [
  ...[LIST, GET, ADD, REMOVE, FLUSH, REMOVED],
  ...[STATS, WATCH, EVENTS],
  ...[TICKET_KEYS, REVOKE, LIFT, REVOCATIONS],
  ...[MODE, ENFORCEMENT, TIMEOUT, CACHE_SIZE],
  ...[FILTERS_COMMAND, UPSTREAMS, HEALTH, FLEET],
  ...[EXPORT, IMPORT],
  ...[DOCTOR, CONFIG],
];
// These two name the others.
COMMANDS.push(completionCommand(COMMANDS), helpCommand(COMMANDS));
