/**
 * The answer to one request of the admin API. Where `job` is set, the answer is not decided yet: the caller steps the job until it
 * is finished, then calls `AdminApi.finish`.
 */
import { JsonWriter } from "../../json/writer";
import { Job } from "../../work/job";

export class HttpResponse {
  /** 0 until the answer is decided. */
  status: i32 = 0;
  /** Name, value, name, value. */
  headers: string[] = [];
  body: JsonWriter = new JsonWriter();
  job: Job | null = null;
  /** What is answered when `job` has finished. */
  report: JobReport | null = null;
  /** Whether `job` only reads: nothing is lost if it is given up as nobody waits for it any more. */
  reads: bool = false;

  bodyPointer(): usize {
    return this.body.pointer;
  }

  bodyLength(): i32 {
    return this.body.length;
  }

  /** Starts an answer in JSON: the caller goes on with one value in what is returned. */
  begin(status: i32): JsonWriter {
    return this.start(status, "application/json");
  }

  /** Starts an answer of another JSON media type, instead of whatever was begun before. */
  start(status: i32, contentType: string): JsonWriter {
    this.status = status;
    this.headers = ["content-type", contentType, "cache-control", "no-store", "x-content-type-options", "nosniff"];
    this.body = new JsonWriter();
    return this.body;
  }

  header(name: string, value: string): void {
    this.headers.push(name);
    this.headers.push(value);
  }

  /** Leaves the answer to a job. */
  await(job: Job, report: JobReport): void {
    this.job = job;
    this.report = report;
  }

  /** Leaves the answer to a job that writes it here, bit by bit; `what` is what it reads. */
  awaitReading(job: Job, what: string): void {
    this.await(job, new ReadReport(what));
    this.reads = true;
  }
}

/** The answer to a call whose job has ended. */
export abstract class JobReport {
  /** Writes the answer of a job that has finished. */
  abstract write(response: HttpResponse): void;

  /** The detail of the 503 for a job that gave up. */
  get failure(): string {
    return "the change was carried out in part only; try again";
  }
}

/** What is answered once a job has finished that writes the answer as it goes, and changes nothing. */
export class ReadReport extends JobReport {
  constructor(
    /** What could not be read. */
    private readonly what: string,
  ) {
    super();
  }

  write(response: HttpResponse): void {}

  get failure(): string {
    return this.what + " could not be read; try again";
  }
}
