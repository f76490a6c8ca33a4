/**
 * Listings of the small tables (ticket keys, revoked server names): all rows at once, as the tables are bounded. A row never
 * changes its page, so each is shown exactly once, whatever is written meanwhile.
 *
 * Cost: one read of each of TABLE_PAGES pages.
 */
import { JsonWriter } from "../json/writer";
import { Row, Table, TABLE_PAGES } from "../session/table";
import { unavailable } from "./problem";
import { AdminResponse } from "./response";

/** How a row is shown. */
export abstract class ListedRow {
  /** Whether it is shown at all. */
  shows(row: Row): bool {
    return true;
  }

  abstract write(json: JsonWriter, row: Row): void;
}

/** Answers with an object of one member, all rows of a table in a list; 503 where a page could not be read. */
export function writeTable(response: AdminResponse, name: string, table: Table, listed: ListedRow): void {
  const json = response.begin(200);
  json.beginObject();
  json.name(name);
  json.beginArray();
  for (let number: u32 = 0; number < TABLE_PAGES; number++) {
    if (!table.openPage(number)) {
      unavailable(response, name + " could not be read; try again");
      return;
    }
    let row = table.first();
    while (row) {
      if (listed.shows(row)) listed.write(json, row);
      row = table.after(row);
    }
  }
  json.endArray();
  json.endObject();
}
