/**
 * The admin API's contract as tests that do not know what runs behind it: the same on the built module in a fake host
 * and on a real Envoy. Every test uses session IDs and server names of its own, so they share one cache that others fill
 * and empty too; a test that needs a cache or a clock of its own is beside the fake host only.
 */
import { describe } from "node:test";
import { describeAuthentication } from "./authentication.ts";
import { describeBadInput } from "./bad_input.ts";
import type { Admin } from "./client.ts";
import { describeExports } from "./exports.ts";
import { describeFleet } from "./fleet.ts";
import { describeImports } from "./imports.ts";
import { describeListing, describeRemoved } from "./listing.ts";
import { describePaths } from "./paths.ts";
import { describeRevocations } from "./revocations.ts";
import { describeSelections } from "./selections.ts";
import { describeChanges, describePut, describeIds } from "./sessions.ts";
import { describeSettings } from "./settings.ts";
import { describeStats } from "./stats.ts";
import { describeTicketKeys } from "./ticket_keys.ts";

/** Registers the contract's tests of one API. */
export function describeAdminContract(admin: Admin): void {
  describe("adding, replacing and removing", () => describeChanges(admin));
  describe("a session put by hand", () => describePut(admin));
  describe("session IDs", () => describeIds(admin));
  describe("bad input", () => describeBadInput(admin));
  describe("who may call", () => describeAuthentication(admin));
  describe("paths and methods", () => describePaths(admin));
  describe("listing", () => describeListing(admin));
  describe("removed sessions", () => describeRemoved(admin));
  describe("selections of sessions", () => describeSelections(admin));
  describe("settings", () => describeSettings(admin));
  describe("ticket keys", () => describeTicketKeys(admin));
  describe("revocations of server names", () => describeRevocations(admin));
  describe("imports of lists", () => describeImports(admin));
  describe("exports", () => describeExports(admin));
  describe("without a fleet", () => describeFleet(admin));
  describe("statistics and description", () => describeStats(admin));
}
