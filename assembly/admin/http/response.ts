/**
 * The response to one request. If `job` is set, the response is not decided yet: the caller steps the job until it has
 * finished, then calls `AdminApi.finish`.
 */
import { JsonWriter } from "../../json/writer";
import { Job } from "../../work/job";

export class HttpResponse {
  /** 0 until the response is decided. */
  status: i32 = 0;
  /** Name, value, name, value. */
  headers: string[] = [];
  body: JsonWriter = new JsonWriter();
  job: Job | null = null;
  /** Writes the response when `job` has finished. */
  report: JobReport | null = null;
  /** Whether `job` only reads: then it may be given up once nobody waits for it. */
  reads: bool = false;
  /** A body that is not written to `body` but lies in constant memory. */
  private isFixed: bool = false;
  private fixedPointer: usize = 0;
  private fixedLength: i32 = 0;
  /** Whether it answers a change that other proxies of a fleet are to make as well. Set it after `begin`. */
  isForFleet: bool = false;
  /** The setting that was set by that, NO_SETTING for none. */
  setting: i32 = NO_SETTING;

  bodyPointer(): usize {
    return this.isFixed ? this.fixedPointer : this.body.pointer;
  }

  bodyLength(): i32 {
    return this.isFixed ? this.fixedLength : this.body.length;
  }

  /** Starts a JSON response: the caller writes one value to the writer that is returned. */
  begin(status: i32): JsonWriter {
    return this.start(status, "application/json");
  }

  /** Starts a response of another JSON media type, and drops any that was begun. */
  start(status: i32, contentType: string): JsonWriter {
    this.status = status;
    this.isForFleet = false;
    this.setting = NO_SETTING;
    this.headers = ["content-type", contentType, "cache-control", "no-store", "x-content-type-options", "nosniff"];
    this.body = new JsonWriter();
    this.isFixed = false;
    return this.body;
  }

  /** Starts a response without headers, whose body lies in constant memory. */
  startFixed(status: i32, pointer: usize, length: i32): void {
    this.status = status;
    this.headers = [];
    this.isFixed = true;
    this.fixedPointer = pointer;
    this.fixedLength = length;
  }

  header(name: string, value: string): void {
    this.headers.push(name);
    this.headers.push(value);
  }

  /** Leaves the response to a job and its report. */
  await(job: Job, report: JobReport): void {
    this.job = job;
    this.report = report;
  }

  /** Leaves the response to a job that writes it here piece by piece; `subject` names the things that it reads. */
  awaitReading(job: Job, subject: string): void {
    this.await(job, new ReadReport(subject));
    this.reads = true;
  }
}

/** Newline-delimited JSON: one document a line. */
export const LINES_TYPE: string = "application/x-ndjson";

/** The answer to a call whose job has ended. */
export abstract class JobReport {
  /** Writes the answer of a job that has finished. */
  abstract write(response: HttpResponse): void;

  /** The detail of the 503 for a job that gave up. */
  get failure(): string {
    return "only a part of the change was made; try again";
  }
}

/** The report of a job that changes nothing and writes the response as it goes. */
class ReadReport extends JobReport {
  constructor(private readonly subject: string) {
    super();
  }

  write(response: HttpResponse): void {}

  get failure(): string {
    return this.subject + " could not be read; try again";
  }
}

export const NO_SETTING: i32 = -1;
