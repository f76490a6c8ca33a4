/** Protocols by their names (`protocol_names.ts`), as access logs print and Envoy's properties show them. */
import { LastingText } from "../../host/lasting_text";
import { FIRST_PROTOCOL, PROTOCOL_NAMES } from "../../session/record/protocol_names";

/** The name of a version on the wire; that of the newest for a version without a name. */
export function protocolWord(version: u16): LastingText {
  const index = <i32>version - <i32>FIRST_PROTOCOL;
  const last = WORDS.length - 1;
  return unchecked(WORDS[index < 0 || index > last ? last : index]);
}

/** The version on the wire of a name in ASCII, from "TLSv1" on; 0 for any other text. */
export function protocolOf(name: usize, length: i32): u16 {
  for (let index = 1; index < WORDS.length; index++) {
    if (unchecked(WORDS[index]).is(name, length)) return FIRST_PROTOCOL + <u16>index;
  }
  return 0;
}

const WORDS: LastingText[] = PROTOCOL_NAMES.map<LastingText>((name) => new LastingText(name));
