import { useState } from 'react';
import { useAct, useRead } from '../lib/calls.tsx';
import { useParameter } from '../lib/enter.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Field, Form, Select } from '../ui/form.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';

const t = texts.device;
const OWN = '';

/** Where a device sends people to type its user code. */
export function Device() {
  const given = useParameter('user_code');
  const [code, setCode] = useState<string>();
  return (
    <Page title={t.title} about={t.about}>
      {code === undefined ? (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            setCode(String(new FormData(event.currentTarget).get('code')));
          }}
        >
          <Field name="code" label={t.code} defaultValue={given} autoComplete="off" required autoFocus />
          <div className="form-end">
            <Button type="submit" kind="primary">
              {t.look}
            </Button>
          </div>
        </form>
      ) : (
        <Decide userCode={code} onBack={() => setCode(undefined)} />
      )}
    </Page>
  );
}

function Decide({ userCode, onBack }: { userCode: string; onBack: () => void }) {
  const device = useRead('tunnelDevice.preview', { userCode }, { staleTime: Number.POSITIVE_INFINITY });
  const { data: organizations = [] } = useRead('organization.all', { activeOnly: true });
  const approve = useAct('tunnelDevice.approve', { sample: { userCode } });
  const deny = useAct('tunnelDevice.deny', { sample: { userCode } });
  if (approve.isSuccess) return <Notice>{t.approved}</Notice>;
  if (deny.isSuccess) return <Notice>{t.denied}</Notice>;
  if (device.data === undefined) {
    if (device.error === null) return <Skeleton />;
    return (
      <>
        <Problem>{device.error.message}</Problem>
        <Button onClick={onBack}>{t.another}</Button>
      </>
    );
  }
  return (
    <>
      <Notice>{t.asks(device.data.name, device.data.ipAddress ?? t.unknown)}</Notice>
      <Form
        act={approve}
        input={(values) => ({ userCode, organizationId: values.given('organizationId') })}
        submit={t.approve}
      >
        <Select
          name="organizationId"
          label={t.forWhom}
          options={[
            { value: OWN, label: t.own },
            ...organizations.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      </Form>
      <Button kind="danger" isBusy={deny.isPending} onClick={() => deny.mutate({ userCode })}>
        {t.deny}
      </Button>
      {deny.error !== null && <Problem>{deny.error.message}</Problem>}
    </>
  );
}
