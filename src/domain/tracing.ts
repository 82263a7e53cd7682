/** What is said of a span. No secret, no address of a person, no query string: spans go to others. */
export type Attributes = Record<string, string | number | boolean>;

export type Span = {
  name(name: string, attributes: Attributes): void;
  /** `kind` is a fixed word or a status. */
  fail(kind: string): void;
  end(): void;
};

/** `server` and `consumer` begin something; `client` goes out, and is recorded only within one of those. */
export type SpanKind = 'server' | 'consumer' | 'client';

/** Records what takes how long, for a collector of traces. */
export type Tracing = {
  /** Begins the span of a request; what `run` begins belongs to it. `traceparent` is the caller's header. */
  serve(traceparent: string | undefined, run: (span: Span) => void): void;
  /** Does a task in a span of its own, which fails with it. */
  within<T>(kind: SpanKind, name: string, attributes: Attributes, task: () => Promise<T>): Promise<T>;
  /** Sends what has not been sent, for a few seconds at most. */
  close(): Promise<void>;
};
