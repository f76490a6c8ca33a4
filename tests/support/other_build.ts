/** Other builds of the built module, which do the same: for tests of upgrades. */
import { readFileSync } from "node:fs";
import { readIdentity, withIdentity } from "../../tools/compiler/identity.ts";
import { MODULE_FILE } from "../../tools/project.ts";

export interface Build {
  bytes: Buffer;
  /** 64 hex digits. */
  identity: string;
}

/** The built module, with the identity that its bytes give. */
export function thisBuild(): Build {
  const bytes = readFileSync(MODULE_FILE);
  return { bytes, identity: computedOf(bytes) };
}

/** The same code with an empty custom section more, named "n", and with its own identity. */
export function otherBuild(): Build {
  const bytes = withIdentity(Buffer.concat([unidentified(), Buffer.from([0, 2, 1, 0x6e])]));
  if (typeof bytes === "string") throw new Error(bytes);
  return { bytes, identity: computedOf(bytes) };
}

/** The built module as the compiler leaves it: zeros in the place of its identity. */
export function unidentified(): Buffer {
  const { bytes, identity } = thisBuild();
  return Buffer.from(bytes.toString("latin1").replace(identity, "0".repeat(identity.length)), "latin1");
}

function computedOf(module: Buffer): string {
  const identity = readIdentity(module);
  if (typeof identity === "string") throw new Error(identity);
  return identity.computed;
}
