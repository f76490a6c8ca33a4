/** The unit tests once more with every block, function and expression of assembly/ counted: slower, and other code than runs. */
import units from "./as-pect.config.js";

export default { ...units, coverage: ["assembly/**/*.ts"] };
