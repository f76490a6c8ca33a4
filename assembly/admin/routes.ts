/** All paths of the API. The first that matches is taken, so a fixed path stands before a parameter in its place. */
import { HostFacts } from "../ports/host_facts";
import { Cache } from "../session/cache";
import { SteeringReport } from "../steering/setup/report";
import { Route } from "./route";
import { CacheSizeRoute } from "./routes/cache_size";
import { EnforcementRoute } from "./routes/enforcement";
import { EventsRoute } from "./routes/events";
import { FiltersRoute } from "./routes/filters";
import { FlushRoute } from "./routes/flush";
import { HealthRoute } from "./routes/health";
import { ModeRoute } from "./routes/mode";
import { OpenApiRoute } from "./routes/openapi";
import { RemoveRoute } from "./routes/remove";
import { RemovedRoute } from "./routes/removed";
import { RevocationRoute } from "./routes/revocation";
import { RevocationsRoute } from "./routes/revocations";
import { SessionRoute } from "./routes/session";
import { SessionsRoute } from "./routes/sessions";
import { StatisticsRoute } from "./routes/statistics";
import { TicketKeyRoute } from "./routes/ticket_key";
import { TicketKeysRoute } from "./routes/ticket_keys";
import { TimeoutRoute } from "./routes/timeout";
import { UpstreamsRoute } from "./routes/upstreams";

export function routesOf(cache: Cache, facts: HostFacts, steering: SteeringReport | null): Route[] {
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
    new FiltersRoute(cache, facts),
    new OpenApiRoute(),
  ];
}
