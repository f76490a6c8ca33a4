/**
 * Inlines more of the compiled module than its compiler does. A handshake runs once through some two hundred functions, all of
 * them cold, as a proxy does other things in between: the amount of code that is touched counts, not the speed of a loop. A
 * function that only one place calls is inlined whatever its size; `docs/evidence/performance.md` has the figures.
 *
 * The optimiser is the compiler's own, Binaryen. The result depends on nothing but the module.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";

/** Changes the file of a module in place. */
export function inlineMore(file: string): void {
  const module = binaryen.readBinary(readFileSync(file));
  try {
    module.setFeatures(FEATURES);
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(0);
    binaryen.setAlwaysInlineMaxSize(ALWAYS);
    binaryen.setFlexibleInlineMaxSize(WHERE_LIGHT);
    binaryen.setOneCallerInlineMaxSize(WHATEVER);
    binaryen.setAllowInliningFunctionsWithLoops(true);
    module.runPasses(["inlining-optimizing", "dae-optimizing", "inlining-optimizing"]);
    module.optimize();
    writeFileSync(file, module.emitBinary());
  } finally {
    module.dispose();
  }
}

/** The defaults of AssemblyScript's compiler. */
const FEATURES =
  binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.BulkMemory;
/** Sizes of functions, in Binaryen's count of expressions. */
const ALWAYS = 15;
const WHERE_LIGHT = 100;
const WHATEVER = 1_000_000;
