/** The module that runs a filter, as the API shows it. */
import { JsonWriter } from "../../json/writer";

/**
 * Writes the members `version` and `build`. The build tells modules of one version apart: 64 hex digits that every byte of
 * the module decides (`filters/cache/module_build.ts`), or an empty text for null.
 */
export function writeModule(json: JsonWriter, version: string, build: string): void {
  json.name("version");
  json.string(version);
  json.name("build");
  if (build.length > 0) json.string(build);
  else json.nothing();
}
