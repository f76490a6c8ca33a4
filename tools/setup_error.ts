/**
 * Something about the machine or the settings that the user can put right: its message is one line that says what is wrong
 * and what to do. Whatever else is thrown in these tools is a defect of theirs.
 */
export class SetupError extends Error {
  override name = "SetupError";
}
