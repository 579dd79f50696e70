/** When a space takes no messages. */

import type { VNode } from 'preact';
import { CheckField, errorAt, SelectField, TextField, type Refusal } from '../form';
import { SPACE_LABELS } from './space-labels';

export interface QuietHoursView {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
  readonly days: readonly string[];
  readonly businessDays: readonly string[];
}

export function QuietHours({ quiet, refusal }: { readonly quiet: QuietHoursView; readonly refusal: Refusal | null }): VNode {
  return (
    <section class="card" aria-labelledby="quiet">
      <h2 id="quiet">Quiet hours</h2>
      <p class="quiet">Leave the times empty for none. They may run past midnight.</p>
      <div class="columns narrow">
        <TextField
          {...SPACE_LABELS['quietHours.from']}
          name="quietFrom"
          type="time"
          value={quiet.from}
          error={errorAt(refusal, 'quietHours.from')}
        />
        <TextField
          {...SPACE_LABELS['quietHours.to']}
          name="quietTo"
          type="time"
          value={quiet.to}
          error={errorAt(refusal, 'quietHours.to')}
        />
      </div>
      <div class="columns narrow">
        <SelectField
          id="quiet-mode"
          label="Messages that come then"
          name="quietMode"
          value={quiet.mode}
          options={[
            { value: 'hold', label: 'Send afterwards, all in one' },
            { value: 'drop', label: 'Discard' },
          ]}
        />
      </div>
      <Days legend="Quiet hours begin on" name="quietDays" chosen={quiet.days} error={errorAt(refusal, 'quietHours.days')} />
      <Days
        legend="Working days (on the others it is quiet all day)"
        name="businessDays"
        chosen={quiet.businessDays}
        error={errorAt(refusal, 'quietHours.businessDays')}
      />
    </section>
  );
}

const DAYS = [
  ['mon', 'Mon'],
  ['tue', 'Tue'],
  ['wed', 'Wed'],
  ['thu', 'Thu'],
  ['fri', 'Fri'],
  ['sat', 'Sat'],
  ['sun', 'Sun'],
] as const;
function Days({
  legend,
  name,
  chosen,
  error,
}: {
  readonly legend: string;
  readonly name: string;
  readonly chosen: readonly string[];
  readonly error: string | undefined;
}): VNode {
  return (
    <fieldset class="days">
      <legend>{legend}</legend>
      {DAYS.map(([value, label]) => (
        <CheckField id={`${name}-${value}`} name={name} value={value} label={label} checked={chosen.includes(value)} />
      ))}
      {error !== undefined && <p class="field-error">{error}</p>}
    </fieldset>
  );
}
