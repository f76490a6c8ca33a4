import type { Target } from "../input.ts";
import { admin } from "./admin.ts";
import { configuration } from "./configuration.ts";
import { handshake } from "./handshake.ts";
import { refusal } from "./refusal.ts";
import { sharedData } from "./shared_data.ts";

export const TARGETS: readonly Target[] = [handshake, refusal, admin, configuration, sharedData];
