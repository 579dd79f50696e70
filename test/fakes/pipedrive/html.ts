/** A tagged template for the stand-in's pages: every value is escaped unless it is itself made by the template. */

export type Html = { readonly html: string };
type Piece = Html | string | number | null | false | undefined | readonly Piece[];

export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { html: strings.map((text, index) => text + render(pieces[index])).join('') };
}

function render(piece: Piece): string {
  if (piece === null || piece === false || piece === undefined) return '';
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece));
  if ('html' in piece) return piece.html;
  return piece.map(render).join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
