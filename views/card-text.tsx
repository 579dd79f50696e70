/** The small HTML of card texts and Chat's own markup, drawn as elements; whatever is outside of them stands as text. */

import type { ComponentChildren, VNode } from 'preact';
import { toneOfColour } from '../src/messages/rich-text';

/** Opens in a tab of its own; an address that is none of the web is drawn as text. */
export function WebLink({
  url,
  look,
  children,
}: {
  readonly url: string;
  readonly look?: string;
  readonly children: ComponentChildren;
}): VNode {
  if (!/^https?:\/\//i.test(url)) return <span class={look}>{children}</span>;
  return (
    <a class={look} href={url} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

interface Open {
  readonly name: string;
  readonly attributes: string;
  readonly children: ComponentChildren[];
}

const TAG = /<(\/?)(b|i|u|s|br|font|a)((?:\s+[a-z]+="[^"]*")*)\s*\/?>/gi;

/** A text of a card. */
export function CardText({ html }: { readonly html: string }): VNode {
  const stack: Open[] = [{ name: '', attributes: '', children: [] }];
  const add = (child: ComponentChildren) => stack.at(-1)?.children.push(child);
  const close = () => {
    const done = stack.pop();
    if (done !== undefined) add(drawn(done));
  };
  let position = 0;
  for (const match of html.matchAll(TAG)) {
    const [whole, slash = '', given = '', attributes = ''] = match;
    const name = given.toLowerCase();
    add(decoded(html.slice(position, match.index)));
    position = match.index + whole.length;
    if (name === 'br') add(<br />);
    else if (slash === '') stack.push({ name, attributes, children: [] });
    else if (stack.some((open) => open.name === name)) {
      while (stack.at(-1)?.name !== name) close();
      close();
    }
  }
  add(decoded(html.slice(position)));
  while (stack.length > 1) close();
  return <>{stack[0]?.children}</>;
}

function drawn({ name, attributes, children }: Open): ComponentChildren {
  const value = decoded(/="([^"]*)"/.exec(attributes)?.[1] ?? '');
  switch (name) {
    case 'b':
      return <b>{children}</b>;
    case 'i':
      return <i>{children}</i>;
    case 'u':
      return <u>{children}</u>;
    case 's':
      return <s>{children}</s>;
    case 'a':
      return <WebLink url={value}>{children}</WebLink>;
    default:
      return <span class={`chat-tone-${toneOfColour(value) ?? 'none'}`}>{children}</span>;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function decoded(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

const MARKUP = /\*([^*\n]+)\*|_([^_\n]+)_|<(https?:\/\/[^|>\s]+)\|([^>]+)>|(https?:\/\/[^\s<>]+)|(\n)/g;

/** The text of a message in Chat's markup. */
export function ChatText({ text }: { readonly text: string }): VNode {
  const parts: ComponentChildren[] = [];
  let position = 0;
  for (const match of text.matchAll(MARKUP)) {
    const [whole, bold, slanted, address, label, bare] = match;
    parts.push(text.slice(position, match.index));
    position = match.index + whole.length;
    if (bold !== undefined) parts.push(<b>{bold}</b>);
    else if (slanted !== undefined) parts.push(<i>{slanted}</i>);
    else if (address !== undefined) parts.push(<WebLink url={address}>{label}</WebLink>);
    else if (bare !== undefined) parts.push(<WebLink url={bare}>{bare}</WebLink>);
    else parts.push(<br />);
  }
  return (
    <>
      {parts}
      {text.slice(position)}
    </>
  );
}
