/** Pieces of an Envoy configuration that several rules and the command config write. */
import { parse } from "yaml";
import { sampleConfiguration } from "../package_files.ts";
import { type Members, membersOf } from "./finding.ts";
import { type Plugin, survey } from "./survey.ts";

export const EARLY_DATA_BYTES = 16_384;
/** Above EARLY_DATA_BYTES: a held ClientHello may fill that much. */
export const BUFFER_BYTES = 32_768;
export const HASH_POLICY = { hash_policy: [{ filter_state: { key: "envoy.hashable_string" } }] };

/** The session's ID for the guard, from Envoy itself. */
export const SESSION_ID_FILTER = {
  name: "tls_session_id",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
    on_request_headers: [
      {
        object_key: "tls_sid",
        factory_key: "envoy.string",
        format_string: {
          text_format_source: { inline_string: "%DOWNSTREAM_TLS_SESSION_ID%" },
          omit_empty_values: true,
        },
        skip_if_empty: true,
      },
    ],
  },
};

/** The calls and callbacks that a filter needs, as the shipped envoy.yaml allows them. */
export function capabilitiesOf(rootId: string): Members {
  shippedPlugins ??= survey(parse(sampleConfiguration())).plugins;
  const shipped = shippedPlugins.find((plugin) => plugin.rootId === rootId);
  const list = membersOf(membersOf(shipped?.config["vm_config"])["capability_restriction_config"]);
  return membersOf(list["allowed_capabilities"]);
}

let shippedPlugins: Plugin[] | undefined;
