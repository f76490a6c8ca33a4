/**
 * Steering as `GET /v1/stats` shows it: `{"mode", "effective", "why"}`, without `effective` while that is unknown. If
 * several filters steer, it shows the first without effect, else the first of unknown effect, else the first.
 */
import { JsonWriter } from "../../json/writer";
import { faultText } from "../../steering/setup/faults";
import { SteeringMode } from "../../steering/setup/modes";
import { Effect, Fault, SteeringState } from "../../steering/setup/steering_state";

export function writeSteering(json: JsonWriter, states: SteeringState[]): void {
  const state = shown(states);
  json.beginObject();
  json.name("mode");
  json.string(modeName(state ? state.mode : SteeringMode.Off));
  if (state && state.effect != Effect.Unknown) {
    json.name("effective");
    json.boolean(state.effect == Effect.Yes);
  }
  json.name("why");
  json.string(state && state.fault != Fault.None ? faultText(state) : "");
  json.endObject();
}

/** Null if no filter steers. */
function shown(states: SteeringState[]): SteeringState | null {
  const byEffect: Effect[] = [Effect.No, Effect.Unknown, Effect.Yes];
  for (let i = 0; i < byEffect.length; i++) {
    for (let j = 0; j < states.length; j++) {
      if (states[j].effect == byEffect[i]) return states[j];
    }
  }
  return null;
}

function modeName(mode: SteeringMode): string {
  if (mode == SteeringMode.Hash) return "hash";
  return mode == SteeringMode.Exact ? "exact" : "off";
}
