import { Check, ChevronRight, Copy as CopyIcon, Terminal } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { type Call, curlOf } from '../lib/curl.ts';
import { useShownCalls } from '../lib/shown.tsx';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';

type PageProps = { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode };

/** One page: its title, what it is for, what can be done, and at its end the calls that do the same. */
export function Page({ title, about, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} – ${texts.product}`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {about !== undefined && <p className="about">{about}</p>}
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
      <ByHttp />
    </div>
  );
}

type SectionProps = { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode };

export function Section({ title, about, actions, children }: SectionProps) {
  return (
    <section className="section">
      <header>
        <div>
          <h2>{title}</h2>
          {about !== undefined && <p className="about">{about}</p>}
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Puts a text into the clipboard. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [isDone, setIsDone] = useState(false);
  if (!window.isSecureContext) return null; // browsers have no clipboard there: over plain http from elsewhere
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setIsDone(true);
    setTimeout(() => setIsDone(false), 1_500);
  };
  return (
    <Button
      kind="quiet"
      aria-label={isDone ? texts.copied : label}
      title={label}
      icon={isDone ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      onClick={copy}
    />
  );
}

/** A text that is to be copied, such as a key that is shown once. */
export function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <div className="copyable">
      <code>{text}</code>
      <Copy text={text} label={label} />
    </div>
  );
}

const readsFirst = (one: Call, other: Call): number =>
  Number(one.method === 'POST') - Number(other.method === 'POST');

/** What this page has done, or would do, by plain HTTP. */
function ByHttp() {
  const calls = useShownCalls().sort(readsFirst);
  if (calls.length === 0) return null;
  return (
    <details className="by-http">
      <summary>
        <ChevronRight className="chevron" aria-hidden />
        <Terminal aria-hidden /> {texts.curl.title}
      </summary>
      <p className="about">{texts.curl.about}</p>
      <ul>
        {calls.map((call) => {
          const command = curlOf(call, window.location.origin);
          return (
            <li key={call.path}>
              <div className="call-name">
                <span className="badge">{call.method}</span> <a href="/docs">{call.path}</a>
                <Copy text={command} label={texts.curl.copy(call.path)} />
              </div>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
              <pre tabIndex={0}>{command}</pre>
            </li>
          );
        })}
      </ul>
    </details>
  );
}
