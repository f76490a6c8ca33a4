import { EventCause } from "../../../../assembly/session/record/event_cause";
import { Kind } from "../../../../assembly/session/record/session";
import {
  Fate,
  divertedFor,
  FATES,
  fateName,
  handshakes,
  kindIndexName,
  Metric,
  metricName,
  metricNames,
  moduleInfoName,
  METRICS,
  offered,
  Outcome,
  refusedFor,
  resumptions,
} from "../../../../assembly/session/counting/statistics";

const KINDS: u8[] = [Kind.ID, Kind.TICKET, Kind.PSK];

describe("the catalogue of metrics", () => {
  it("has a name of its own for each number", () => {
    const names = metricNames("edge");
    expect(names.length).toBe(METRICS);
    const seen = new Set<string>();
    for (let metric = 0; metric < METRICS; metric++) {
      expect(names[metric].startsWith("tls_session_cache_")).toBe(true, names[metric]);
      expect(names[metric].includes(".cache.edge")).toBe(true, names[metric]);
      expect(seen.has(names[metric])).toBe(false, names[metric]);
      seen.add(names[metric]);
    }
  });

  it("names resumptions by kind and by what became of them", () => {
    expect(metricName(offered(Kind.ID), "edge")).toBe("tls_session_cache_resumptions_offered_total.cache.edge.kind.id");
    expect(metricName(resumptions(Kind.TICKET, Fate.LOST), "edge")).toBe(
      "tls_session_cache_resumptions_total.cache.edge.kind.ticket.outcome.lost",
    );
    expect(metricName(resumptions(Kind.PSK, Fate.FAILED), "edge")).toBe(
      "tls_session_cache_resumptions_total.cache.edge.kind.psk.outcome.failed",
    );
    for (let kind = 0; kind < KINDS.length; kind++) {
      for (let fate = 0; fate < FATES; fate++) {
        const name = metricName(resumptions(KINDS[kind], fate), "edge");
        expect(name.endsWith(".kind." + kindIndexName(kind) + ".outcome." + fateName(fate))).toBe(true, name);
      }
    }
  });

  it("names refusals and diversions by cause", () => {
    expect(metricName(refusedFor(EventCause.SESSION), "edge")).toBe(
      "tls_session_cache_refusals_total.cache.edge.cause.session",
    );
    expect(metricName(divertedFor(EventCause.SESSION), "edge")).toBe(
      "tls_session_cache_diversions_total.cache.edge.cause.session",
    );
    expect(metricName(divertedFor(EventCause.UNFOLLOWED), "edge")).toBe(
      "tls_session_cache_diversions_total.cache.edge.cause.unfollowed",
    );
    expect(metricName(Metric.DIVERTED, "edge")).toBe("tls_session_cache_diverted_total.cache.edge");
  });

  it("has names of numbers of families that stand alone", () => {
    expect(metricName(Metric.SESSIONS, "edge")).toBe("tls_session_cache_sessions.cache.edge");
    expect(metricName(Metric.REMOVED_TICKET_KEYS, "edge")).toBe("tls_session_cache_removed_ticket_keys.cache.edge");
    expect(metricName(Metric.REVOKED_NAMES, "edge")).toBe("tls_session_cache_revoked_names.cache.edge");
    expect(metricName(Metric.TICKET_KEYS_LEARNED, "edge")).toBe(
      "tls_session_cache_ticket_keys_learned_total.cache.edge",
    );
    expect(metricName(Metric.EARLY_DATA_DROPPED, "edge")).toBe("tls_session_cache_early_data_dropped_total.cache.edge");
    expect(metricName(Metric.NOT_STORED_REMOVED, "edge")).toBe(
      "tls_session_cache_not_stored_total.cache.edge.cause.removed",
    );
    expect(metricName(handshakes(0x0304, Outcome.RESUMED_PSK), "edge")).toBe(
      "tls_session_cache_handshakes_total.cache.edge.protocol.TLSv1.3.outcome.resumed_psk",
    );
  });

  it("names the module with its version last, which has dots", () => {
    expect(moduleInfoName("edge", "0.1.0-rc.1", "5e")).toBe(
      "tls_session_cache_module_info.cache.edge.build.5e.version.0.1.0-rc.1",
    );
    expect(moduleInfoName("edge", "0.1.0", "")).toBe(
      "tls_session_cache_module_info.cache.edge.build.none.version.0.1.0",
    );
  });

  it("has a place for what is out of range: no number leads outside", () => {
    expect(offered(0)).toBe(offered(Kind.ID));
    expect(resumptions(255, Fate.ACCEPTED)).toBe(resumptions(Kind.ID, Fate.ACCEPTED));
    expect(kindIndexName(7)).toBe("id");
    expect(fateName(-1)).toBe("accepted");
    expect(handshakes(0xffff, Outcome.FULL)).toBe(Metric.HANDSHAKES);
  });
});
