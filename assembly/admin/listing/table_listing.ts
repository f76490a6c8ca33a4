/**
 * Listings of the small tables (ticket keys, revoked server names): all rows at once, as the tables are bounded. A row never
 * changes its page, so each is shown exactly once, whatever is written meanwhile.
 *
 * Cost: one read of each of TABLE_PAGES pages, in slices.
 */
import { JsonWriter } from "../../json/writer";
import { Deadline, Job } from "../../work/job";
import { Row } from "../../shared/row";
import { Table, TABLE_PAGES } from "../../shared/table";
import { AdminResponse } from "../http/response";

/** How a row is shown. */
export abstract class ListedRow {
  /** Whether it is shown at all. */
  shows(row: Row): bool {
    return true;
  }

  abstract write(json: JsonWriter, row: Row): void;
}

/** Answers with an object of one member, all rows of a table in a list, once it is written. */
export function writeTable(response: AdminResponse, name: string, table: Table, listed: ListedRow): void {
  response.awaitReading(new TableListing(response, name, table, listed), name);
}

/** Writes all rows of a table, a few pages of it in each slice. */
class TableListing extends Job {
  private page: u32 = 0;

  constructor(
    private readonly response: AdminResponse,
    private readonly name: string,
    private readonly table: Table,
    private readonly listed: ListedRow,
  ) {
    super();
  }

  step(deadline: Deadline): bool {
    if (this.page == 0) {
      const json = this.response.begin(200);
      json.beginObject();
      json.name(this.name);
      json.beginArray();
    }
    const json = this.response.body;
    while (this.page < TABLE_PAGES) {
      if (!this.table.openPage(this.page)) {
        this.failed = true;
        return true;
      }
      let row = this.table.first();
      while (row) {
        if (this.listed.shows(row)) this.listed.write(json, row);
        row = this.table.after(row);
      }
      this.page++;
      if (this.page < TABLE_PAGES && deadline.passed) return false;
    }
    json.endArray();
    json.endObject();
    return true;
  }
}
