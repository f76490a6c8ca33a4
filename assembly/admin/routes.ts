/** All paths of the API. The first that matches is taken, so a fixed path stands before a parameter in its place. */
import { Cache } from "../session/cache";
import { Route } from "./route";
import { CacheSizeRoute } from "./routes/cache_size";
import { EventsRoute } from "./routes/events";
import { FlushRoute } from "./routes/flush";
import { HealthRoute } from "./routes/health";
import { ModeRoute } from "./routes/mode";
import { OpenApiRoute } from "./routes/openapi";
import { RemovedRoute } from "./routes/removed";
import { SessionRoute } from "./routes/session";
import { SessionsRoute } from "./routes/sessions";
import { StatisticsRoute } from "./routes/statistics";
import { TimeoutRoute } from "./routes/timeout";

export function routesOf(cache: Cache): Route[] {
  return [
    new HealthRoute(),
    new SessionsRoute(cache),
    new FlushRoute(cache),
    new SessionRoute(cache),
    new RemovedRoute(cache),
    new StatisticsRoute(cache),
    new EventsRoute(cache),
    new ModeRoute(cache),
    new CacheSizeRoute(cache),
    new TimeoutRoute(cache),
    new OpenApiRoute(),
  ];
}
