/** Where each field of a space stands in its forms, by the API's path, and what it is called there. */

export const SPACE_LABELS = {
  name: { id: 'space-name', label: 'Name' },
  url: { id: 'space-url', label: 'Webhook URL' },
  timeZone: { id: 'space-zone', label: 'Time zone' },
  locale: { id: 'space-locale', label: 'Language' },
  foldThreshold: { id: 'fold-threshold', label: 'Most messages at once' },
  fallbackWebhookId: { id: 'space-fallback', label: 'Fallback space' },
  holdHours: { id: 'space-hold', label: 'Keep retrying for (hours)' },
  'quietHours.from': { id: 'quiet-from', label: 'Quiet from' },
  'quietHours.to': { id: 'quiet-to', label: 'Quiet until' },
  'quietHours.days': { id: 'quietDays-mon', label: 'Quiet hours begin on' },
  'quietHours.businessDays': { id: 'businessDays-mon', label: 'Working days' },
} as const;
