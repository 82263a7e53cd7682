import type { ReactNode } from 'react';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';
import { Copyable } from './page.tsx';

type SecretProps = {
  text: string;
  /** Why it is to be copied now. */
  about: string;
  /** What the button that copies is called. */
  label?: string;
  onDone: () => void;
  children?: ReactNode;
};

/** What has just been made and is to be copied, such as a key that is shown once. It stays until it is done with. */
export function Secret({ text, about, label = texts.copy, onDone, children }: SecretProps) {
  return (
    <>
      <Notice>{about}</Notice>
      <Copyable text={text} label={label} />
      {children}
      <div className="form-end">
        <Button kind="primary" onClick={onDone}>
          {texts.finished}
        </Button>
      </div>
    </>
  );
}
