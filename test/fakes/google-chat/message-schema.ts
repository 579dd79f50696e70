// The strict JSON schema of what a webhook may post: anything that real Chat refuses, drops silently or blanks is an error here.
// Source: developers.google.com/workspace/chat/api/reference/rest/v1/cards, narrowed to what an incoming webhook can use.

const nonEmptyText = { type: 'string', minLength: 1 } as const;
const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
// A relative or http link makes the whole card vanish in real Chat, with status 200.
const httpsUrl = { type: 'string', pattern: '^https://[^\\s/?#]+([/?#][^\\s]*)?$', maxLength: 2048 } as const;
const alignment = { enum: ['START', 'CENTER', 'END'] } as const;
const imageType = { enum: ['SQUARE', 'CIRCLE'] } as const;
const fraction = { type: 'number', minimum: 0, maximum: 1 } as const;

const knownIcons = [
  ...['AIRPLANE', 'BOOKMARK', 'BUS', 'CAR', 'CLOCK', 'CONFIRMATION_NUMBER_ICON', 'DESCRIPTION', 'DOLLAR', 'EMAIL', 'EVENT_SEAT'],
  ...['FLIGHT_ARRIVAL', 'FLIGHT_DEPARTURE', 'HOTEL', 'HOTEL_ROOM_TYPE', 'INVITE', 'MAP_PIN', 'MEMBERSHIP', 'MULTIPLE_PEOPLE'],
  ...['PERSON', 'PHONE', 'RESTAURANT_ICON', 'SHOPPING_CART', 'STAR', 'STORE', 'TICKET', 'TRAIN', 'VIDEO_CAMERA', 'VIDEO_PLAY'],
] as const;

const columnWidgetKinds = ['textParagraph', 'image', 'decoratedText', 'buttonList', 'chipList'] as const;
const widgetKinds = [...columnWidgetKinds, 'divider', 'columns', 'grid'] as const;

/** Draft-07 schema of a google.chat.v1.Message as an incoming webhook may send it. */
export const messageSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $ref: '#/definitions/message',
  definitions: {
    message: {
      ...strictObject({
        text: nonEmptyText,
        cardsV2: listOf('cardWithId', { minItems: 1 }),
        fallbackText: text,
        thread: strictObject({ threadKey: { type: 'string', minLength: 1, maxLength: 4000 } }, ['threadKey']),
        markupSyntax: { enum: ['MARKUP_SYNTAX_CHAT', 'MARKUP_SYNTAX_MARKDOWN'] },
      }),
      anyOf: [{ required: ['text'] }, { required: ['cardsV2'] }],
    },
    ...cardDefinitions(),
    ...textDefinitions(),
    ...clickDefinitions(),
    ...layoutDefinitions(),
  },
};

function cardDefinitions() {
  return {
    cardWithId: strictObject({ cardId: nonEmptyText, card: ref('card') }, ['cardId', 'card']),
    card: strictObject(
      {
        header: ref('cardHeader'),
        sections: listOf('section', { minItems: 1 }),
        sectionDividerStyle: { enum: ['SOLID_DIVIDER', 'NO_DIVIDER'] },
      },
      ['sections'],
    ),
    cardHeader: strictObject({ title: nonEmptyText, subtitle: text, imageType, imageUrl: httpsUrl, imageAltText: text }, [
      'title',
    ]),
    section: strictObject(
      {
        header: text,
        widgets: listOf('widget', { minItems: 1 }),
        collapsible: flag,
        uncollapsibleWidgetsCount: { type: 'integer', minimum: 0 },
        collapseControl: ref('collapseControl'),
      },
      ['widgets'],
    ),
    collapseControl: {
      ...strictObject({ horizontalAlignment: alignment, expandButton: ref('button'), collapseButton: ref('button') }),
      dependencies: { expandButton: ['collapseButton'], collapseButton: ['expandButton'] },
    },
    widget: {
      ...strictObject({ ...kindProperties(widgetKinds), horizontalAlignment: alignment }),
      oneOf: exactlyOne(widgetKinds),
    },
  };
}

function textDefinitions() {
  return {
    textParagraph: strictObject(
      { text: nonEmptyText, maxLines: { type: 'integer', minimum: 1 }, textSyntax: { enum: ['HTML', 'MARKDOWN'] } },
      ['text'],
    ),
    decoratedText: {
      ...strictObject({
        startIcon: ref('icon'),
        startIconVerticalAlignment: { enum: ['TOP', 'MIDDLE', 'BOTTOM'] },
        topLabel: text,
        topLabelText: ref('textParagraph'),
        text: nonEmptyText,
        contentText: ref('textParagraph'),
        wrapText: flag,
        bottomLabel: text,
        bottomLabelText: ref('textParagraph'),
        onClick: ref('onClick'),
        button: ref('button'),
        endIcon: ref('icon'),
      }),
      oneOf: exactlyOne(['text', 'contentText']),
      not: { required: ['button', 'endIcon'] },
    },
    icon: {
      ...strictObject({
        knownIcon: { enum: knownIcons },
        iconUrl: httpsUrl,
        materialIcon: ref('materialIcon'),
        altText: text,
        imageType,
      }),
      oneOf: exactlyOne(['knownIcon', 'iconUrl', 'materialIcon']),
    },
    materialIcon: strictObject(
      {
        name: { type: 'string', pattern: '^[a-z0-9_]+$' },
        fill: flag,
        weight: { enum: [100, 200, 300, 400, 500, 600, 700] },
        grade: { enum: [-25, 0, 200] },
      },
      ['name'],
    ),
    image: strictObject({ imageUrl: httpsUrl, altText: text, onClick: ref('onClick') }, ['imageUrl']),
  };
}

function clickDefinitions() {
  const buttonProperties = {
    text: nonEmptyText,
    icon: ref('icon'),
    color: ref('color'),
    onClick: ref('onClick'),
    disabled: flag,
    altText: text,
    type: { enum: ['OUTLINED', 'FILLED', 'FILLED_TONAL', 'BORDERLESS'] },
  };
  return {
    // An empty onClick makes the whole card vanish, so exactly one action is asked for.
    onClick: {
      ...strictObject({ openLink: strictObject({ url: httpsUrl }, ['url']), overflowMenu: ref('overflowMenu') }),
      oneOf: exactlyOne(['openLink', 'overflowMenu']),
    },
    overflowMenu: strictObject({ items: listOf('overflowMenuItem', { minItems: 1 }) }, ['items']),
    overflowMenuItem: strictObject({ startIcon: ref('icon'), text: nonEmptyText, onClick: ref('onClick'), disabled: flag }, [
      'text',
      'onClick',
    ]),
    button: { ...strictObject(buttonProperties, ['onClick']), anyOf: [{ required: ['text'] }, { required: ['icon'] }] },
    buttonList: strictObject({ buttons: listOf('button', { minItems: 1 }) }, ['buttons']),
    chipList: strictObject({ layout: { enum: ['WRAPPED', 'HORIZONTAL_SCROLLABLE'] }, chips: listOf('chip', { minItems: 1 }) }, [
      'chips',
    ]),
    chip: strictObject({ icon: ref('icon'), label: nonEmptyText, onClick: ref('onClick'), disabled: flag, altText: text }, [
      'label',
    ]),
    color: strictObject({ red: fraction, green: fraction, blue: fraction, alpha: fraction }),
  };
}

function layoutDefinitions() {
  return {
    divider: strictObject({}),
    columns: strictObject({ columnItems: listOf('column', { minItems: 1, maxItems: 2 }) }, ['columnItems']),
    column: strictObject(
      {
        horizontalSizeStyle: { enum: ['FILL_AVAILABLE_SPACE', 'FILL_MINIMUM_SPACE'] },
        horizontalAlignment: alignment,
        verticalAlignment: { enum: ['CENTER', 'TOP', 'BOTTOM'] },
        widgets: listOf('columnWidget', { minItems: 1 }),
      },
      ['widgets'],
    ),
    columnWidget: { ...strictObject(kindProperties(columnWidgetKinds)), oneOf: exactlyOne(columnWidgetKinds) },
    grid: strictObject(
      {
        title: text,
        items: listOf('gridItem', { minItems: 1 }),
        borderStyle: ref('borderStyle'),
        columnCount: { type: 'integer', minimum: 1 },
        onClick: ref('onClick'),
      },
      ['items'],
    ),
    gridItem: strictObject({
      id: text,
      image: ref('gridImage'),
      title: text,
      subtitle: text,
      layout: { enum: ['TEXT_BELOW', 'TEXT_ABOVE'] },
    }),
    gridImage: strictObject({ imageUri: httpsUrl, altText: text, cropStyle: ref('cropStyle'), borderStyle: ref('borderStyle') }, [
      'imageUri',
    ]),
    cropStyle: strictObject({
      type: { enum: ['SQUARE', 'CIRCLE', 'RECTANGLE_CUSTOM', 'RECTANGLE_4_3'] },
      aspectRatio: { type: 'number' },
    }),
    borderStyle: strictObject({
      type: { enum: ['NO_BORDER', 'STROKE'] },
      strokeColor: ref('color'),
      cornerRadius: { type: 'integer' },
    }),
  };
}

function strictObject(properties: object, required: readonly string[] = []) {
  return { type: 'object', additionalProperties: false, properties, ...(required.length > 0 ? { required } : {}) };
}

function ref(name: string) {
  return { $ref: `#/definitions/${name}` };
}

function listOf(name: string, bounds: { minItems?: number; maxItems?: number }) {
  return { type: 'array', items: ref(name), ...bounds };
}

function kindProperties(kinds: readonly string[]) {
  return Object.fromEntries(kinds.map((kind) => [kind, ref(kind)]));
}

function exactlyOne(names: readonly string[]) {
  return names.map((name) => ({ required: [name] }));
}
