/**
 * GET /: the page for people, which makes all its calls of this API with the token that it asks for. The page itself holds no
 * secret, so it needs no token.
 *
 * It is there for callers that accept HTML. For all others, such as a program that names no media type, `/` is not a path of
 * the API. The module holds only the compressed page: a caller that excludes gzip gets 406. Its policy allows its own script
 * and style by their hashes, calls to its own origin, and nothing else.
 */
import { PAGE, PAGE_ETAG, PAGE_LENGTH, PAGE_POLICY } from "../generated/page.generated";
import { accepts } from "../http/negotiation";
import { notAcceptable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class PageRoute extends Route {
  constructor() {
    super("/", "GET, HEAD");
    this.needsToken = false;
  }

  serves(request: HttpRequest): bool {
    return accepts(request.accept, HTML);
  }

  get(request: HttpRequest, response: HttpResponse): void {
    // Without the header every coding is acceptable (RFC 9110 12.5.3).
    if (request.acceptEncoding.length > 0 && !accepts(request.acceptEncoding, GZIP)) {
      notAcceptable(response, "this page is sent compressed: accept the coding gzip, as curl --compressed does");
      response.header("vary", VARY);
      return;
    }
    const isKnown = request.ifNoneMatch.includes(PAGE_ETAG);
    if (isKnown) response.startFixed(304, 0, 0);
    else response.startFixed(200, PAGE, PAGE_LENGTH);
    if (!isKnown) {
      response.header("content-type", "text/html; charset=utf-8");
      response.header("content-encoding", "gzip");
    }
    response.header("etag", PAGE_ETAG);
    // A browser keeps the page, and asks each time whether the module has another one.
    response.header("cache-control", "no-cache");
    response.header("vary", VARY);
    response.header("content-security-policy", PAGE_POLICY);
    response.header("x-content-type-options", "nosniff");
    response.header("referrer-policy", "no-referrer");
    response.header("cross-origin-opener-policy", "same-origin");
    response.header("cross-origin-resource-policy", "same-origin");
  }
}

const HTML: StaticArray<string> = ["text/html", "text/*", "*/*"];
const GZIP: StaticArray<string> = ["gzip", "x-gzip", "*"];
const VARY: string = "accept, accept-encoding";
