// Turns any text into harmless HTML text; the one place where the stand-in's pages escape.
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const namedCharacters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00A0' };

/** Safe in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** Reads the few entities that card text may contain; unknown ones stay as they are. */
export function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi,
    (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) {
        return namedCharacters[name] ?? whole;
      }
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(decimal, 10);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** The address when a person may be sent there (http, https, mailto), else undefined. */
export function safeAddress(address: string): string | undefined {
  return /^(?:https?:\/\/[^\s/?#]+|mailto:[^\s@]+@)[^\s]*$/i.test(address) ? address : undefined;
}

export function drawLink(address: string, innerHtml: string, attributes = ''): string {
  return `<a href="${escapeHtml(address)}" target="_blank" rel="noopener noreferrer"${attributes}>${innerHtml}</a>`;
}
