// Messages that Google Chat takes, and broken ones, for comparing the stand-in's schema with the shared one.
const openLink = { openLink: { url: 'https://acme.pipedrive.com/deal/42' } };
const button = { text: 'Open deal', onClick: openLink };
const trophy = { materialIcon: { name: 'emoji_events', fill: true } };

export const validMessages: Readonly<Record<string, object>> = {
  'plain text': { text: 'hello', markupSyntax: 'MARKUP_SYNTAX_CHAT', fallbackText: 'hello' },
  'a text in a thread': { text: 'hello', thread: { threadKey: 'pd-1-deal-2' } },
  'a compact card': card(
    [
      {
        widgets: [
          {
            decoratedText: {
              startIcon: trophy,
              topLabel: 'Ana',
              text: '<b>€1</b>',
              bottomLabel: 'Won',
              button: { ...button, type: 'BORDERLESS' },
            },
          },
        ],
      },
    ],
    {
      header: { title: 'Deal won', subtitle: 'Acme' },
    },
  ),
  'a detailed card': card(
    [
      {
        widgets: [
          {
            columns: {
              columnItems: [
                { widgets: [{ decoratedText: { text: 'a', wrapText: true } }] },
                {
                  horizontalSizeStyle: 'FILL_MINIMUM_SPACE',
                  verticalAlignment: 'TOP',
                  widgets: [{ textParagraph: { text: 'b' } }],
                },
              ],
            },
          },
        ],
      },
      {
        header: 'Details',
        collapsible: true,
        uncollapsibleWidgetsCount: 1,
        widgets: [{ divider: {} }, { textParagraph: { text: 'note', maxLines: 4, textSyntax: 'HTML' } }],
      },
      {
        widgets: [
          {
            buttonList: {
              buttons: [
                { ...button, type: 'FILLED', icon: trophy },
                { ...button, color: { red: 1, green: 0.5 } },
              ],
            },
            horizontalAlignment: 'CENTER',
          },
        ],
      },
    ],
    {
      header: { title: 'Won', imageUrl: 'https://cdn.example/won.png', imageType: 'CIRCLE', imageAltText: 'won' },
      sectionDividerStyle: 'NO_DIVIDER',
    },
  ),
  'a card with pictures, chips and a grid': widgets(
    { image: { imageUrl: 'https://cdn.example/a.png', altText: 'a', onClick: openLink } },
    { chipList: { layout: 'WRAPPED', chips: [{ label: 'Hot', icon: { knownIcon: 'STAR' } }] } },
    {
      grid: {
        title: 'Top',
        columnCount: 2,
        items: [
          {
            id: '1',
            title: 'Ana',
            subtitle: 'x',
            layout: 'TEXT_BELOW',
            image: { imageUri: 'https://cdn.example/a.png', cropStyle: { type: 'CIRCLE' } },
          },
        ],
        borderStyle: { type: 'STROKE', cornerRadius: 4 },
      },
    },
  ),
  'a card with labels as paragraphs and a menu': widgets(
    {
      decoratedText: {
        topLabelText: { text: 'a' },
        contentText: { text: 'b', textSyntax: 'MARKDOWN' },
        bottomLabelText: { text: 'c' },
        endIcon: { iconUrl: 'https://cdn.example/i.png' },
      },
    },
    {
      buttonList: {
        buttons: [{ icon: trophy, altText: 'menu', onClick: { overflowMenu: { items: [{ text: 'Open', onClick: openLink }] } } }],
      },
    },
  ),
};

/** `sharedIsLaxer`: the generated schema lets it pass, the stand-in is stricter on purpose. */
export const brokenMessages: Readonly<Record<string, { readonly message: unknown; readonly sharedIsLaxer?: boolean }>> = {
  'no content': { message: { fallbackText: 'x' } },
  'an empty text': { message: { text: '' } },
  'a number as text': { message: { text: 7 } },
  'a list as message': { message: [] },
  'an unknown markup syntax': { message: { text: 'x', markupSyntax: 'HTML' } },
  'cards of version 1': { message: { cards: [{}] } },
  'accessory widgets': { message: { text: 'x', accessoryWidgets: [] } },
  'an empty thread key': { message: { text: 'x', thread: { threadKey: '' } } },
  'no card id': { message: { cardsV2: [{ card: { sections: [{ widgets: [{ divider: {} }] }] } }] } },
  'no sections': { message: card([]) },
  'an empty section': { message: card([{ widgets: [] }]) },
  'a fixed footer': { message: card([{ widgets: [{ divider: {} }] }], { fixedFooter: {} }) },
  'a header without title': { message: card([{ widgets: [{ divider: {} }] }], { header: { subtitle: 'x' } }) },
  'a misspelt image address': {
    message: card([{ widgets: [{ divider: {} }] }], { header: { title: 'x', imageURL: 'https://a.example/b.png' } }),
  },
  'an http image': { message: widgets({ image: { imageUrl: 'http://a.example/b.png' } }) },
  'a relative link': { message: linkTo('/deal/1') },
  'an http link': { message: linkTo('http://acme.pipedrive.com/deal/1') },
  'a link to localhost': { message: linkTo('http://localhost:3000/deal/1') },
  'a link to the loopback address': { message: linkTo('http://127.0.0.1:3000/deal/1') },
  'a javascript link': { message: linkTo('javascript:alert(1)') },
  'a link with a space': { message: linkTo('https://acme.pipedrive.com/deal 1') },
  'an empty onClick': { message: widgets({ buttonList: { buttons: [{ text: 'x', onClick: {} }] } }) },
  'an action as onClick': {
    message: widgets({ buttonList: { buttons: [{ text: 'x', onClick: { action: { function: 'f' } } }] } }),
  },
  'a button without onClick': { message: widgets({ buttonList: { buttons: [{ text: 'x' }] } }) },
  'a button without text or icon': { message: widgets({ buttonList: { buttons: [{ onClick: openLink }] } }) },
  'no buttons': { message: widgets({ buttonList: { buttons: [] } }) },
  'an unknown button type': { message: widgets({ buttonList: { buttons: [{ ...button, type: 'TEXT' }] } }) },
  'two kinds in one widget': { message: widgets({ divider: {}, textParagraph: { text: 'x' } }) },
  'an empty widget': { message: widgets({}) },
  'an unknown widget': { message: widgets({ textInput: { name: 'x' } }) },
  'an empty paragraph': { message: widgets({ textParagraph: { text: '' } }) },
  'a row without text': { message: widgets({ decoratedText: { topLabel: 'x' } }) },
  'a switch in a row': { message: widgets({ decoratedText: { text: 'x', switchControl: {} } }) },
  'an unknown known icon': { message: widgets({ decoratedText: { text: 'x', startIcon: { knownIcon: 'TIMER' } } }) },
  'an icon that is nothing': { message: widgets({ decoratedText: { text: 'x', startIcon: { altText: 'x' } } }) },
  'a material name in capitals': {
    message: widgets({ decoratedText: { text: 'x', startIcon: { materialIcon: { name: 'Payments' } } } }),
  },
  'three columns': {
    message: widgets({ columns: { columnItems: [1, 2, 3].map(() => ({ widgets: [{ textParagraph: { text: 'x' } }] })) } }),
  },
  'a divider in a column': { message: widgets({ columns: { columnItems: [{ widgets: [{ divider: {} }] }] } }) },
  'no chips': { message: widgets({ chipList: { chips: [] } }) },
  'a chip with text instead of label': { message: widgets({ chipList: { chips: [{ text: 'x' }] } }) },
  'an alignment alone': { message: widgets({ horizontalAlignment: 'CENTER' }), sharedIsLaxer: true },
  'a chip without label': { message: widgets({ chipList: { chips: [{ icon: trophy }] } }), sharedIsLaxer: true },
  'a carousel, which webhooks may not get': { message: widgets({ carousel: { carouselCards: [] } }), sharedIsLaxer: true },
  'an empty column': { message: widgets({ columns: { columnItems: [{}] } }), sharedIsLaxer: true },
  'an empty button text': {
    message: widgets({ buttonList: { buttons: [{ text: '', onClick: openLink }] } }),
    sharedIsLaxer: true,
  },
};

function card(sections: readonly object[], rest: object = {}): object {
  return { fallbackText: 'x', cardsV2: [{ cardId: 'c', card: { ...rest, sections } }] };
}

function widgets(...given: readonly object[]): object {
  return card([{ widgets: given }]);
}

function linkTo(url: string): object {
  return widgets({ buttonList: { buttons: [{ text: 'x', onClick: { openLink: { url } } }] } });
}
