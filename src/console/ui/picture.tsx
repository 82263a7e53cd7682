import { upload } from '../lib/api.ts';
import { type Act, useSending } from '../lib/calls.tsx';
import { useShown } from '../lib/shown.tsx';
import { texts } from '../texts.ts';
import { Avatar } from './bits.tsx';
import { Button } from './button.tsx';
import { Problem } from './notice.tsx';

const t = texts.picture;

type PictureProps<Input> = {
  name: string;
  url: string | null;
  /** The procedure that takes the file. */
  path: string;
  fields?: Record<string, string>;
  /** Takes it away. */
  remove: Act<Input, unknown>;
  input: Input;
};

/** Shows a picture, takes another one, or takes it away. */
export function Picture<Input>(props: PictureProps<Input>) {
  const { name, url, path, fields = {}, remove, input } = props;
  const send = useSending((file: File) => {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('file', file);
    return upload(path, form);
  }, t.saved);
  useShown({ method: 'POST', path, input: fields, isForm: true });
  return (
    <div className="picture">
      <Avatar url={url} name={name} />
      <label className="button">
        {send.isPending ? texts.busy : t.choose}
        <input
          type="file"
          accept="image/png,image/jpeg,image/webp"
          className="unseen"
          disabled={send.isPending}
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file !== undefined) send.mutate(file);
            target.value = ''; // so that the same file can be chosen again
          }}
        />
      </label>
      {url !== null && (
        <Button kind="quiet" isBusy={remove.isPending} onClick={() => remove.mutate(input)}>
          {texts.remove}
        </Button>
      )}
      <p className="note">{t.rules}</p>
      {send.error !== null && <Problem>{send.error.message}</Problem>}
      {remove.error !== null && <Problem>{remove.error.message}</Problem>}
    </div>
  );
}
