/**
 * Runs after as-covers' transform and takes its counting out of the right sides of `&&` and `||` again. There it wraps
 * `right` as `(__cover(id), right)`, through which the compiler no longer infers types: `a && b !== null && b.c` and comparisons
 * of small integers with constants stop compiling. Blocks, functions, if, switch and `? :` stay counted.
 *
 * as-pect.asconfig.json names this file by way of a package: the compiler looks for transforms in packages only.
 */
import {
  BinaryExpression,
  CallExpression,
  CommaExpression,
  ExpressionStatement,
  IdentifierExpression,
  Node,
  ParenthesizedExpression,
  UnaryPrefixExpression,
} from "assemblyscript/dist/assemblyscript.js";
import { Transform } from "assemblyscript/dist/transform.js";

export default class WithoutLogicalOperands extends Transform {
  afterParse(parser) {
    for (const source of parser.sources) {
      const dropped = new Set();
      for (const node of nodesIn(source)) {
        if (!(node instanceof BinaryExpression)) continue;
        const counted = countedOperand(node.right);
        if (counted === null) continue;
        dropped.add(counted.id);
        node.right = counted.operand;
      }
      source.statements = source.statements.filter((statement) => !dropped.has(declaredId(statement)));
    }
  }
}

/** `(__cover(id), operand)` taken apart; null for anything else. */
function countedOperand(expression) {
  if (!(expression instanceof ParenthesizedExpression) || !(expression.expression instanceof CommaExpression))
    return null;
  const [call, operand] = expression.expression.expressions;
  const id = argumentOf(call, "__cover", 0);
  return id === null ? null : { id, operand };
}

function declaredId(statement) {
  return statement instanceof ExpressionStatement ? argumentOf(statement.expression, "__coverDeclare", 1) : null;
}

function argumentOf(node, name, index) {
  if (!(node instanceof CallExpression) || !(node.expression instanceof IdentifierExpression)) return null;
  return node.expression.text === name ? integerText(node.args[index]) : null;
}

/** The ids are hashes, every second one negative: a minus sign and a number. */
function integerText(node) {
  return node instanceof UnaryPrefixExpression ? `-${node.operand.value}` : String(node.value);
}

/** Every node of a tree; inner ones after they were changed by whoever is looking. */
function* nodesIn(root) {
  const seen = new Set();
  const waiting = [root];
  while (waiting.length > 0) {
    const item = waiting.pop();
    if (Array.isArray(item)) waiting.push(...item);
    if (!(item instanceof Node) || seen.has(item)) continue;
    seen.add(item);
    yield item;
    waiting.push(...Object.values(item));
  }
}
