// Draws the icons of cards, and lists the names that it cannot draw.
import type { ChatMessage, Icon } from './chat-message';
import { escapeHtml } from './escape-html';
import { iconAliases, materialIconPaths } from './material-icons';

const knownIcons: Readonly<Record<string, string>> = {
  BOOKMARK: 'bookmark',
  CLOCK: 'schedule',
  DESCRIPTION: 'description',
  DOLLAR: 'attach_money',
  EMAIL: 'mail',
  INVITE: 'person_add',
  MAP_PIN: 'place',
  MEMBERSHIP: 'account_circle',
  MULTIPLE_PEOPLE: 'group',
  PERSON: 'person',
  PHONE: 'call',
  SHOPPING_CART: 'shopping_cart',
  STAR: 'star',
  STORE: 'business',
  TICKET: 'sell',
  VIDEO_CAMERA: 'videocam',
  VIDEO_PLAY: 'videocam',
};

const neutralDot = 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z';

/** @param sizePx edge of the square that the icon fills */
export function drawIcon(icon: Icon, sizePx = 20): string {
  if (icon.iconUrl !== undefined) {
    const shape = icon.imageType === 'CIRCLE' ? ' gc-circle' : '';
    return `<img class="gc-icon-image${shape}" src="${escapeHtml(icon.iconUrl)}" alt="${escapeHtml(icon.altText ?? '')}">`;
  }
  return drawMaterialIcon(icon.materialIcon?.name ?? knownIcons[icon.knownIcon ?? ''] ?? '', sizePx, icon.altText);
}

export function drawMaterialIcon(name: string, sizePx = 20, altText?: string): string {
  const label = altText === undefined ? 'aria-hidden="true"' : `role="img" aria-label="${escapeHtml(altText)}"`;
  return `<svg class="gc-icon" viewBox="0 0 24 24" width="${sizePx}" height="${sizePx}" data-icon="${escapeHtml(name)}" ${label}><path fill-rule="evenodd" d="${pathOf(name) ?? neutralDot}"/></svg>`;
}

/** Material icon names anywhere in the message that the pages draw as a dot. */
export function unknownIconsOf(message: ChatMessage | undefined): readonly string[] {
  return message ? materialNames(message.cardsV2 ?? []).filter((name) => pathOf(name) === undefined) : [];
}

function pathOf(name: string): string | undefined {
  return materialIconPaths.get(iconAliases.get(name) ?? name);
}

function materialNames(part: object): readonly string[] {
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value !== 'object' || value === null) {
      return [];
    }
    const ownName = key === 'materialIcon' && 'name' in value && typeof value.name === 'string' ? [value.name] : [];
    return [...ownName, ...materialNames(value)];
  });
}
