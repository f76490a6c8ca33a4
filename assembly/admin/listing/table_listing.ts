/**
 * Listings of the bounded tables (ticket keys, revoked server names): all rows, without pages. A row never changes its page
 * of the table, so each is shown exactly once, also during writes.
 *
 * Cost: one read of each of TABLE_PAGES pages, in slices.
 */
import { JsonWriter } from "../../json/writer";
import { Deadline, Job } from "../../work/job";
import { Row } from "../../shared/row";
import { Table, TABLE_PAGES } from "../../shared/table";
import { HttpResponse } from "../http/response";

/** The form in which a row is shown. */
export abstract class ListedRow {
  /** Whether a row is shown at all. */
  shows(row: Row): bool {
    return true;
  }

  abstract write(json: JsonWriter, row: Row): void;

  /** Writes an entry that may have no row by its number, unless it has one; false if there are fewer. */
  writeOther(json: JsonWriter, number: u64): bool {
    return false;
  }
}

/** Leaves the response to a job: an object with one member, the list of all rows of a table. */
export function writeTable(response: HttpResponse, name: string, table: Table, listed: ListedRow): void {
  response.awaitReading(new TableListing(response, name, table, listed), name);
}

/** Writes all rows of a table, some pages in each slice. */
class TableListing extends Job {
  private page: u32 = 0;
  /** The number of the next entry without a row. */
  private other: u64 = 0;

  constructor(
    private readonly response: HttpResponse,
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
    while (this.listed.writeOther(json, this.other++)) if (deadline.passed) return false;
    json.endArray();
    json.endObject();
    return true;
  }
}
