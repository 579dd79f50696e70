// Draws one widget of a card as Google Chat does.
import type {
  BorderStyle,
  Button,
  Chip,
  Column,
  ColumnWidget,
  DecoratedText,
  Grid,
  GridItem,
  Image,
  OnClick,
  TextParagraph,
  Widget,
} from './chat-message';
import { drawCardText } from './draw-card-text';
import { drawChatMarkup } from './draw-chat-markup';
import { drawIcon, drawMaterialIcon } from './draw-icon';
import { drawLink, escapeHtml } from './escape-html';

/** @param id unique in the page; for the controls that show and hide */
export function drawWidget(widget: Widget, id: string): string {
  const drawn = drawKind(widget, id);
  return widget.horizontalAlignment === undefined
    ? drawn
    : `<div class="gc-align-${widget.horizontalAlignment.toLowerCase()}">${drawn}</div>`;
}

function drawKind(widget: Widget, id: string): string {
  if (widget.divider) {
    return '<hr class="gc-divider">';
  }
  if (widget.columns) {
    return `<div class="gc-columns">${widget.columns.columnItems.map((column, index) => drawColumn(column, `${id}-${index}`)).join('')}</div>`;
  }
  if (widget.grid) {
    return drawGrid(widget.grid);
  }
  return drawColumnWidget(widget, id);
}

function drawColumnWidget(widget: ColumnWidget, id: string): string {
  if (widget.textParagraph) {
    return drawParagraph(widget.textParagraph, id);
  }
  if (widget.decoratedText) {
    return drawDecoratedText(widget.decoratedText);
  }
  if (widget.buttonList) {
    return `<div class="gc-buttons">${widget.buttonList.buttons.map(drawButton).join('')}</div>`;
  }
  if (widget.chipList) {
    const scrolls = widget.chipList.layout === 'HORIZONTAL_SCROLLABLE' ? ' gc-scrolls' : '';
    return `<div class="gc-chips${scrolls}">${widget.chipList.chips.map(drawChip).join('')}</div>`;
  }
  return widget.image ? drawImage(widget.image) : '';
}

function drawParagraph(paragraph: TextParagraph, id: string): string {
  const inner = drawText(paragraph);
  const { maxLines, text } = paragraph;
  if (maxLines === undefined) {
    return `<div class="gc-paragraph">${inner}</div>`;
  }
  // About 60 characters fit in a line; Chat measures, a server cannot.
  const isLong = text.split(/\n|<br\/?>/).reduce((lines, line) => lines + Math.max(1, Math.ceil(line.length / 60)), 0) > maxLines;
  const control = isLong
    ? `<label class="gc-more" for="${id}"><span class="gc-when-closed">Show more</span><span class="gc-when-open">Show less</span></label>`
    : '';
  return `<div class="gc-paragraph">${isLong ? `<input class="gc-switch" type="checkbox" id="${id}">` : ''}<div class="gc-clamped" style="--lines:${maxLines}">${inner}</div>${control}</div>`;
}

function drawText({ text, textSyntax }: TextParagraph): string {
  return textSyntax === 'MARKDOWN' ? drawChatMarkup(text, 'markdown') : drawCardText(text);
}

function drawDecoratedText(row: DecoratedText): string {
  const top = row.topLabelText ? drawText(row.topLabelText) : escapeHtml(row.topLabel ?? '');
  const bottom = row.bottomLabelText ? drawText(row.bottomLabelText) : escapeHtml(row.bottomLabel ?? '');
  const content = row.contentText ? drawText(row.contentText) : drawCardText(row.text ?? '');
  const labels = [
    top && `<div class="gc-top-label">${top}</div>`,
    `<div class="${row.wrapText ? 'gc-wraps' : 'gc-truncates'}">${content}</div>`,
    bottom && `<div class="gc-bottom-label">${bottom}</div>`,
  ].join('');
  const link = row.onClick?.openLink ? drawLink(row.onClick.openLink.url, '', ` class="gc-row-link" aria-label="Open"`) : '';
  const trailing = [row.button ? drawButton(row.button) : '', row.endIcon ? drawIcon(row.endIcon, 24) : ''].join('');
  return [
    `<div class="gc-decorated gc-icon-${(row.startIconVerticalAlignment ?? 'MIDDLE').toLowerCase()}">`,
    row.startIcon ? `<div class="gc-start">${drawIcon(row.startIcon, 24)}</div>` : '',
    `<div class="gc-labels">${labels}${link}</div>`,
    trailing && `<div class="gc-end">${trailing}</div>`,
    '</div>',
  ].join('');
}

function drawButton(button: Button): string {
  const type = button.color ? 'FILLED' : (button.type ?? 'OUTLINED');
  const look = `gc-button gc-${type.toLowerCase().replace('_', '-')}${button.text === undefined ? ' gc-icon-only' : ''}`;
  const color = button.color ? ` style="background:${cssColor(button.color)};color:#fff"` : '';
  const inner = `${button.icon ? drawIcon(button.icon, 18) : ''}${escapeHtml(button.text ?? '')}`;
  const label = button.altText === undefined ? '' : ` title="${escapeHtml(button.altText)}"`;
  if (button.disabled) {
    return `<span class="${look} gc-disabled"${label}>${inner}</span>`;
  }
  return drawClickable(button.onClick, inner, ` class="${look}"${color}${label}`);
}

function drawClickable(onClick: OnClick, inner: string, attributes: string): string {
  if (onClick.openLink) {
    return drawLink(onClick.openLink.url, inner, attributes);
  }
  const items = (onClick.overflowMenu?.items ?? []).map(
    (item) => `<li>${drawClickable(item.onClick, escapeHtml(item.text), '')}</li>`,
  );
  return `<details class="gc-menu"><summary${attributes}>${inner || drawMaterialIcon('more_vert', 18)}</summary><ul>${items.join('')}</ul></details>`;
}

function drawChip(chip: Chip): string {
  const inner = `${chip.icon ? drawIcon(chip.icon, 18) : ''}${escapeHtml(chip.label)}`;
  const look = ` class="gc-chip${chip.disabled ? ' gc-disabled' : ''}"`;
  return chip.onClick && !chip.disabled ? drawClickable(chip.onClick, inner, look) : `<span${look}>${inner}</span>`;
}

function drawColumn(column: Column, id: string): string {
  const size = column.horizontalSizeStyle === 'FILL_MINIMUM_SPACE' ? 'gc-minimum' : 'gc-available';
  const places = `gc-align-${(column.horizontalAlignment ?? 'START').toLowerCase()} gc-vertical-${(column.verticalAlignment ?? 'CENTER').toLowerCase()}`;
  return `<div class="gc-column ${size} ${places}">${column.widgets.map((widget, index) => drawColumnWidget(widget, `${id}-${index}`)).join('')}</div>`;
}

function drawImage(image: Image): string {
  const picture = `<img class="gc-image" src="${escapeHtml(image.imageUrl)}" alt="${escapeHtml(image.altText ?? '')}">`;
  return image.onClick ? drawClickable(image.onClick, picture, '') : picture;
}

function drawGrid(grid: Grid): string {
  const title = grid.title ? `<div class="gc-grid-title">${escapeHtml(grid.title)}</div>` : '';
  const items = grid.items.map((item) => drawGridItem(item, borderCss(grid.borderStyle)));
  const drawn = `${title}<div class="gc-grid" style="--columns:${grid.columnCount ?? 2}">${items.join('')}</div>`;
  return grid.onClick?.openLink ? drawLink(grid.onClick.openLink.url, drawn, ' class="gc-grid-link"') : drawn;
}

function drawGridItem(item: GridItem, border: string): string {
  const crop = (item.image?.cropStyle?.type ?? 'SQUARE').toLowerCase().replaceAll('_', '-');
  const image = item.image
    ? `<img class="gc-crop-${crop}" style="${borderCss(item.image.borderStyle)}" src="${escapeHtml(item.image.imageUri)}" alt="${escapeHtml(item.image.altText ?? '')}">`
    : '';
  const words = `<div class="gc-item-title">${escapeHtml(item.title ?? '')}</div><div class="gc-item-subtitle">${escapeHtml(item.subtitle ?? '')}</div>`;
  return `<div class="gc-grid-item" style="${border}">${item.layout === 'TEXT_ABOVE' ? words + image : image + words}</div>`;
}

function borderCss(border: BorderStyle | undefined): string {
  const radius = border?.cornerRadius === undefined ? '' : `border-radius:${border.cornerRadius}px;`;
  return border?.type === 'STROKE'
    ? `${radius}border:1px solid ${border.strokeColor ? cssColor(border.strokeColor) : 'var(--gc-border)'};`
    : radius;
}

function cssColor({ red = 0, green = 0, blue = 0 }: NonNullable<Button['color']>): string {
  return `rgb(${[red, green, blue].map((share) => Math.round(share * 255)).join(' ')})`;
}
