import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  SpanKind as Kind,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Span, SpanKind, Tracing } from '../domain/tracing.ts';
import { within } from '../kernel/within.ts';

const KINDS: Record<SpanKind, Kind> = { server: Kind.SERVER, consumer: Kind.CONSUMER, client: Kind.CLIENT };
/** In milliseconds: one delivery, the last one of a process, and how often a collector that is away is mentioned. */
const PATIENCE = { export: 2_000, close: 3_000, report: 60_000 };
const TRACEPARENT = 'traceparent';

export type TracingOptions = {
  /** Of a collector; `/v1/traces` is added. */
  endpoint: string;
  serviceName: string;
  version: string;
  /** Told at most once a minute that spans could not be delivered. */
  onFailure: (reason: string) => void;
};

/** Passes a failure on unless another one was within the last minute. */
function createReporter(onFailure: TracingOptions['onFailure']) {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (error: unknown) => {
    if (performance.now() - reportedAt < PATIENCE.report) return;
    reportedAt = performance.now();
    const { message = '', code = '' }: { message?: string; code?: unknown } =
      error instanceof Error ? error : {};
    onFailure([message, code].filter((part) => part !== '').join(' ') || 'the collector did not take them');
  };
}

/** Delivers by OTLP over HTTP. What a collector does not take is dropped: nobody waits for it. */
function exporterOf(endpoint: string, report: (error: unknown) => void): SpanExporter {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: PATIENCE.export });
  return {
    export: (spans, done) =>
      exporter.export(spans, ({ code, error }) => {
        if (code !== ExportResultCode.SUCCESS) report(error);
        done({ code: ExportResultCode.SUCCESS });
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

const viewOf = (span: OtelSpan): Span => ({
  name(name, attributes) {
    span.updateName(name);
    span.setAttributes(attributes);
  },
  fail(kind) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', kind);
  },
  end: () => span.end(),
});

/** Without globals of OpenTelemetry's, so that two services in one process keep their spans apart. */
export function createTracing(options: TracingOptions): Tracing {
  const report = createReporter(options.onFailure);
  const exporter = exporterOf(options.endpoint, report);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.serviceName,
      'service.version': options.version,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  });
  const tracer = provider.getTracer('tenantry', options.version);
  const propagator = new W3CTraceContextPropagator();
  const current = new AsyncLocalStorage<Context>();

  return {
    serve(traceparent, run) {
      const carrier = { [TRACEPARENT]: traceparent };
      const above = propagator.extract(ROOT_CONTEXT, carrier, {
        get: (_carrier, key) => (key === TRACEPARENT ? traceparent : undefined),
        keys: () => [TRACEPARENT],
      });
      const span = tracer.startSpan('request', { kind: Kind.SERVER }, above);
      current.run(trace.setSpan(above, span), run, viewOf(span));
    },
    async within(kind, name, attributes, task) {
      const above = current.getStore();
      if (kind === 'client' && above === undefined) return task();
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, above ?? ROOT_CONTEXT);
      try {
        return await current.run(trace.setSpan(above ?? ROOT_CONTEXT, span), task);
      } catch (error) {
        viewOf(span).fail(error instanceof Error ? error.name : 'unknown');
        throw error;
      } finally {
        span.end();
      }
    },
    close: () => within(PATIENCE.close, provider.shutdown()).catch(report),
  };
}
