/** One call of the admin API: its request, its response, and the route that `AdminApi.begin` finds for it. */
import { HttpRequest } from "./request";
import { HttpResponse } from "./response";
import { Route } from "./route";

export class Call {
  readonly request: HttpRequest = new HttpRequest();
  readonly response: HttpResponse = new HttpResponse();
  /** Null until the path is known to exist and the caller may use it. */
  route: Route | null = null;
}
