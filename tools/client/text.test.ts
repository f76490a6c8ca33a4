/** Names from the wire on a terminal, and how texts fit their columns. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { facts, table } from "./table.ts";
import { onOneLine, printable, safeJson, shortened, widthOf } from "./text.ts";

const UNSAFE = [
  "\u001b[2J",
  "\u0007",
  "\r\n",
  "\u009b31m",
  "\u202e",
  "\u200b",
  "\u2028",
  "\ud800",
  "\u0301",
  "\u007f",
  "\u00a0",
];

describe("a name from the wire", () => {
  for (const unsafe of UNSAFE) {
    it(`has ${JSON.stringify(unsafe)} as an escape, also in JSON`, () => {
      for (const shown of [printable(`a${unsafe}b`), onOneLine(`a${unsafe}b`), safeJson({ name: `a${unsafe}b` })]) {
        assert.doesNotMatch(shown, /[\p{C}\p{M}]|(?! )\p{Z}/u);
      }
      assert.equal((JSON.parse(safeJson({ name: unsafe })) as { name: string }).name, unsafe);
    });
  }

  it("cannot imitate an escape", () => assert.notEqual(printable("\\x1b"), printable("\u001b")));
  it("stays as it is if it is harmless", () =>
    assert.equal(printable("shop.example bücher 例"), "shop.example bücher 例"));
});

describe("a text that is too wide", () => {
  it("ends with … at its width, and wide characters count twice", () => {
    assert.equal(shortened("shop.example", 6), "shop.…");
    assert.equal(shortened("例例例", 5), "例例…");
    assert.ok(widthOf(shortened("例例例", 4)) <= 4);
    assert.equal(shortened("shop", 4), "shop");
  });
});

describe("a table", () => {
  const rows = [
    { name: "a.long.server.name.example", time: "17:00:00 (in 3 h)", hits: 12_345 },
    { name: "例.example", time: "-", hits: 1 },
  ];
  const columns = [
    { title: "NAME", cell: ({ name }: (typeof rows)[0]) => name, shrinksTo: 8 },
    { title: "TIME", cell: ({ time }: (typeof rows)[0]) => time, narrow: () => "in 3 h" },
    { title: "HITS", cell: ({ hits }: (typeof rows)[0]) => hits, align: "right" as const },
  ];

  it("is aligned, and as wide as its cells without a bound", () => {
    assert.deepEqual(table(columns, rows, null), [
      "NAME                        TIME                HITS",
      "a.long.server.name.example  17:00:00 (in 3 h)  12345",
      "例.example                  -                      1",
    ]);
  });

  it("takes narrow texts first, then shortens columns", () => {
    assert.deepEqual(table(columns, rows, 45)[1], "a.long.server.name.example  in 3 h  12345");
    assert.deepEqual(table(columns, rows, 30)[1], "a.long.server.…  in 3 h  12345");
    for (const line of table(columns, rows, 30)) assert.ok(widthOf(line) <= 30, line);
  });

  it("shows facts in two columns, with - for the unknown", () => {
    assert.deepEqual(
      facts(
        [
          ["id", "c0ffee"],
          ["server name", null],
        ],
        80,
      ),
      ["id           c0ffee", "server name  -"],
    );
  });
});
