/** All paths of the API. The first match counts, so a fixed path stands before a parameter in its place. */
import { HostFacts } from "../../ports/host_facts";
import { StatusValue } from "../../fleet/state/status";
import { Cache } from "../../session/cache";
import { SteeringReport } from "../../steering/setup/report";
import { Route } from "../http/route";
import { CacheSizeRoute } from "./cache_size";
import { EnforcementRoute } from "./enforcement";
import { EventsRoute } from "./events";
import { ExportRoute } from "./export";
import { FiltersRoute } from "./filters";
import { FleetRoute } from "./fleet";
import { FlushRoute } from "./flush";
import { HealthRoute } from "./health";
import { ImportRoute } from "./import";
import { ModeRoute } from "./mode";
import { OpenApiRoute } from "./openapi";
import { PageRoute } from "./page";
import { ReadyRoute } from "./ready";
import { RemoveRoute } from "./remove";
import { RemovedRoute } from "./removed";
import { RevocationRoute } from "./revocation";
import { RevocationsRoute } from "./revocations";
import { SessionRoute } from "./session";
import { SessionsRoute } from "./sessions";
import { StatisticsRoute } from "./statistics";
import { TicketKeyRoute } from "./ticket_key";
import { TicketKeysRoute } from "./ticket_keys";
import { TimeoutRoute } from "./timeout";
import { UpstreamsRoute } from "./upstreams";

export function routesOf(
  cache: Cache,
  facts: HostFacts,
  steering: SteeringReport | null,
  fleet: StatusValue,
  startWaitMilliseconds: u32,
): Route[] {
  return [
    new HealthRoute(cache),
    new SessionsRoute(cache),
    new FlushRoute(cache),
    new RemoveRoute(cache),
    new SessionRoute(cache),
    new RemovedRoute(cache),
    new StatisticsRoute(cache, steering),
    new EventsRoute(cache),
    new ModeRoute(cache),
    new CacheSizeRoute(cache),
    new TimeoutRoute(cache),
    new EnforcementRoute(cache),
    new TicketKeysRoute(cache),
    new TicketKeyRoute(cache),
    new RevocationsRoute(cache),
    new RevocationRoute(cache),
    new UpstreamsRoute(cache),
    new ExportRoute(cache),
    new ImportRoute(cache),
    new FiltersRoute(cache, facts),
    new FleetRoute(cache, fleet),
    new ReadyRoute(cache, fleet, startWaitMilliseconds),
    new OpenApiRoute(),
    new PageRoute(),
  ];
}
