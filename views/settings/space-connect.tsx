/** Connecting a space, and giving it a new webhook: the way to a webhook in Google Chat, with pictures, and the form for it. */

import type { VNode } from 'preact';
import { assetUrl } from '../../src/platform/asset-files';
import { Back } from '../components';
import { errorAt, PageForm, RefusalBox, TextField, type Refusal } from '../form';
import { pageUrl } from '../shell';
import { SPACE_LABELS } from './space-labels';
import type { SpaceView } from './spaces';
import { TestResult, type TestView } from './test-result';

export interface NewSpaceView {
  readonly name: string;
  readonly url: string;
  readonly refusal: Refusal | null;
  readonly test: TestView | null;
  /** Beside the first run, which goes on afterwards. */
  readonly isFirstRun: boolean;
}

/** Connecting a space, on the page of the spaces. */
export function NewSpace(view: NewSpaceView): VNode {
  return (
    <>
      <Back to={pageUrl(view.isFirstRun ? 'overview' : 'spaces')} />
      <h1>Add a space</h1>
      <div class="card">
        <ConnectSpace view={view} action={pageUrl('spaces', 'new')} testAction={pageUrl('spaces', 'try')} />
      </div>
    </>
  );
}

/** The form itself with the way to a webhook; the first run shows it too. */
export function ConnectSpace({
  view: { name, url, refusal, test, isFirstRun },
  action,
  testAction,
}: {
  readonly view: NewSpaceView;
  readonly action: string;
  readonly testAction: string;
}): VNode {
  return (
    <div class="connect">
      <HowTo />
      <PageForm id="space-form" action={action}>
        <RefusalBox refusal={refusal} labels={SPACE_LABELS} />
        {isFirstRun && <input type="hidden" name="return" value="overview" />}
        <UrlField
          url={url}
          refusal={refusal}
          hint="The link that Google Chat gave you. It is kept encrypted and never shown again."
        />
        <TextField
          {...SPACE_LABELS.name}
          name="name"
          value={name}
          required
          maxLength={100}
          placeholder="Sales wins"
          hint="Use the name it has in Google Chat."
          error={errorAt(refusal, 'name')}
        />
        <TestResult test={test} />
        <div class="actions">
          <button id="save-space">Save space</button>
          <button id="try-space" class="secondary" formaction={testAction} formNoValidate>
            Send test card
          </button>
        </div>
      </PageForm>
    </div>
  );
}

function UrlField({ url, refusal, hint }: Pick<NewSpaceView, 'url' | 'refusal'> & { readonly hint: string }): VNode {
  return (
    <TextField
      {...SPACE_LABELS.url}
      name="url"
      value={url}
      required
      maxLength={2000}
      placeholder="https://chat.googleapis.com/v1/spaces/…"
      hint={hint}
      error={errorAt(refusal, 'url')}
    />
  );
}

const STEPS = [
  {
    picture: 'images/webhook-1.svg',
    text: 'In Google Chat, open the space, click its name at the top and choose Apps & integrations.',
  },
  { picture: 'images/webhook-2.svg', text: 'Choose Add webhooks, name it Dealbell and save.' },
  { picture: 'images/webhook-3.svg', text: 'Click the three dots beside it, choose Copy link, and paste it here.' },
] as const;

function HowTo(): VNode {
  return (
    <ol class="howto" aria-label="How it is done in Google Chat">
      {STEPS.map(({ picture, text }) => (
        <li>
          <img src={assetUrl(picture)} alt="" width="240" height="132" />
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}

export interface ReplaceUrlView {
  readonly space: SpaceView;
  readonly url: string;
  readonly refusal: Refusal | null;
  readonly test: TestView | null;
}

/** Repairing a space: the new webhook, and what happens with what waits. */
export function ReplaceUrl({ space, url, refusal, test }: ReplaceUrlView): VNode {
  return (
    <>
      <Back to={pageUrl('spaces', space.id)} />
      <h1>Replace the URL of {space.name}</h1>
      <p class={space.tone === 'bad' ? 'problem' : 'quiet'}>{space.reason}</p>
      <div class="card connect">
        <HowTo />
        <PageForm id="url-form" action={pageUrl('spaces', `${space.id}/url`)}>
          <RefusalBox refusal={refusal} labels={SPACE_LABELS} />
          <UrlField
            url={url}
            refusal={refusal}
            hint="Rules and settings stay. Messages that wait for this space are sent to the new URL at once."
          />
          <TestResult test={test} />
          <div class="actions">
            <button id="save-url">Replace URL</button>
            <button id="try-url" class="secondary" formaction={pageUrl('spaces', `${space.id}/try`)}>
              Send test card
            </button>
            <a class="button secondary" href={pageUrl('spaces', space.id)}>
              Cancel
            </a>
          </div>
        </PageForm>
      </div>
    </>
  );
}
