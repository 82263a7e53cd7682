/** What a mail says: a sentence or two a paragraph, and at most one thing to do. */
export type MailText = {
  subject: string;
  paragraphs: string[];
  /** A button in HTML, a label and an address in text. */
  action?: { label: string; url: string };
  /** The small print: how long it holds, and what to do if it was not meant. */
  note?: string;
};

/** Marks that turn the direction of what follows: with them a name could rearrange the sentence around it. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line, in the order in which it was written. */
const line = (text: string): string =>
  text
    .replace(DIRECTION_MARKS, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const paragraph = (html: string): string => `<p style="margin:0 0 16px">${html}</p>`;
const small = (html: string): string => `<p style="margin:0 0 8px;color:#57606a;font-size:13px">${html}</p>`;

const BUTTON =
  'display:inline-block;padding:10px 18px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none';

const documentOf = (title: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
</head>
<body style="margin:0;padding:24px">
<div style="max-width:560px;margin:0 auto;font:16px/1.5 system-ui,sans-serif;color:#1b1f24">
${body}
</div>
</body>
</html>
`;

/**
 * A mail's subject, text and HTML, which say the same. Everything in it may come from people: it is escaped, and each
 * part is one line without marks of direction.
 */
export function renderMail(mail: MailText) {
  const { action } = mail;
  const subject = line(mail.subject).replaceAll('=?', '= ?'); // a mail program would decode an encoded word
  const paragraphs = mail.paragraphs.map(line);
  const notes = mail.note === undefined ? [] : [line(mail.note)];
  const text = [
    ...paragraphs,
    ...(action === undefined ? [] : [`${action.label}:\n${action.url}`]),
    ...notes,
  ];
  const url = escapeHtml(action?.url ?? '');
  const html = [
    ...paragraphs.map((sentence) => paragraph(escapeHtml(sentence))),
    ...(action === undefined
      ? []
      : [
          paragraph(`<a style="${BUTTON}" href="${url}">${escapeHtml(action.label)}</a>`),
          small(`If the button does not work, open this address: <a href="${url}">${url}</a>`),
        ]),
    ...notes.map((note) => small(escapeHtml(note))),
  ];
  return {
    subject,
    text: `${text.join('\n\n')}\n`,
    html: documentOf(escapeHtml(subject), html.join('\n')),
  };
}

/** A moment as people read it: 2026-01-31 09:30 UTC. */
export const readableMoment = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
