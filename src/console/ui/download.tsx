import { Download as DownloadIcon } from 'lucide-react';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';

/** Saves a text as a file of the browser's. */
export function Download({ name, text }: { name: string; text: string }) {
  const save = () => {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Button icon={<DownloadIcon aria-hidden />} onClick={save}>
      {texts.download}
    </Button>
  );
}
